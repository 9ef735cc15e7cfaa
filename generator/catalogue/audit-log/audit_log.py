"""An append-only audit log in a file: every entry is chained to the one before by a keyed hash."""

import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MIN_KEY_BYTES = 32
MAX_ENTRY_BYTES = 65536
GENESIS = "0" * 64


class AuditLogError(Exception):
    """The log cannot be used."""


class TamperedLog(AuditLogError):
    """The chain is broken; `line` is the first line that does not fit, counted from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


@dataclass(frozen=True)
class Entry:
    """Who did what to what, and when. `previous` is the digest of the entry before."""

    number: int
    time: float
    actor: str
    action: str
    target: str
    details: Mapping[str, Any]
    previous: str
    digest: str


@dataclass(frozen=True)
class Head:
    """The end of a log. Kept elsewhere, it proves later that nothing was cut off."""

    number: int
    digest: str


def _digest(key: bytes, members: Mapping[str, Any]) -> str:
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()


def read_entries(path: Path, key: bytes) -> Iterator[Entry]:
    """Yield every entry of a log after checking it; raise `TamperedLog` at the first that does not fit."""
    previous = GENESIS
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            entry = _checked(line, number, previous, key)
            previous = entry.digest
            yield entry


def _checked(line: bytes, number: int, previous: str, key: bytes) -> Entry:
    if not line.endswith(b"\n"):
        raise TamperedLog(number, "the line is not complete")
    try:
        found = json.loads(line)
        digest = found.pop("digest")
        entry = Entry(**found, digest=digest)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise TamperedLog(number, "the line is not an entry") from error
    if not isinstance(digest, str) or not hmac.compare_digest(_digest(key, found).encode(), digest.encode()):
        raise TamperedLog(number, "the digest does not fit the entry")
    if entry.number != number or entry.previous != previous:
        raise TamperedLog(number, "the entry does not follow the one before")
    return entry


def verify(path: Path, key: bytes, expected: Head | None = None) -> Head:
    """Check a whole log and return its head. With an earlier head, check as well that nothing was cut off."""
    head = Head(0, GENESIS)
    is_reached = expected is None or expected == head
    for entry in read_entries(path, key):
        head = Head(entry.number, entry.digest)
        is_reached = is_reached or head == expected
    if not is_reached:
        raise TamperedLog(head.number + 1, f"entry {expected.number if expected else 0} is missing or was replaced")
    return head


class AuditLog:
    """Append entries to one file. One process writes; reading needs no lock."""

    def __init__(self, path: Path, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        if not isinstance(key, bytes) or len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the key must be at least {MIN_KEY_BYTES} random bytes")
        self._path = path
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()
        path.touch(mode=0o600)
        # Appending to a broken chain would hide the break behind sound entries.
        self._head = verify(path, key)

    @property
    def head(self) -> Head:
        """The end of the log. Store it elsewhere from time to time."""
        with self._lock:
            return self._head

    def append(self, actor: str, action: str, target: str, details: Mapping[str, Any] | None = None) -> Entry:
        """Write an entry and return it once it is on the disk."""
        if not actor or not action:
            raise ValueError("actor and action must not be empty")
        with self._lock:
            members = {
                "number": self._head.number + 1,
                "time": self._clock(),
                "actor": actor,
                "action": action,
                "target": target,
                # As it will be read again: numbers as keys, for example, become texts.
                "details": json.loads(json.dumps(dict(details or {}), allow_nan=False)),
                "previous": self._head.digest,
            }
            entry = Entry(**members, digest=_digest(self._key, members))
            self._write({**members, "digest": entry.digest})
            self._head = Head(entry.number, entry.digest)
            return entry

    def _write(self, members: Mapping[str, Any]) -> None:
        line = json.dumps(members, separators=(",", ":")).encode() + b"\n"
        if len(line) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry must have at most {MAX_ENTRY_BYTES} bytes")
        with self._path.open("ab") as file:
            end = file.tell()
            try:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                # Half a line would break the chain for every entry after it.
                os.truncate(self._path, end)
                raise

    def entries(self) -> Iterator[Entry]:
        """Yield all entries in order, checking each."""
        return read_entries(self._path, self._key)
