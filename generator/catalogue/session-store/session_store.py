"""Server-side login sessions: opaque identifiers, idle and absolute expiry, rotation, revocation."""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

IDLE_TIMEOUT_SECONDS = 1800
ABSOLUTE_TIMEOUT_SECONDS = 43200
IDENTIFIER_BYTES = 32
MAX_IDENTIFIER_CHARS = 256


@dataclass(frozen=True)
class Session:
    """A snapshot of one session; its data cannot be changed through it."""

    user_id: str
    created_at: float
    last_seen_at: float
    data: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


def _digest(session_id: str) -> str:
    # The store holds digests only, so that a leaked dump of it contains no usable identifier.
    return hashlib.sha256(session_id.encode()).hexdigest()


class SessionStore:
    """Keep login sessions in memory and end each after `idle_seconds` without use or `absolute_seconds` in all."""

    def __init__(
        self,
        *,
        idle_seconds: float = IDLE_TIMEOUT_SECONDS,
        absolute_seconds: float = ABSOLUTE_TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if idle_seconds <= 0 or absolute_seconds <= 0:
            raise ValueError("idle_seconds and absolute_seconds must be positive")
        self._idle_seconds = idle_seconds
        self._absolute_seconds = absolute_seconds
        self._clock = clock
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}

    def create(self, user_id: str, data: Mapping[str, object] | None = None) -> str:
        """Start a session for an authenticated user and return its identifier, the value of the cookie."""
        if not user_id:
            raise ValueError("user_id must not be empty")
        now = self._clock()
        return self._insert(Session(user_id, now, now, MappingProxyType(dict(data or {}))))

    def _insert(self, session: Session) -> str:
        session_id = secrets.token_urlsafe(IDENTIFIER_BYTES)
        with self._lock:
            self._sessions[_digest(session_id)] = session
        return session_id

    def _expires_at(self, session: Session) -> float:
        return min(session.last_seen_at + self._idle_seconds, session.created_at + self._absolute_seconds)

    def _live(self, session_id: str | None) -> tuple[str, Session] | None:
        if not isinstance(session_id, str) or not 0 < len(session_id) <= MAX_IDENTIFIER_CHARS:
            return None
        key = _digest(session_id)
        session = self._sessions.get(key)
        if session is not None and self._clock() >= self._expires_at(session):
            del self._sessions[key]
            return None
        return None if session is None else (key, session)

    def get(self, session_id: str | None) -> Session | None:
        """Return the live session and count this as use; None for an unknown, expired or revoked identifier."""
        with self._lock:
            found = self._live(session_id)
            if found is None:
                return None
            key, session = found
            touched = Session(session.user_id, session.created_at, self._clock(), session.data)
            self._sessions[key] = touched
            return touched

    def update(self, session_id: str, data: Mapping[str, object]) -> Session:
        """Merge `data` into the session's own; raise `KeyError` if the session is not live."""
        with self._lock:
            key, session = self._require(session_id)
            merged = MappingProxyType({**session.data, **data})
            changed = Session(session.user_id, session.created_at, self._clock(), merged)
            self._sessions[key] = changed
            return changed

    def rotate(self, session_id: str) -> str:
        """Move the session to a new identifier and return it. Call it after sign-in and after each gain of rights."""
        with self._lock:
            key, session = self._require(session_id)
            del self._sessions[key]
            return self._insert(session)

    def _require(self, session_id: str) -> tuple[str, Session]:
        found = self._live(session_id)
        if found is None:
            raise KeyError("the session is unknown or has expired")
        return found

    def revoke(self, session_id: str | None) -> bool:
        """End one session, as sign-out does; return whether it was live."""
        with self._lock:
            found = self._live(session_id)
            if found is not None:
                del self._sessions[found[0]]
            return found is not None

    def revoke_user(self, user_id: str) -> int:
        """End every session of a user, as a changed password demands; return how many were ended."""
        with self._lock:
            self.purge()
            keys = [key for key, session in self._sessions.items() if session.user_id == user_id]
            for key in keys:
                del self._sessions[key]
            return len(keys)

    def purge(self) -> int:
        """Drop every expired session and return how many there were. Run it from time to time."""
        with self._lock:
            now = self._clock()
            keys = [key for key, session in self._sessions.items() if now >= self._expires_at(session)]
            for key in keys:
                del self._sessions[key]
            return len(keys)

    def __len__(self) -> int:
        """Return the number of live sessions."""
        with self._lock:
            self.purge()
            return len(self._sessions)
