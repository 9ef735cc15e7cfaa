"""Sessions of an access token and a refresh token, where every refresh token works once."""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from access_tokens import InvalidToken, check_key, create_access_token, verify_access_token


@dataclass(frozen=True)
class TokenPair:
    """What a client keeps; neither token shows up when the pair is printed or logged."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


@dataclass
class _Session:
    subject: str
    current: str
    ends_at: float


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class TokenSessions:
    """Signs in, refreshes and signs out. Only digests of refresh tokens are kept. Safe to share between threads."""

    def __init__(
        self,
        key: bytes,
        *,
        access_seconds: float = 900,
        session_seconds: float = 14 * 86_400,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_key(key)
        if not 0 < access_seconds <= session_seconds:
            raise ValueError("lifetimes must be positive, and a session must outlive its access tokens")
        self._key = key
        self._access_seconds = int(access_seconds)
        self._session_seconds = session_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, _Session] = {}

    def sign_in(self, subject: str) -> TokenPair:
        """Begin a session for a subject whose identity was proven, and return its first pair."""
        if not isinstance(subject, str) or not subject:
            raise ValueError("the subject must be a text that is not empty")
        name = secrets.token_urlsafe(16)
        with self._lock:
            now = self._clock()
            self._forget_ended(now)
            self._sessions[name] = _Session(subject, "", now + self._session_seconds)
            return self._issue(name, now)

    def refresh(self, refresh_token: str) -> TokenPair:
        """Exchange a refresh token for a new pair.

        A token that was exchanged before was copied: by a thief, or from one. Which of the two asks now nobody can tell, so the
        whole session ends.
        """
        with self._lock:
            now = self._clock()
            name = self._owner(refresh_token)
            session = self._live(name, now)
            if not secrets.compare_digest(session.current, _digest(refresh_token)):
                del self._sessions[name]
                raise InvalidToken("the refresh token was used before; the session has ended")
            return self._issue(name, now)

    def authenticate(self, access_token: str) -> str:
        """Return the subject of a valid access token whose session has not ended."""
        now = self._clock()
        claims = verify_access_token(self._key, access_token, now=now)
        with self._lock:
            return self._live(claims["sid"], now).subject

    def sign_out(self, refresh_token: str) -> None:
        """End the session; its tokens stop working at once. A session that has ended stays so."""
        with self._lock:
            self._sessions.pop(self._owner(refresh_token), None)

    def _issue(self, name: str, now: float) -> TokenPair:
        session = self._sessions[name]
        # The signature proves that the token was ours, so that nobody ends a session by inventing a token for it.
        secret = secrets.token_urlsafe(32)
        refresh_token = f"{name}.{secret}.{self._seal(name, secret)}"
        session.current = _digest(refresh_token)
        lifetime = min(self._access_seconds, int(session.ends_at - now))
        access_token = create_access_token(self._key, session.subject, name, now=now, lifetime_seconds=lifetime)
        return TokenPair(access_token, refresh_token, lifetime)

    def _seal(self, name: str, secret: str) -> str:
        return hmac.new(self._key, f"refresh {name}.{secret}".encode(), hashlib.sha256).hexdigest()

    def _owner(self, refresh_token: str) -> str:
        parts = refresh_token.split(".") if isinstance(refresh_token, str) and refresh_token.isascii() else []
        if len(parts) != 3 or not secrets.compare_digest(self._seal(parts[0], parts[1]), parts[2]):
            raise InvalidToken("not a refresh token")
        return parts[0]

    def _live(self, name: str, now: float) -> _Session:
        session = self._sessions.get(name)
        if session is None or now >= session.ends_at:
            raise InvalidToken("the session has ended")
        return session

    def _forget_ended(self, now: float) -> None:
        for name in [name for name, session in self._sessions.items() if now >= session.ends_at]:
            del self._sessions[name]
