from enum import Enum, auto

import pytest

from state_machine import HISTORY_LIMIT, IllegalTransition, StateMachine, Transition, unreachable


class Door(Enum):
    OPEN = auto()
    CLOSED = auto()
    LOCKED = auto()


TABLE = [
    Transition(Door.OPEN, "close", Door.CLOSED),
    Transition(Door.CLOSED, "open", Door.OPEN),
    Transition(Door.CLOSED, "lock", Door.LOCKED),
    Transition(Door.LOCKED, "unlock", Door.CLOSED, guard=lambda code: code == 42),
]


@pytest.fixture
def door():
    return StateMachine(Door.OPEN, TABLE)


def test_events_move_along_the_table(door):
    assert [door.fire("close"), door.fire("lock"), door.fire("unlock", 42)] == [Door.CLOSED, Door.LOCKED, Door.CLOSED]
    assert door.state is Door.CLOSED


def test_an_illegal_event_changes_nothing_and_says_what_is_allowed(door):
    with pytest.raises(IllegalTransition, match="'lock' is not allowed in state .*OPEN.*no such transition; allowed events: 'close'") as caught:
        door.fire("lock")
    assert (door.state, door.history, caught.value.allowed) == (Door.OPEN, [], ["close"])


def test_a_guard_decides_by_the_arguments(door):
    door.fire("close")
    door.fire("lock")
    assert not door.can("unlock", 1)
    assert door.can("unlock", 42)
    with pytest.raises(IllegalTransition, match="every guard refused"):
        door.fire("unlock", 1)


def test_the_first_transition_whose_guard_agrees_wins():
    machine = StateMachine(
        "new",
        [
            Transition("new", "score", "gold", guard=lambda points: points >= 100),
            Transition("new", "score", "silver", guard=lambda points: points >= 50),
            Transition("new", "score", "none"),
        ],
    )
    assert machine.fire("score", 60) == "silver"
    assert machine.is_final


def test_hooks_and_action_run_in_order_with_the_arguments(door):
    seen = []
    table = [Transition("a", "go", "b", action=lambda who: seen.append(("action", who, machine.state)))]
    machine = StateMachine("a", table)
    machine.on_exit("a", lambda who: seen.append(("exit", who, machine.state)))
    machine.on_enter("b", lambda who: seen.append(("enter", who, machine.state)))
    machine.fire("go", "ada")
    assert seen == [("exit", "ada", "a"), ("action", "ada", "a"), ("enter", "ada", "b")]


def test_a_failing_action_leaves_the_state():
    def fail():
        raise OSError("disk full")

    machine = StateMachine("a", [Transition("a", "go", "b", action=fail)])
    with pytest.raises(OSError):
        machine.fire("go")
    assert (machine.state, machine.history) == ("a", [])


def test_a_machine_can_be_used_after_a_failure():
    answers = [OSError("first"), None]

    def action():
        answer = answers.pop(0)
        if answer:
            raise answer

    machine = StateMachine("a", [Transition("a", "go", "b", action=action)])
    with pytest.raises(OSError):
        machine.fire("go")
    assert machine.fire("go") == "b"


def test_firing_from_a_hook_is_refused(door):
    door.on_enter(Door.CLOSED, lambda: door.fire("lock"))
    with pytest.raises(RuntimeError, match="fire was called from"):
        door.fire("close")


def test_history_is_bounded():
    table = [Transition("on", "flip", "off"), Transition("off", "flip", "on")]
    machine = StateMachine("on", table)
    for _ in range(HISTORY_LIMIT + 3):
        machine.fire("flip")
    assert len(machine.history) == HISTORY_LIMIT
    short = StateMachine("on", table, history_limit=1)
    short.fire("flip")
    short.fire("flip")
    assert short.history == [("off", "flip", "on")]


def test_a_transition_to_the_same_state_runs_its_hooks():
    machine = StateMachine("a", [Transition("a", "again", "a")])
    seen = []
    machine.on_enter("a", lambda: seen.append("enter"))
    machine.fire("again")
    assert seen == ["enter"]


def test_mistakes_in_the_table_are_refused():
    with pytest.raises(ValueError, match="can never reach 'c'"):
        StateMachine("a", [Transition("a", "go", "b"), Transition("a", "go", "c")])
    with pytest.raises(ValueError, match="no transition leaves the initial state"):
        StateMachine("x", TABLE)
    with pytest.raises(ValueError, match="history_limit"):
        StateMachine(Door.OPEN, TABLE, history_limit=-1)
    with pytest.raises(ValueError, match="unknown state 'x'"):
        StateMachine(Door.OPEN, TABLE).on_enter("x", print)


def test_unreachable_states_are_found():
    assert unreachable(Door.OPEN, TABLE) == set()
    assert unreachable("a", [Transition("a", "go", "b"), Transition("c", "go", "a")]) == {"c"}
