"""Watch a folder for created, modified and deleted files by comparing snapshots. No threads, no native notifications."""

import fnmatch
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

POLL_INTERVAL_SECONDS = 1.0
MAX_FILES = 100_000


class ChangeKind(Enum):
    """What happened to a file."""

    CREATED = "created"
    MODIFIED = "modified"
    DELETED = "deleted"


@dataclass(frozen=True)
class Change:
    """A change of one file; `path` is relative to the watched folder."""

    kind: ChangeKind
    path: Path


@dataclass(frozen=True)
class FileStamp:
    """The values by which a change of content shows."""

    modified_ns: int
    size: int
    inode: int


Snapshot = dict[Path, FileStamp]


class TooManyFiles(RuntimeError):
    """The folder has more files than the watcher is meant for; narrow the patterns."""


def take_snapshot(root: Path, patterns: Sequence[str] = ("*",), ignored: Sequence[str] = ()) -> Snapshot:
    """Return the stamp of each regular file below `root` whose name matches one of `patterns`.

    Files and folders whose name matches one of `ignored` are left out. Symbolic links are not followed.
    """
    snapshot: Snapshot = {}
    for entry in _files(root, ignored):
        if not _matches(entry.name, patterns):
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            # Deleted between listing and looking.
            continue
        if len(snapshot) >= MAX_FILES:
            raise TooManyFiles(f"{root} has more than {MAX_FILES} matching files")
        snapshot[Path(entry.path).relative_to(root)] = FileStamp(status.st_mtime_ns, status.st_size, status.st_ino)
    return snapshot


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _files(root: Path, ignored: Sequence[str]) -> Iterator["os.DirEntry[str]"]:
    pending = [os.fspath(root)]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                found = [entry for entry in entries if not _matches(entry.name, ignored)]
        except (FileNotFoundError, NotADirectoryError):
            if folder == os.fspath(root):
                raise
            # A folder below may be deleted meanwhile.
            continue
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield entry


def compare(before: Snapshot, after: Snapshot) -> list[Change]:
    """Return the changes between two snapshots, ordered by path."""
    changes = [Change(ChangeKind.CREATED, path) for path in after.keys() - before.keys()]
    changes += [Change(ChangeKind.DELETED, path) for path in before.keys() - after.keys()]
    changes += [Change(ChangeKind.MODIFIED, path) for path in before.keys() & after.keys() if before[path] != after[path]]
    return sorted(changes, key=lambda change: change.path)


class FileWatcher:
    """Report what changed below a folder since the last look."""

    def __init__(self, root: Path | str, patterns: Sequence[str] = ("*",), *, ignored: Sequence[str] = ()) -> None:
        self._root = Path(root)
        if not self._root.is_dir():
            raise NotADirectoryError(f"{self._root} is not a folder")
        for name, value in (("patterns", patterns), ("ignored", ignored)):
            if isinstance(value, str):
                raise TypeError(f"{name} must be a list of texts, not one text")
        self._patterns = tuple(patterns)
        self._ignored = tuple(ignored)
        self._snapshot = self._take()

    def _take(self) -> Snapshot:
        return take_snapshot(self._root, self._patterns, self._ignored)

    def poll(self) -> list[Change]:
        """Return the changes since the last call, or since the watcher was made."""
        current = self._take()
        changes = compare(self._snapshot, current)
        self._snapshot = current
        return changes

    def watch(
        self,
        on_change: Callable[[Change], object],
        *,
        interval_seconds: float = POLL_INTERVAL_SECONDS,
        should_stop: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Call `on_change` for each change, looking again every `interval_seconds`, until `should_stop()` is true."""
        if interval_seconds <= 0:
            raise ValueError("interval_seconds must be positive")
        while not should_stop():
            for change in self.poll():
                on_change(change)
            sleep(interval_seconds)
