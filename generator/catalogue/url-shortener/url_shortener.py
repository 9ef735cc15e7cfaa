"""Short codes for http and https addresses, kept in memory."""

import re
import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

ALPHABET = string.digits + string.ascii_letters
CODE_LENGTH = 7
MAX_URL = 2048
_ALIAS = re.compile(r"[A-Za-z0-9_-]{3,32}")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


class InvalidUrl(ValueError):
    """The address is not one to redirect to."""


class AliasTaken(ValueError):
    """Somebody already uses this alias."""


class UnknownCode(LookupError):
    """No address has this code, or no longer."""


@dataclass
class Link:
    """An address behind a code; times are seconds since the epoch."""

    url: str
    expires_at: float | None
    hits: int = 0


def _check_characters(url: str) -> None:
    if not isinstance(url, str) or not 1 <= len(url) <= MAX_URL:
        raise InvalidUrl(f"an address has 1 to {MAX_URL} characters")
    # Browsers and servers disagree about control characters, which is how redirects are smuggled.
    if _CONTROL.search(url) or "\\" in url:
        raise InvalidUrl("an address has no spaces, control characters or backslashes")


def check_url(url: str) -> str:
    """Return `url` if it is an absolute http or https address without credentials, else raise `InvalidUrl`."""
    _check_characters(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidUrl("the address cannot be read") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise InvalidUrl("an address starts with http:// or https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise InvalidUrl("an address must not carry credentials")
    return url


class UrlShortener:
    """Give out codes and resolve them."""

    def __init__(self, *, clock: Callable[[], float] = time.time, new_code: Callable[[], str] | None = None) -> None:
        self._links: dict[str, Link] = {}
        self._clock = clock
        self._new_code = new_code or (lambda: "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)))

    def _live(self, code: str) -> Link | None:
        link = self._links.get(code)
        if link is not None and link.expires_at is not None and self._clock() >= link.expires_at:
            del self._links[code]
            return None
        return link

    def _free_code(self) -> str:
        # Codes are random, so that nobody can walk through the links of others.
        for _ in range(100):
            code = self._new_code()
            if self._live(code) is None:
                return code
        raise RuntimeError("no free code was found")

    def shorten(self, url: str, *, alias: str | None = None, lifetime_seconds: float | None = None) -> str:
        """Store `url` and return its code: `alias` if given, else a random one."""
        check_url(url)
        if lifetime_seconds is not None and lifetime_seconds <= 0:
            raise ValueError("the lifetime must be positive")
        if alias is not None:
            if not _ALIAS.fullmatch(alias):
                raise ValueError("an alias has 3 to 32 letters, digits, hyphens or underscores")
            if self._live(alias) is not None:
                raise AliasTaken("the alias is taken")
        code = self._free_code() if alias is None else alias
        expires_at = None if lifetime_seconds is None else self._clock() + lifetime_seconds
        self._links[code] = Link(url, expires_at)
        return code

    def resolve(self, code: str) -> str:
        """Return the address behind `code` and count the hit, or raise `UnknownCode`."""
        link = self._live(code)
        if link is None:
            raise UnknownCode("no such code")
        link.hits += 1
        return link.url

    def hits(self, code: str) -> int:
        """Return how often `code` was resolved, or raise `UnknownCode`."""
        link = self._live(code)
        if link is None:
            raise UnknownCode("no such code")
        return link.hits

    def remove(self, code: str) -> bool:
        """Forget `code`; say whether it was known."""
        known = self._live(code) is not None
        self._links.pop(code, None)
        return known
