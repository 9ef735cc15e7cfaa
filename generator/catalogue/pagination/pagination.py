"""Pages of a result: numbered pages by offset, and pages by cursor that stay stable while rows come and go."""

import base64
import binascii
import bisect
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
SortKey = tuple[str | int | float, ...]
# Returns at most `limit` items whose sort keys come after the given one (None: from the start), in order.
Fetch = Callable[[SortKey | None, int], Sequence[Item]]

PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
MAX_CURSOR_CHARS = 2048
MIN_KEY_BYTES = 32


class InvalidCursor(ValueError):
    """The cursor was not made by this paginator, or was changed."""


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One numbered page; numbers start at 1."""

    items: Sequence[Item]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        """The number of pages; an empty result has one, which is empty."""
        return max(1, -(-self.total // self.size))

    @property
    def next_number(self) -> int | None:
        """The number of the next page, if there is one."""
        return self.number + 1 if self.number < self.pages else None

    @property
    def previous_number(self) -> int | None:
        """The number of the page before, if there is one."""
        return self.number - 1 if self.number > 1 else None


@dataclass(frozen=True)
class CursorPage(Generic[Item]):
    """One page and the cursor of the next; None after the last."""

    items: Sequence[Item]
    next_cursor: str | None


def _check_size(size: int | None) -> int:
    # The default never exceeds the limit, whichever of the two constants was changed.
    wanted = min(PAGE_SIZE, MAX_PAGE_SIZE) if size is None else size
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= MAX_PAGE_SIZE:
        raise ValueError(f"the page size must be a whole number from 1 to {MAX_PAGE_SIZE}")
    return wanted


def offset_of(number: int, size: int | None = None) -> tuple[int, int]:
    """Return offset and limit of a page, for a query such as `LIMIT ? OFFSET ?`."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError("the page number must be a whole number of at least 1")
    limit = _check_size(size)
    return (number - 1) * limit, limit


def paginate(items: Sequence[Item], number: int = 1, size: int | None = None) -> Page[Item]:
    """Return a numbered page of a sequence. A page behind the last is empty, not an error."""
    offset, limit = offset_of(number, size)
    return Page(items[offset : offset + limit], number, limit, len(items))


class CursorPaginator(Generic[Item]):
    """Pages that begin after the last item seen, whatever was inserted or removed before it.

    `key_of` must be unique for each item: end it with an id, such as `(created_at, id)`. `signing_key` protects the
    cursors: without it, a client could make `fetch` compare with values of its own choice.
    """

    def __init__(self, fetch: Fetch[Item], key_of: Callable[[Item], SortKey], signing_key: bytes) -> None:
        if not isinstance(signing_key, bytes) or len(signing_key) < MIN_KEY_BYTES:
            raise ValueError(f"the signing key must be at least {MIN_KEY_BYTES} random bytes")
        self._fetch = fetch
        self._key_of = key_of
        self._signing_key = signing_key

    def page(self, cursor: str | None = None, size: int | None = None) -> CursorPage[Item]:
        """Return the page that a cursor leads to, or the first one."""
        limit = _check_size(size)
        after = None if cursor is None else self._decode(cursor)
        # One item more than asked for tells whether another page follows, without a count.
        found = self._fetch(after, limit + 1)
        items = found[:limit]
        has_more = len(found) > limit
        return CursorPage(items, self._encode(self._key_of(items[-1])) if has_more else None)

    def _tag(self, payload: bytes) -> bytes:
        return hmac.new(self._signing_key, b"cursor:" + payload, hashlib.sha256).digest()

    def _encode(self, key: SortKey) -> str:
        payload = json.dumps(key, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._tag(payload) + payload).rstrip(b"=").decode("ascii")

    def _decode(self, cursor: str) -> SortKey:
        if not isinstance(cursor, str) or len(cursor) > MAX_CURSOR_CHARS:
            raise InvalidCursor("the cursor is malformed")
        try:
            data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidCursor("the cursor is malformed") from error
        tag, payload = data[:32], data[32:]
        if not hmac.compare_digest(self._tag(payload), tag):
            raise InvalidCursor("the cursor was not made here")
        return tuple(json.loads(payload))


def fetch_from(items: Sequence[Item], key_of: Callable[[Item], SortKey]) -> Fetch[Item]:
    """Return a `fetch` over a sequence that is sorted by `key_of`."""

    def fetch(after: SortKey | None, limit: int) -> Sequence[Item]:
        start = 0 if after is None else bisect.bisect_right(items, after, key=key_of)
        return items[start : start + limit]

    return fetch
