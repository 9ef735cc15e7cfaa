import pytest

from todo_list import Task, TodoList, UnknownTask


@pytest.fixture
def todo():
    todo = TodoList()
    for title in ("Buy milk", "Write report", "Call Ada"):
        todo.add(title)
    todo.complete(2)
    return todo


def test_tasks_keep_their_order_and_get_numbers(todo):
    assert todo.tasks() == [Task(1, "Buy milk"), Task(2, "Write report", done=True), Task(3, "Call Ada")]
    assert len(todo) == 3


def test_filters(todo):
    assert [task.number for task in todo.tasks(done=True)] == [2]
    assert [task.number for task in todo.tasks(done=False)] == [1, 3]
    assert [task.number for task in todo.tasks(containing="CALL")] == [3]
    assert todo.tasks(done=True, containing="milk") == []


def test_completing_twice_and_reopening(todo):
    assert todo.complete(2).done
    assert not todo.reopen(2).done
    assert todo.tasks(done=True) == []


def test_renaming_keeps_the_rest(todo):
    assert todo.rename(2, "  Send report ") == Task(2, "Send report", done=True)


def test_numbers_are_never_used_again(todo):
    assert todo.remove(3).title == "Call Ada"
    assert todo.add("New").number == 4
    assert [task.number for task in todo.tasks()] == [1, 2, 4]


def test_clearing_what_is_done(todo):
    assert todo.clear_done() == 1
    assert [task.number for task in todo.tasks()] == [1, 3]
    assert todo.clear_done() == 0


@pytest.mark.parametrize("title", ["", "  ", None, 5, "x" * 201])
def test_bad_titles_are_refused_and_change_nothing(todo, title):
    with pytest.raises(ValueError, match="title"):
        todo.add(title)
    with pytest.raises(ValueError, match="title"):
        todo.rename(1, title)
    assert len(todo) == 3
    assert todo.get(1).title == "Buy milk"


@pytest.mark.parametrize("method", ["get", "complete", "reopen", "remove"])
def test_unknown_tasks(todo, method):
    with pytest.raises(UnknownTask, match="no task 9"):
        getattr(todo, method)(9)


def test_saving_and_loading(todo):
    todo.add("Grüße, 日本")
    todo.remove(4)
    restored = TodoList.from_json(todo.to_json())
    assert restored.tasks() == todo.tasks()
    assert restored.add("New").number == 5
    assert TodoList.from_json(TodoList().to_json()).tasks() == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"next_number": 2, "tasks": [{"number": 1, "title": "", "done": false}]}',
        '{"next_number": 1, "tasks": [{"number": 1, "title": "a", "done": false}]}',
        '{"next_number": 3, "tasks": [{"number": 1, "title": "a", "done": false}, {"number": 1, "title": "b", "done": false}]}',
    ],
)
def test_what_was_not_saved_is_not_loaded(text):
    with pytest.raises(ValueError, match="not a saved to-do list"):
        TodoList.from_json(text)
