"""URLs that expire and cannot be changed: signed with HMAC-SHA-256, verifiable with older keys."""

import base64
import hashlib
import hmac
import math
import re
import time
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl, quote, urlsplit

URL_LIFETIME_SECONDS = 3600
MAX_LIFETIME_SECONDS = 2592000
MIN_KEY_BYTES = 32
MAX_URL_CHARS = 8192
EXPIRES = "expires"
SIGNATURE = "signature"
PRINTABLE = re.compile(r"[!-~]{0,8000}")
TAIL = re.compile(rf"[?&]{EXPIRES}=(?P<expires>[0-9]{{1,12}})&{SIGNATURE}=(?P<signature>[A-Za-z0-9_-]{{43}})")


class InvalidUrl(Exception):
    """The URL is not signed, or the signature does not fit it."""


class ExpiredUrl(InvalidUrl):
    """The signature is right, but its time is over."""


class UrlSigner:
    """Sign with the first key and accept all of them, so that keys can be rotated."""

    def __init__(self, keys: Sequence[bytes], *, clock: Callable[[], float] = time.time) -> None:
        if isinstance(keys, (bytes, str)) or not keys:
            raise ValueError("keys must be a list of at least one key, the one to sign with first")
        if any(not isinstance(key, bytes) or len(key) < MIN_KEY_BYTES for key in keys):
            raise ValueError(f"each key must be at least {MIN_KEY_BYTES} random bytes")
        self._keys = tuple(keys)
        self._clock = clock

    def sign(self, url: str, *, method: str = "GET", lifetime_seconds: float = URL_LIFETIME_SECONDS) -> str:
        """Return the URL with its expiry and signature appended; valid for one HTTP method."""
        _check(url)
        if not 0 < lifetime_seconds <= MAX_LIFETIME_SECONDS:
            raise ValueError(f"lifetime_seconds must be positive and at most {MAX_LIFETIME_SECONDS}")
        # Rounded up: a URL lives at least as long as was asked for.
        expires = math.ceil(self._clock() + lifetime_seconds)
        separator = "&" if urlsplit(url).query else "?"
        payload = f"{url.rstrip('?')}{separator}{EXPIRES}={expires}"
        return f"{payload}&{SIGNATURE}={_signature(self._keys[0], method, payload)}"

    def verify(self, url: str, *, method: str = "GET") -> str:
        """Return the URL as it was before it was signed; raise `InvalidUrl` or `ExpiredUrl`."""
        if not isinstance(url, str) or len(url) > MAX_URL_CHARS or not url.isascii():
            raise InvalidUrl("not a signed URL")
        # The signature covers the text before it as it is. Nothing may follow it, so nothing can be added.
        start = max(url.rfind(f"?{EXPIRES}="), url.rfind(f"&{EXPIRES}="))
        tail = TAIL.fullmatch(url, start) if start >= 0 else None
        if tail is None:
            raise InvalidUrl("the URL has no signature at its end")
        payload = url[: tail.end("expires")]
        given = tail["signature"]
        # All keys are tried, whichever fits: the time must not tell which one it was.
        fits = [hmac.compare_digest(_signature(key, method, payload), given) for key in self._keys]
        if not any(fits):
            raise InvalidUrl("the signature does not fit the URL and method")
        if self._clock() >= int(tail["expires"]):
            raise ExpiredUrl("the URL has expired")
        return url[:start]


def _check(url: str) -> None:
    if not isinstance(url, str) or not PRINTABLE.fullmatch(url):
        raise ValueError("the URL must be percent-encoded ASCII without spaces, of at most 8000 characters")
    parts = urlsplit(url)
    if not parts.path and not parts.netloc:
        raise ValueError("the URL has neither a host nor a path")
    if parts.fragment:
        raise ValueError("a fragment is never sent to the server and cannot be signed")
    reserved = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} & {EXPIRES, SIGNATURE}
    if reserved:
        raise ValueError(f"the URL has a parameter {reserved.pop()} already")


def _signature(key: bytes, method: str, payload: str) -> str:
    message = f"{quote(method.upper())}\n{payload}".encode("ascii")
    digest = hmac.new(key, b"signed-url:" + message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
