import secrets

import pytest

from pagination import (
    MAX_PAGE_SIZE,
    PAGE_SIZE,
    CursorPaginator,
    InvalidCursor,
    fetch_from,
    offset_of,
    paginate,
)

KEY = secrets.token_bytes(32)
SMALL = min(3, MAX_PAGE_SIZE)


def by_time_and_id(row):
    return (row["at"], row["id"])


@pytest.fixture
def rows():
    # Several rows share a time, so that only the id separates them.
    return [{"id": number, "at": number // 4} for number in range(10)]


@pytest.fixture
def paginator(rows):
    return CursorPaginator(fetch_from(rows, by_time_and_id), by_time_and_id, KEY)


def walk(paginator, size):
    cursor, seen = None, []
    while True:
        page = paginator.page(cursor, size)
        seen.append([row["id"] for row in page.items])
        cursor = page.next_cursor
        if cursor is None:
            return seen


def test_a_numbered_page_knows_its_neighbours():
    items = list(range(SMALL * 2 + 1))
    first, middle, last = (paginate(items, number, SMALL) for number in (1, 2, 3))
    assert list(middle.items) == items[SMALL : 2 * SMALL]
    assert (middle.previous_number, middle.next_number, middle.pages, middle.total) == (1, 3, 3, SMALL * 2 + 1)
    assert (first.previous_number, last.next_number) == (None, None)
    assert list(last.items) == items[-1:]


def test_an_exact_fit_has_no_empty_last_page():
    page = paginate(list(range(SMALL)), 1, SMALL)
    assert (page.pages, page.next_number) == (1, None)


def test_an_empty_result_has_one_empty_page():
    page = paginate([])
    assert (list(page.items), page.pages, page.next_number, page.previous_number) == ([], 1, None, None)


def test_a_page_behind_the_last_is_empty():
    assert list(paginate([1, 2], 9, 1).items) == []


def test_offsets_serve_a_query():
    assert offset_of(1, SMALL) == (0, SMALL)
    assert offset_of(4, SMALL) == (3 * SMALL, SMALL)
    assert offset_of(2)[0] == min(PAGE_SIZE, MAX_PAGE_SIZE)


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "1", None])
def test_senseless_page_numbers_are_refused(number):
    with pytest.raises(ValueError, match="page number"):
        paginate([1], number)


@pytest.mark.parametrize("size", [0, -1, MAX_PAGE_SIZE + 1, 2.0, True, "5"])
def test_senseless_page_sizes_are_refused(paginator, size):
    with pytest.raises(ValueError, match="page size"):
        paginate([1], 1, size)
    with pytest.raises(ValueError, match="page size"):
        paginator.page(size=size)


@pytest.mark.parametrize("size", range(1, min(11, MAX_PAGE_SIZE) + 1))
def test_cursors_reach_every_row_once_and_in_order(paginator, size):
    pages = walk(paginator, size)
    assert sum(pages, []) == list(range(10))
    assert all(len(page) == size for page in pages[:-1])
    assert pages[-1]


def test_an_empty_result_has_no_next_page():
    page = CursorPaginator(fetch_from([], by_time_and_id), by_time_and_id, KEY).page()
    assert (list(page.items), page.next_cursor) == ([], None)


def test_rows_that_come_and_go_neither_repeat_nor_hide_others(paginator, rows):
    first = paginator.page(size=1)
    second = paginator.page(first.next_cursor, 1)
    rows.insert(0, {"id": -1, "at": -1})
    rows.remove(second.items[0])
    third = paginator.page(second.next_cursor, 1)
    assert [page.items[0]["id"] for page in (first, second, third)] == [0, 1, 2]


def test_a_cursor_may_be_used_with_another_page_size(paginator):
    cursor = paginator.page(size=1).next_cursor
    assert [row["id"] for row in paginator.page(cursor, SMALL).items] == list(range(1, 1 + SMALL))


def test_a_changed_cursor_is_refused(paginator):
    cursor = paginator.page(size=1).next_cursor
    changed = cursor[:10] + ("A" if cursor[10] != "A" else "B") + cursor[11:]
    for bad in (changed, cursor[:-4], cursor + "AAAA"):
        with pytest.raises(InvalidCursor):
            paginator.page(bad, 1)


def test_a_cursor_of_another_key_is_refused(paginator, rows):
    other = CursorPaginator(fetch_from(rows, by_time_and_id), by_time_and_id, secrets.token_bytes(32))
    with pytest.raises(InvalidCursor, match="not made here"):
        paginator.page(other.page(size=1).next_cursor)


@pytest.mark.parametrize("garbage", ["", "a", "!!", "é", "A" * 5000, 7, b"AA"])
def test_garbage_is_no_cursor(paginator, garbage):
    with pytest.raises(InvalidCursor):
        paginator.page(garbage)


def test_weak_signing_keys_are_refused(rows):
    with pytest.raises(ValueError, match="32"):
        CursorPaginator(fetch_from(rows, by_time_and_id), by_time_and_id, b"short")
