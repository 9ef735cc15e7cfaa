import os
from pathlib import Path

import pytest

from file_watcher import MAX_FILES, POLL_INTERVAL_SECONDS, Change, ChangeKind, FileStamp, FileWatcher, compare, take_snapshot

CREATED, MODIFIED, DELETED = ChangeKind.CREATED, ChangeKind.MODIFIED, ChangeKind.DELETED


def write(path, text, modified=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if modified is not None:
        # The time is set rather than waited for.
        os.utime(path, (modified, modified))


def changes(watcher):
    return [(change.kind, change.path.as_posix()) for change in watcher.poll()]


def test_nothing_changed(tmp_path):
    write(tmp_path / "a.txt", "a")
    watcher = FileWatcher(tmp_path)
    assert watcher.poll() == []


def test_created_modified_and_deleted_files_are_reported_once(tmp_path):
    write(tmp_path / "kept.txt", "1", modified=1000)
    write(tmp_path / "gone.txt", "1")
    watcher = FileWatcher(tmp_path)
    write(tmp_path / "kept.txt", "2", modified=2000)
    write(tmp_path / "sub" / "new.txt", "1")
    (tmp_path / "gone.txt").unlink()
    assert changes(watcher) == [(DELETED, "gone.txt"), (MODIFIED, "kept.txt"), (CREATED, "sub/new.txt")]
    assert watcher.poll() == []


def test_another_size_shows_even_at_the_same_time(tmp_path):
    write(tmp_path / "a", "1", modified=1000)
    watcher = FileWatcher(tmp_path)
    write(tmp_path / "a", "longer", modified=1000)
    assert changes(watcher) == [(MODIFIED, "a")]


def test_a_file_that_is_replaced_is_modified(tmp_path):
    write(tmp_path / "a", "1", modified=1000)
    watcher = FileWatcher(tmp_path)
    write(tmp_path / "other", "2", modified=1000)
    (tmp_path / "other").replace(tmp_path / "a")
    assert changes(watcher) == [(MODIFIED, "a")]


def test_patterns_and_ignored_names(tmp_path):
    watcher = FileWatcher(tmp_path, ["*.py", "*.toml"], ignored=[".git", "__pycache__"])
    for name in ("a.py", "b.toml", "c.txt", ".git/d.py", "sub/__pycache__/e.py", "sub/f.py"):
        write(tmp_path / name, "x")
    assert changes(watcher) == [(CREATED, "a.py"), (CREATED, "b.toml"), (CREATED, "sub/f.py")]


def test_links_are_not_followed(tmp_path):
    (tmp_path / "root").mkdir()
    write(tmp_path / "outside" / "secret.txt", "x")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "root" / "file").symlink_to(tmp_path / "outside" / "secret.txt")
    assert take_snapshot(tmp_path / "root") == {}


def test_a_deleted_folder_deletes_its_files(tmp_path):
    write(tmp_path / "sub" / "a", "x")
    watcher = FileWatcher(tmp_path)
    (tmp_path / "sub" / "a").unlink()
    (tmp_path / "sub").rmdir()
    assert changes(watcher) == [(DELETED, "sub/a")]


def test_snapshots_are_compared_by_path_and_stamp():
    old, new = FileStamp(1, 1, 1), FileStamp(2, 1, 1)
    assert compare({Path("b"): old, Path("a"): old}, {Path("b"): new, Path("c"): old}) == [
        Change(DELETED, Path("a")),
        Change(MODIFIED, Path("b")),
        Change(CREATED, Path("c")),
    ]
    assert MAX_FILES > 0


def test_watching_polls_until_it_is_stopped(tmp_path):
    watcher, seen, slept = FileWatcher(tmp_path), [], []

    def sleep(seconds):
        slept.append(seconds)
        write(tmp_path / f"file{len(slept)}", "x")

    watcher.watch(seen.append, should_stop=lambda: len(slept) == 3, sleep=sleep)
    assert slept == [POLL_INTERVAL_SECONDS] * 3
    assert [change.path.name for change in seen] == ["file1", "file2"]


def test_misuse_is_refused(tmp_path):
    write(tmp_path / "a", "x")
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        FileWatcher(tmp_path / "a")
    with pytest.raises(TypeError, match="patterns must be a list"):
        FileWatcher(tmp_path, "*.py")
    with pytest.raises(ValueError, match="interval_seconds"):
        FileWatcher(tmp_path).watch(print, interval_seconds=0)


def test_a_watched_folder_that_disappears_is_an_error(tmp_path):
    (tmp_path / "root").mkdir()
    watcher = FileWatcher(tmp_path / "root")
    (tmp_path / "root").rmdir()
    with pytest.raises(FileNotFoundError):
        watcher.poll()
