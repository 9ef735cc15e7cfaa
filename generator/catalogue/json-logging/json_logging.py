"""Structured logging: a formatter that writes each record as one line of JSON, with context and redaction."""

import contextlib
import json
import logging
import sys
from collections.abc import Collection, Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, TextIO

MAX_TEXT_LENGTH = 8192
MAX_NESTING = 8
REDACTED = "[redacted]"
SENSITIVE_NAMES = frozenset({"password", "passwd", "secret", "token", "authorization", "api_key", "cookie"})

# Attributes of every record; all others came by `extra`.
_STANDARD_NAMES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_CONTEXT: ContextVar[Mapping[str, Any]] = ContextVar("json_logging_context", default=MappingProxyType({}))


@contextlib.contextmanager
def log_context(**values: Any) -> Iterator[None]:
    """Add `values` to every record that is logged inside the block, in this thread or task."""
    mark = _CONTEXT.set(MappingProxyType({**_CONTEXT.get(), **values}))
    try:
        yield
    finally:
        _CONTEXT.reset(mark)


class JsonFormatter(logging.Formatter):
    """Format a record as a JSON object on one line.

    The keys are `time` (UTC), `level`, `logger`, `message`, then `context` values, `extra` values, and `exception` or
    `stack` if there is one.
    """

    def __init__(
        self, *, static: Mapping[str, Any] | None = None, sensitive_names: Collection[str] = SENSITIVE_NAMES
    ) -> None:
        super().__init__()
        self._static = dict(static or {})
        self._sensitive = frozenset(name.lower() for name in sensitive_names)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Never raises because of a value: what is not JSON is written as text."""
        entry: dict[str, Any] = {
            "time": _timestamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD_NAMES}
        for name, value in {**self._static, **_CONTEXT.get(), **extra}.items():
            # A value must not replace a key of our own.
            entry[f"{name}_" if name in entry else name] = self._clean(name, value)
        if record.exc_info and record.exc_info[0] is not None:
            entry["exception"] = {
                "type": record.exc_info[0].__name__,
                "message": _shortened(str(record.exc_info[1])),
                "traceback": self.formatException(record.exc_info),
            }
        if record.stack_info:
            entry["stack"] = record.stack_info
        return json.dumps(entry, ensure_ascii=False, default=_as_text, allow_nan=False)

    def _clean(self, name: object, value: Any, depth: int = 0) -> Any:
        """Return a copy of a value that is JSON, with the values of sensitive names redacted."""
        if str(name).lower() in self._sensitive:
            return REDACTED
        # Cyclic values end as text.
        if depth < MAX_NESTING and isinstance(value, Mapping):
            return {str(key): self._clean(key, each, depth + 1) for key, each in value.items()}
        if depth < MAX_NESTING and isinstance(value, (list, tuple, set, frozenset)):
            return [self._clean("", each, depth + 1) for each in value]
        return _plain(value)


def _plain(value: Any) -> str | int | float | bool | None:
    # NaN and infinity are not JSON.
    is_json = value is None or isinstance(value, (bool, int)) or isinstance(value, float) and value - value == 0
    return value if is_json else _shortened(_as_text(value))


def _timestamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return _shortened(record.getMessage())
    except (TypeError, ValueError) as error:
        # A wrong placeholder must not lose the record.
        return _shortened(f"{record.msg} {record.args!r} [{error}]")


def _shortened(text: str) -> str:
    surplus = len(text) - MAX_TEXT_LENGTH
    return text if surplus <= 0 else f"{text[:MAX_TEXT_LENGTH]}... [{surplus} more characters]"


def _as_text(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:
        return f"<{type(value).__name__}: {type(error).__name__} in str>"


def configure_logging(
    level: int | str = logging.INFO,
    *,
    stream: TextIO | None = None,
    static: Mapping[str, Any] | None = None,
    logger: logging.Logger | None = None,
) -> logging.Handler:
    """Write the records of `logger` (by default the root) as JSON lines to `stream` (by default stderr).

    Handlers from an earlier call are replaced; others stay.
    """
    target = logging.getLogger() if logger is None else logger
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter(static=static))
    for earlier in [each for each in target.handlers if isinstance(each.formatter, JsonFormatter)]:
        target.removeHandler(earlier)
    target.addHandler(handler)
    target.setLevel(level)
    return handler
