"""Sign webhooks and verify received ones: HMAC-SHA-256, a tolerance for their age, and replay protection."""

import hashlib
import hmac
import re
import threading
import time
from collections.abc import Callable, Sequence

TOLERANCE_SECONDS = 300
MIN_SECRET_BYTES = 24
MAX_HEADER_CHARS = 1024
MAX_REMEMBERED = 100000
SCHEME = "v1"
TIMESTAMP = re.compile(r"[0-9]{1,12}")
SIGNATURE = re.compile(r"[0-9a-f]{64}")


class WebhookRejected(Exception):
    """The request must not be processed; answer 400 and do not say more."""


class InvalidSignature(WebhookRejected):
    """The header is malformed, or no signature in it fits the body."""


class StaleWebhook(WebhookRejected):
    """The timestamp is too old, or lies in the future."""


class ReplayedWebhook(WebhookRejected):
    """The same delivery was accepted before."""


def _check_secret(secret: bytes) -> None:
    if not isinstance(secret, bytes) or len(secret) < MIN_SECRET_BYTES:
        raise ValueError(f"a webhook secret must be at least {MIN_SECRET_BYTES} random bytes")


def _signature(secret: bytes, timestamp: int, body: bytes) -> str:
    # The timestamp is signed with the body, so that an old body cannot be sent with a new time.
    return hmac.new(secret, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def sign(secret: bytes, body: bytes, timestamp: int) -> str:
    """Return the header that a sender adds: `t=<seconds since 1970>,v1=<hex signature>`."""
    _check_secret(secret)
    return f"t={timestamp},{SCHEME}={_signature(secret, timestamp, body)}"


class WebhookVerifier:
    """Accept each genuine and fresh delivery once. Several secrets allow for rotation."""

    def __init__(
        self,
        secrets: Sequence[bytes],
        *,
        tolerance_seconds: float = TOLERANCE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if isinstance(secrets, (bytes, str)) or not secrets:
            raise ValueError("secrets must be a list of at least one secret")
        for secret in secrets:
            _check_secret(secret)
        if tolerance_seconds <= 0:
            raise ValueError("tolerance_seconds must be positive")
        self._secrets = tuple(secrets)
        self._tolerance_seconds = tolerance_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._accepted: dict[str, float] = {}  # signature -> the time after which its timestamp is stale anyway

    def verify(self, body: bytes, header: str | None) -> None:
        """Return if the delivery is genuine, fresh and new; raise a kind of `WebhookRejected` otherwise.

        `body` is the raw body as received: JSON that was parsed and written again does not fit the signature.
        """
        if not isinstance(body, bytes):
            raise TypeError("body must be the raw bytes of the request")
        timestamp, signatures = _parse(header)
        self._check_signature(body, timestamp, signatures)
        now = self._clock()
        if abs(now - timestamp) > self._tolerance_seconds:
            raise StaleWebhook(f"the timestamp differs from now by more than {self._tolerance_seconds} seconds")
        # A canonical name: the same delivery with its signatures in another order is the same.
        self._accept_once(_signature(self._secrets[0], timestamp, body), now, timestamp)

    def _check_signature(self, body: bytes, timestamp: int, signatures: Sequence[str]) -> None:
        expected = [_signature(secret, timestamp, body) for secret in self._secrets]
        # Every pair is compared, so that the time does not tell which one fits.
        fits = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures]
        if not any(fits):
            raise InvalidSignature("no signature fits the body")

    def _accept_once(self, delivery: str, now: float, timestamp: int) -> None:
        with self._lock:
            if delivery in self._accepted:
                raise ReplayedWebhook("this delivery was accepted before")
            if len(self._accepted) >= MAX_REMEMBERED:
                self._forget_stale(now)
            if len(self._accepted) >= MAX_REMEMBERED:
                # Refusing is safe: the sender repeats. Forgetting a fresh delivery would let it be replayed.
                raise WebhookRejected("too many deliveries at once; try again later")
            self._accepted[delivery] = timestamp + self._tolerance_seconds

    def _forget_stale(self, now: float) -> None:
        self._accepted = {delivery: until for delivery, until in self._accepted.items() if until >= now}

    def forget(self, body: bytes, header: str) -> None:
        """Allow a delivery again, because processing it failed and the sender will repeat it."""
        timestamp, _ = _parse(header)
        with self._lock:
            self._accepted.pop(_signature(self._secrets[0], timestamp, body), None)


def _parse(header: str | None) -> tuple[int, list[str]]:
    if not isinstance(header, str) or len(header) > MAX_HEADER_CHARS:
        raise InvalidSignature("the signature header is missing or too long")
    pairs = [part.strip().partition("=")[::2] for part in header.split(",")]
    times = [value for name, value in pairs if name == "t"]
    # Other schemes are passed over, so that the sender can introduce a new one.
    signatures = [value for name, value in pairs if name == SCHEME and SIGNATURE.fullmatch(value)]
    if len(times) != 1 or not TIMESTAMP.fullmatch(times[0]) or not signatures:
        raise InvalidSignature("the signature header is malformed")
    return int(times[0]), signatures
