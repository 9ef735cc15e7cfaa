import json
import secrets
import threading

import pytest

from audit_log import GENESIS, MAX_ENTRY_BYTES, AuditLog, Head, TamperedLog, read_entries, verify

KEY = secrets.token_bytes(32)


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        self.now += 1
        return self.now


@pytest.fixture
def path(tmp_path):
    return tmp_path / "audit.jsonl"


@pytest.fixture
def log(path):
    log = AuditLog(path, KEY, clock=Clock())
    log.append("ada", "login", "session", {"address": "192.0.2.7"})
    log.append("ada", "delete", "order 7")
    log.append("root", "grant", "ada", {"role": "admin"})
    return log


def rewrite(path, change):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(change(lines)))


def test_entries_come_back_in_order(log):
    found = list(log.entries())
    assert [(entry.number, entry.actor, entry.action, entry.target) for entry in found] == [
        (1, "ada", "login", "session"),
        (2, "ada", "delete", "order 7"),
        (3, "root", "grant", "ada"),
    ]
    assert found[0].details == {"address": "192.0.2.7"}
    assert [entry.time for entry in found] == [1_700_000_001.0, 1_700_000_002.0, 1_700_000_003.0]


def test_each_entry_is_chained_to_the_one_before(log):
    first, second, third = log.entries()
    assert (first.previous, second.previous, third.previous) == (GENESIS, first.digest, second.digest)
    assert log.head == Head(3, third.digest)


def test_a_log_is_continued_after_a_restart(log, path):
    again = AuditLog(path, KEY)
    assert again.head == log.head
    again.append("grace", "logout", "session")
    assert verify(path, KEY).number == 4


@pytest.mark.parametrize("old, new", [("ada", "eve"), ("delete", "read"), ("order 7", "order 8"), ("2.0", "3.0")])
def test_a_changed_entry_is_found(log, path, old, new):
    rewrite(path, lambda lines: [lines[0], lines[1].replace(old, new), lines[2]])
    with pytest.raises(TamperedLog, match="digest does not fit") as found:
        verify(path, KEY)
    assert found.value.line == 2


@pytest.mark.parametrize(
    "change, line",
    [
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], lines[2]], 2),
        (lambda lines: [lines[0], lines[2], lines[1]], 2),
        (lambda lines: [lines[0], *lines], 2),
    ],
)
def test_removed_moved_and_repeated_entries_are_found(log, path, change, line):
    rewrite(path, change)
    with pytest.raises(TamperedLog, match="does not follow") as found:
        verify(path, KEY)
    assert found.value.line == line


def test_cutting_the_end_off_is_found_by_an_earlier_head(log, path):
    head = log.head
    rewrite(path, lambda lines: lines[:2])
    assert verify(path, KEY).number == 2
    with pytest.raises(TamperedLog, match="entry 3 is missing"):
        verify(path, KEY, head)


def test_an_earlier_head_stays_valid_while_the_log_grows(log, path):
    head = log.head
    log.append("ada", "logout", "session")
    assert verify(path, KEY, head).number == 4
    assert verify(path, KEY, Head(0, GENESIS)).number == 4


def test_without_the_key_a_chain_cannot_be_made_anew(log, path, tmp_path):
    forged = tmp_path / "forged.jsonl"
    AuditLog(forged, secrets.token_bytes(32)).append("eve", "nothing", "to see")
    with pytest.raises(TamperedLog, match="digest"):
        verify(forged, KEY)


@pytest.mark.parametrize("garbage", ["not json\n", "[]\n", "{}\n", '{"digest": 7}\n', "7\n", "\n"])
def test_lines_that_are_no_entries_are_found(log, path, garbage):
    with path.open("a") as file:
        file.write(garbage)
    with pytest.raises(TamperedLog) as found:
        verify(path, KEY)
    assert found.value.line == 4


def test_half_a_line_is_found_and_not_appended_to(log, path):
    path.write_text(path.read_text()[:-10])
    with pytest.raises(TamperedLog, match="not complete"):
        AuditLog(path, KEY)


def test_reading_yields_what_is_sound_before_the_break(log, path):
    rewrite(path, lambda lines: [*lines[:2], lines[2].replace("root", "eve")])
    entries = read_entries(path, KEY)
    assert [next(entries).number, next(entries).number] == [1, 2]
    with pytest.raises(TamperedLog):
        next(entries)


def test_an_entry_that_cannot_be_written_leaves_the_log_as_it_was(log, path):
    before = path.read_bytes()
    for details in ({"x": object()}, {"x": float("nan")}, {"x": "y" * MAX_ENTRY_BYTES}):
        with pytest.raises((TypeError, ValueError)):
            log.append("ada", "upload", "file", details)
    assert path.read_bytes() == before
    assert log.append("ada", "logout", "session").number == 4


def test_the_format_is_one_json_object_a_line(log, path):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert set(rows[0]) == {"number", "time", "actor", "action", "target", "details", "previous", "digest"}
    assert path.stat().st_mode & 0o077 == 0


def test_details_are_digested_as_they_will_be_read(log, path):
    log.append("ada", "sort", "list", {"rows": {9: "a", 10: "b"}, "pair": (1, 2)})
    *_, last = read_entries(path, KEY)
    assert last.details == {"rows": {"9": "a", "10": "b"}, "pair": [1, 2]}


def test_weak_keys_and_anonymous_entries_are_refused(log, path):
    with pytest.raises(ValueError, match="32"):
        AuditLog(path, b"short")
    for actor, action in (("", "login"), ("ada", "")):
        with pytest.raises(ValueError, match="must not be empty"):
            log.append(actor, action, "x")


def test_threads_append_to_one_chain(log, path):
    threads = [threading.Thread(target=lambda: [log.append("t", "a", "x") for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify(path, KEY).number == 43
