"""User accounts: registration, login with lockout, and signed access tokens that expire."""

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

TOKEN_LIFETIME_SECONDS = 900
MAX_FAILED_LOGINS = 5
LOCKOUT_SECONDS = 900
MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 256
MIN_KEY_BYTES = 32
SALT_BYTES = 16
SCRYPT_COST = 2**14
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")


class AuthError(Exception):
    """The request is refused; the message is safe to show."""


class InvalidCredentials(AuthError):
    """Wrong user name or password; the message does not say which."""


class AccountLocked(AuthError):
    """Too many failed logins; `retry_after_seconds` says how long to wait."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"too many failed logins; try again in {retry_after_seconds:.0f} seconds")
        self.retry_after_seconds = retry_after_seconds


class InvalidToken(AuthError):
    """The token is malformed, forged, expired or revoked."""


@dataclass
class _Account:
    salt: bytes
    password_hash: bytes
    token_version: str
    failures: int = 0
    locked_until: float = 0.0


def _hash(password: str, salt: bytes) -> bytes:
    data = unicodedata.normalize("NFKC", password).encode()
    return hashlib.scrypt(data, salt=salt, n=SCRYPT_COST, r=8, p=1, dklen=32)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidToken("the token is malformed") from error
    if _encode(data) != text:
        raise InvalidToken("the token is malformed")
    return data


class AuthService:
    """Register users, check their passwords, and issue and verify tokens signed with `key` (HMAC-SHA-256)."""

    def __init__(self, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        if not isinstance(key, bytes) or len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the key must be at least {MIN_KEY_BYTES} random bytes")
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}
        self._decoy_salt = os.urandom(SALT_BYTES)

    def register(self, username: str, password: str) -> None:
        """Create an account; raise `ValueError` for an unusable or taken name and for an unusable password."""
        if not isinstance(username, str) or not USERNAME.fullmatch(username):
            raise ValueError("user names have 2 to 64 characters: lower-case letters, digits, '.', '_' and '-'")
        account = self._new_account(password)
        with self._lock:
            if username in self._accounts:
                raise ValueError("the user name is taken")
            self._accounts[username] = account

    def _new_account(self, password: str) -> _Account:
        if not isinstance(password, str) or not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
            raise ValueError(f"passwords have {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters")
        salt = os.urandom(SALT_BYTES)
        return _Account(salt, _hash(password, salt), secrets.token_urlsafe(8))

    def login(self, username: str, password: str) -> str:
        """Return an access token; raise `InvalidCredentials` or `AccountLocked`."""
        usable = isinstance(username, str) and isinstance(password, str) and len(password) <= MAX_PASSWORD_LENGTH
        if not usable:
            raise InvalidCredentials("wrong user name or password")
        now = self._clock()
        with self._lock:
            account = self._accounts.get(username)
            if account is not None:
                self._count_attempt(account, now)
        # An unknown user costs as much time as a known one, so that names cannot be probed.
        derived = _hash(password, account.salt if account is not None else self._decoy_salt)
        if account is None or not hmac.compare_digest(derived, account.password_hash):
            raise InvalidCredentials("wrong user name or password")
        with self._lock:
            account.failures = 0
        return self._issue(username, account, now)

    def _count_attempt(self, account: _Account, now: float) -> None:
        # Counted before the slow hash: parallel guesses must not get around the limit.
        if now < account.locked_until:
            raise AccountLocked(account.locked_until - now)
        if account.failures >= MAX_FAILED_LOGINS:
            account.failures = 0
            account.locked_until = now + LOCKOUT_SECONDS
            raise AccountLocked(LOCKOUT_SECONDS)
        account.failures += 1

    def _issue(self, username: str, account: _Account, now: float) -> str:
        claims = {"sub": username, "exp": int(now) + TOKEN_LIFETIME_SECONDS, "ver": account.token_version}
        payload = _encode(json.dumps(claims, separators=(",", ":")).encode())
        return f"{payload}.{_encode(self._sign(payload))}"

    def _sign(self, payload: str) -> bytes:
        return hmac.new(self._key, b"access-token:" + payload.encode(), hashlib.sha256).digest()

    def authenticate(self, token: str) -> str:
        """Return the user name of a valid token, or raise `InvalidToken`."""
        payload, separator, signature = token.partition(".") if isinstance(token, str) else ("", "", "")
        if not separator or not token.isascii():
            raise InvalidToken("the token is malformed")
        if not hmac.compare_digest(self._sign(payload), _decode(signature)):
            raise InvalidToken("the token's signature is wrong")
        claims = json.loads(_decode(payload))
        if self._clock() >= claims["exp"]:
            raise InvalidToken("the token has expired")
        with self._lock:
            account = self._accounts.get(claims["sub"])
        if account is None or account.token_version != claims["ver"]:
            raise InvalidToken("the token was revoked")
        return claims["sub"]

    def change_password(self, username: str, current: str, new: str) -> None:
        """Replace the password; every token that was issued before stops working."""
        account = self._new_account(new)
        self.login(username, current)
        with self._lock:
            self._accounts[username] = account
