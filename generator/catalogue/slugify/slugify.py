"""URL slugs from titles, plain text from Markdown."""

import re
import unicodedata
from collections.abc import Container

# Letters that Unicode does not decompose into a base letter and an accent.
_SPELLED = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "ae", "ø": "o", "Ø": "o", "œ": "oe", "Œ": "oe", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d"})
_APOSTROPHES = re.compile(r"['\u2019]")
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def slugify(text: str, *, max_length: int = 80, separator: str = "-") -> str:
    """Return `text` in lower-case ASCII letters and digits, words joined by `separator`; may be empty.

    A slug that is too long is cut between words where it has more than one.
    """
    if max_length < 1:
        raise ValueError("max_length must be at least 1")
    decomposed = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text).translate(_SPELLED))
    ascii_text = "".join(character for character in decomposed if not unicodedata.combining(character)).lower()
    words = [word for word in _SEPARATORS.split(ascii_text) if word]
    slug = ""
    for word in words:
        longer = f"{slug}{separator}{word}" if slug else word
        if len(longer) > max_length:
            break
        slug = longer
    return slug or "".join(words[:1])[:max_length]


def unique_slug(text: str, taken: Container[str], *, max_length: int = 80, fallback: str = "item") -> str:
    """Return a slug of `text` that is not in `taken`, with a number at its end where needed."""
    base = slugify(text, max_length=max_length) or fallback
    candidate, number = base, 2
    while candidate in taken:
        suffix = f"-{number}"
        candidate = base[: max_length - len(suffix)].rstrip("-") + suffix
        number += 1
    return candidate


_BLOCK_RULES = [
    (re.compile(r"^[ ]{0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$"), r"\1"),
    (re.compile(r"^[ ]{0,3}(?:>[ ]?)+"), ""),
    (re.compile(r"^([ ]*)[-*+][ \t]+(?:\[[ xX]\][ \t]+)?"), r"\1- "),
]
_INLINE_RULES = [
    (re.compile(r"!\[([^\[\]]*)\]\([^()\s]*(?: \"[^\"]*\")?\)"), r"\1"),
    (re.compile(r"\[([^\[\]]*)\]\([^()\s]*(?: \"[^\"]*\")?\)"), r"\1"),
    (re.compile(r"<(https?://[^<>\s]+)>"), r"\1"),
    (re.compile(r"(?<!\\)\*\*(?=\S)([^*\n]+)(?<=\S)\*\*"), r"\1"),
    (re.compile(r"(?<!\\)\*(?=\S)([^*\n]+)(?<=\S)\*"), r"\1"),
    (re.compile(r"(?<!\w)__([^_\n]+)__(?!\w)"), r"\1"),
    (re.compile(r"(?<!\w)_([^_\n]+)_(?!\w)"), r"\1"),
    (re.compile(r"~~([^~\n]+)~~"), r"\1"),
    (re.compile(r"\\([\\`*_{}\[\]()#+.!~>-])"), r"\1"),
]
_RULE_LINE = re.compile(r"^[ ]{0,3}(?:(?:-[ ]*){3,}|(?:\*[ ]*){3,}|(?:_[ ]*){3,})$")
_FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})")


def _plain_inline(text: str) -> str:
    # Odd pieces are code spans: they are taken as they are.
    pieces = text.split("`") if text.count("`") % 2 == 0 else [text]
    for index in range(0, len(pieces), 2):
        for pattern, replacement in _INLINE_RULES:
            pieces[index] = pattern.sub(replacement, pieces[index])
    return "".join(pieces)


def markdown_to_text(markdown: str) -> str:
    """Return Markdown as plain text: marks removed, link texts, list items and code kept."""
    lines: list[str] = []
    fence: str | None = None
    for line in markdown.splitlines():
        mark = _FENCE.match(line)
        if fence is None and mark:
            fence = mark.group(1)
        elif fence is not None:
            if mark and mark.group(1).startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
            else:
                lines.append(line)
        elif _RULE_LINE.match(line):
            lines.append("")
        else:
            for pattern, replacement in _BLOCK_RULES:
                line = pattern.sub(replacement, line)
            lines.append(_plain_inline(line).rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
