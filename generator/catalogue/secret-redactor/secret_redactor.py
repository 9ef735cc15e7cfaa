"""Redact secrets from text, structured data and log records before they are written."""

import logging
import re
from collections.abc import Collection, Mapping
from typing import Any

PLACEHOLDER = "[REDACTED]"
MAX_DEPTH = 20

# A key that contains one of these words, whatever is between its parts: apiKey, API_KEY, x-api-key.
SENSITIVE_WORDS = frozenset(
    "password passwd passphrase secret token apikey accesskey privatekey authorization cookie credential signature "
    "sessionid pincode cvv cardnumber ssn".split()
)
# These contain a sensitive word and no secret.
HARMLESS_KEYS = frozenset({"tokentype", "tokencount", "maxtokens", "passwordresetrequired", "signaturealgorithm"})

# Each pattern keeps the group `keep`, if it has one, and replaces the rest. No repeated group is repeated again.
PATTERNS: Mapping[str, str] = {
    "private key": (
        r"-----BEGIN (?P<kind>[A-Z ]{0,30})PRIVATE KEY-----[A-Za-z0-9+/=\s:,-]{1,20000}?"
        r"-----END (?P=kind)PRIVATE KEY-----"
    ),
    "json web token": r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    "authorization": r"(?i)(?P<keep>\b(?:bearer|basic|token)[ \t]+)[A-Za-z0-9+/=._~-]{8,}",
    "url credentials": r"(?P<keep>\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)",
    "aws access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "github token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b",
    "slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}",
    "stripe key": r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}\b",
    "google api key": r"\bAIza[A-Za-z0-9_-]{35}",
    "assignment": (
        r"(?i)(?P<keep>[\"']?[\w-]{0,40}"
        r"(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)"
        r"[\w-]{0,20}[\"']?[ \t]{0,5}[=:][ \t]{0,5})(?:\"[^\"\n]{1,500}\"|'[^'\n]{1,500}'|[^\s\"',;&}\])]{1,500})"
    ),
}
CARD_CANDIDATE = re.compile(r"(?<![\d.-])(?:\d[ -]?){12,18}\d(?![\d.-])")


def _luhn_holds(digits: str) -> bool:
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    plain = [int(digit) for digit in digits[-1::-2]]
    return (sum(plain) + sum(value - 9 if value > 9 else value for value in doubled)) % 10 == 0


def _folded(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


class Redactor:
    """Replaces secrets by a placeholder: values of a known form, values of sensitive keys, and known values."""

    def __init__(
        self,
        *,
        known_secrets: Collection[str] = (),
        extra_patterns: Mapping[str, str] | None = None,
        sensitive_keys: Collection[str] = (),
        placeholder: str = PLACEHOLDER,
    ) -> None:
        if any(len(secret) < 6 for secret in known_secrets):
            raise ValueError("a known secret has at least 6 characters; a shorter one would be found everywhere")
        patterns = {**PATTERNS, **(extra_patterns or {})}
        self._patterns = [re.compile(pattern) for pattern in patterns.values()]
        self._words = SENSITIVE_WORDS | {_folded(key) for key in sensitive_keys}
        self._placeholder = placeholder
        # The longest first: a secret may be the beginning of another.
        self._known = sorted(known_secrets, key=len, reverse=True)

    def text(self, value: str) -> str:
        """Return the text without secrets. Redacting twice changes nothing more."""
        for secret in self._known:
            value = value.replace(secret, self._placeholder)
        for pattern in self._patterns:
            value = pattern.sub(self._replacement, value)
        return CARD_CANDIDATE.sub(self._card, value)

    def _replacement(self, match: re.Match[str]) -> str:
        kept = match.groupdict().get("keep") or ""
        is_redacted = match.string.startswith(self._placeholder, match.start() + len(kept))
        return match.group() if is_redacted else kept + self._placeholder

    def _card(self, match: re.Match[str]) -> str:
        digits = re.sub(r"[ -]", "", match.group())
        return self._placeholder if _luhn_holds(digits) else match.group()

    def is_sensitive_key(self, key: object) -> bool:
        """Return whether the values of a key are secret by its name."""
        folded = _folded(key) if isinstance(key, str) else ""
        return folded not in HARMLESS_KEYS and any(word in folded for word in self._words)

    def data(self, value: Any) -> Any:
        """Return a copy of nested mappings, lists and tuples without secrets; other objects stay as they are."""
        return self._data(value, MAX_DEPTH)

    def _data(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if not isinstance(value, (Mapping, list, tuple)):
            return value
        if depth == 0:
            # Too deep to look at, so nobody knows what is in it.
            return self._placeholder
        if isinstance(value, Mapping):
            return {
                key: self._placeholder if self.is_sensitive_key(key) else self._data(item, depth - 1)
                for key, item in value.items()
            }
        items = [self._data(item, depth - 1) for item in value]
        return items if isinstance(value, list) else tuple(items)


class RedactingFilter(logging.Filter):
    """A filter for handlers that redacts message, arguments, extra fields and traceback of every record."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor
        self._formatter = logging.Formatter()
        self._standard = frozenset(vars(logging.makeLogRecord({})))

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place and let it pass."""
        # The message is put together first: a secret may be in the text, in an argument, or in both.
        record.msg = self._redactor.text(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._redactor.text(record.exc_text)
        extra = {name: value for name, value in vars(record).items() if name not in self._standard}
        vars(record).update(self._redactor.data(extra))
        return True
