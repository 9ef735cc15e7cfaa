"""Idempotency keys: a request that is repeated under the same key runs once and gets the same answer."""

import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")

RETENTION_SECONDS = 86400
IN_FLIGHT_TIMEOUT_SECONDS = 60
MAX_KEY_CHARS = 255


class IdempotencyError(Exception):
    """The request cannot be run under this key."""


class RequestInFlight(IdempotencyError):
    """The first request under this key has not ended; answer 409 and let the client repeat."""


class KeyReused(IdempotencyError):
    """The key was used for another request; answer 422."""


class LeaseLost(IdempotencyError):
    """The request took longer than its lease and another attempt has begun."""


@dataclass(frozen=True)
class Lease:
    """The right to run the request of a key; `token` tells attempts apart."""

    key: str
    token: str


@dataclass(frozen=True)
class Replay(Generic[Answer]):
    """The answer that was given before."""

    answer: Answer


@dataclass
class _Record(Generic[Answer]):
    fingerprint: str
    expires_at: float
    lease: str | None
    replay: Replay[Answer] | None = None


def fingerprint(method: str, path: str, body: Any) -> str:
    """Return a digest that tells requests apart; bodies with the same content in another order are equal."""
    canonical = json.dumps([method.upper(), path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


class IdempotencyStore(Generic[Answer]):
    """Remember the answer of each key for `retention_seconds`, and who is working on it meanwhile."""

    def __init__(
        self,
        *,
        retention_seconds: float = RETENTION_SECONDS,
        in_flight_seconds: float = IN_FLIGHT_TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if retention_seconds <= 0 or in_flight_seconds <= 0:
            raise ValueError("retention_seconds and in_flight_seconds must be positive")
        self._retention_seconds = retention_seconds
        self._in_flight_seconds = in_flight_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._records: dict[str, _Record[Answer]] = {}

    def begin(self, key: str, request: str) -> Lease | Replay[Answer]:
        """Return a lease to run the request, or the answer it got before.

        `request` is the request's fingerprint. Put the user into the key, so that users do not share keys.
        """
        if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY_CHARS:
            raise ValueError(f"an idempotency key is text of 1 to {MAX_KEY_CHARS} characters")
        with self._lock:
            now = self._clock()
            record = self._records.get(key)
            if record is None or now >= record.expires_at:
                return self._lease(key, request, now)
            if record.fingerprint != request:
                raise KeyReused("the idempotency key was used for another request")
            if record.replay is None:
                raise RequestInFlight("a request with this idempotency key is being processed")
            return record.replay

    def _lease(self, key: str, request: str, now: float) -> Lease:
        lease = Lease(key, secrets.token_hex(16))
        self._records[key] = _Record(request, now + self._in_flight_seconds, lease.token)
        return lease

    def complete(self, lease: Lease, answer: Answer) -> None:
        """Store the answer; raise `LeaseLost` if another attempt has begun meanwhile."""
        with self._lock:
            record = self._owned(lease)
            record.replay = Replay(answer)
            record.lease = None
            record.expires_at = self._clock() + self._retention_seconds

    def release(self, lease: Lease) -> None:
        """Give the key back without an answer, because the request had no effect and may be repeated."""
        with self._lock:
            self._owned(lease)
            del self._records[lease.key]

    def _owned(self, lease: Lease) -> _Record[Answer]:
        record = self._records.get(lease.key)
        if record is None or record.lease != lease.token:
            raise LeaseLost("the lease has ended; another attempt may have begun")
        return record

    def run(self, key: str, request: str, handler: Callable[[], Answer]) -> Answer:
        """Return the stored answer, or call `handler` and store what it returns.

        If the handler raises, nothing is stored and the request may be repeated: it must have had no effect.
        """
        begun = self.begin(key, request)
        if isinstance(begun, Replay):
            return begun.answer
        try:
            answer = handler()
        except BaseException:
            # A lost lease must not hide the handler's own error.
            with contextlib.suppress(LeaseLost):
                self.release(begun)
            raise
        self.complete(begun, answer)
        return answer

    def purge(self) -> int:
        """Drop what has expired and return how much it was. Run it from time to time."""
        with self._lock:
            now = self._clock()
            expired = [key for key, record in self._records.items() if now >= record.expires_at]
            for key in expired:
                del self._records[key]
            return len(expired)

    def __len__(self) -> int:
        """Return the number of keys remembered, expired ones included."""
        with self._lock:
            return len(self._records)
