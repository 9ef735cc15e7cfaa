"""Time-based one-time passwords (RFC 6238, RFC 4226): secrets, codes, verification, and the URI for a QR code."""

import base64
import binascii
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from urllib.parse import quote, urlencode

# What authenticator apps expect. Many of them ignore other settings and show wrong codes.
ALGORITHM = "sha1"
DIGITS = 6
PERIOD_SECONDS = 30

ALGORITHMS = ("sha1", "sha256", "sha512")
SECRET_BYTES = 20
MIN_SECRET_BYTES = 16
WINDOW_STEPS = 1


def generate_secret() -> str:
    """Return a new random secret in Base32, the form that authenticator apps take."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii").rstrip("=")


def decode_secret(secret: str) -> bytes:
    """Return the bytes of a Base32 secret; spaces, lower case and missing padding are accepted."""
    text = "".join(secret.split()).upper().rstrip("=") if isinstance(secret, str) else ""
    try:
        key = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error as error:
        raise ValueError("the secret is not Base32") from error
    if len(key) < MIN_SECRET_BYTES:
        raise ValueError(f"the secret must be at least {MIN_SECRET_BYTES} bytes")
    return key


def hotp(key: bytes, counter: int, *, digits: int = DIGITS, algorithm: str = ALGORITHM) -> str:
    """Return the code of a counter (RFC 4226). HMAC with SHA-1 is not affected by SHA-1's collisions."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"the algorithm must be one of {', '.join(ALGORITHMS)}")
    if not 6 <= digits <= 8:
        raise ValueError("a code has 6 to 8 digits")
    if not 0 <= counter < 2**64:
        raise ValueError("the counter must fit in 64 bits")
    digest = hmac.digest(key, counter.to_bytes(8, "big"), algorithm)
    # Dynamic truncation: the last four bits say where to read 31 bits.
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_at(moment: float) -> int:
    """Return the number of the time step that a moment is in."""
    if moment < 0:
        raise ValueError("the time must not be before 1970")
    return int(moment // PERIOD_SECONDS)


def totp(secret: str, moment: float) -> str:
    """Return the code of a secret at a moment, in seconds since 1970."""
    return hotp(decode_secret(secret), step_at(moment))


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """Return the `otpauth` URI to show as a QR code. It contains the secret."""
    decode_secret(secret)
    if not account or not issuer or ":" in account or ":" in issuer:
        raise ValueError("account and issuer must be text without a colon")
    settings = {
        "secret": "".join(secret.split()).upper().rstrip("="),
        "issuer": issuer,
        "algorithm": ALGORITHM.upper(),
        "digits": DIGITS,
        "period": PERIOD_SECONDS,
    }
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{urlencode(settings, quote_via=quote)}"


class TotpVerifier:
    """Check codes, accepting neighbouring time steps, and each code of a user once (RFC 6238, section 5.2)."""

    def __init__(self, *, window_steps: int = WINDOW_STEPS, clock: Callable[[], float] = time.time) -> None:
        if not 0 <= window_steps <= 10:
            raise ValueError("window_steps must be 0 to 10")
        self._window_steps = window_steps
        self._clock = clock
        self._lock = threading.Lock()
        self._last_steps: dict[str, int] = {}  # user -> the step of the last code accepted

    def verify(self, user: str, secret: str, code: str) -> bool:
        """Return whether the code is right and unused. Limit the attempts of a user: there are few codes."""
        key = decode_secret(secret)
        given = "".join(code.split()) if isinstance(code, str) else ""
        if len(given) != DIGITS or not given.isascii() or not given.isdigit():
            return False
        now = step_at(self._clock())
        steps = range(max(0, now - self._window_steps), now + self._window_steps + 1)
        # All steps are compared, so that the time does not tell which one fits.
        fitting = [step for step in steps if hmac.compare_digest(hotp(key, step), given)]
        with self._lock:
            last = self._last_steps.get(user, -1)
            unused = [step for step in fitting if step > last]
            if not unused:
                return False
            self._last_steps[user] = unused[0]
            return True
