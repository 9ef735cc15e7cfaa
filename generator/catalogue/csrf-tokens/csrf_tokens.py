"""CSRF protection: signed tokens bound to a session, expiry, and a check of where a request comes from."""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

TOKEN_LIFETIME_SECONDS = 14400

MIN_KEY_BYTES = 32
NONCE_BYTES = 16
TIME_BYTES = 6
TAG_BYTES = 32
TOKEN_CHARS = 72  # Base64 of 54 bytes, without padding
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
DEFAULT_PORTS = {"http": 80, "https": 443}


class CsrfError(Exception):
    """The request may have been sent by another site; answer 403."""


class CsrfProtector:
    """Issue and check tokens that only pages of this site can read. Nothing is stored."""

    def __init__(
        self,
        key: bytes,
        *,
        allowed_origins: Collection[str] = (),
        lifetime_seconds: float = TOKEN_LIFETIME_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(key, bytes) or len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the key must be at least {MIN_KEY_BYTES} random bytes")
        if isinstance(allowed_origins, str):
            raise ValueError("allowed_origins must be a list of origins")
        if lifetime_seconds <= 0:
            raise ValueError("lifetime_seconds must be positive")
        self._key = key
        self._origins = frozenset(_origin_of(origin) for origin in allowed_origins)
        if None in self._origins:
            raise ValueError("an origin of allowed_origins is a scheme and a host such as https://app.example")
        self._lifetime_seconds = lifetime_seconds
        self._clock = clock

    def issue(self, session_id: str) -> str:
        """Return a new token for a session, to put into a hidden field or a request header."""
        if not session_id:
            raise ValueError("session_id must not be empty")
        head = int(self._clock()).to_bytes(TIME_BYTES, "big") + secrets.token_bytes(NONCE_BYTES)
        return base64.urlsafe_b64encode(head + self._tag(session_id, head)).decode("ascii")

    def _tag(self, session_id: str, head: bytes) -> bytes:
        # The head has a fixed length, so head and session cannot run into each other.
        return hmac.new(self._key, b"csrf:" + head + session_id.encode(), hashlib.sha256).digest()

    def check_token(self, session_id: str, token: str | None) -> None:
        """Return if the token was issued for this session and has not expired; raise `CsrfError` otherwise."""
        data = _decode(token)
        head, tag = data[:-TAG_BYTES], data[-TAG_BYTES:]
        if not session_id or not hmac.compare_digest(self._tag(session_id, head), tag):
            raise CsrfError("the token was not issued for this session")
        issued_at = int.from_bytes(head[:TIME_BYTES], "big")
        if self._clock() >= issued_at + self._lifetime_seconds:
            raise CsrfError("the token has expired; load the page again")

    def check_request(self, method: str, session_id: str, token: str | None, origin: str | None = None) -> None:
        """Check a request: methods that change nothing pass, others need a token and, if sent, a known origin.

        `origin` is the `Origin` header, or the `Referer` header where there is none.
        """
        if method.upper() in SAFE_METHODS:
            return
        if self._origins and origin is not None and _origin_of(origin) not in self._origins:
            raise CsrfError("the request comes from another origin")
        self.check_token(session_id, token)


def _decode(token: str | None) -> bytes:
    if not isinstance(token, str) or len(token) != TOKEN_CHARS:
        raise CsrfError("the token is missing or malformed")
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise CsrfError("the token is missing or malformed") from error


def _origin_of(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of a URL; None where it has none, as the origin `null` of sandboxed pages."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.hostname is None or port is None:
        return None
    return parts.scheme, parts.hostname, port
