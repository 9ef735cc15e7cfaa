"""Convert a safe subset of Markdown to HTML: every text is escaped, raw HTML is shown as text, links have safe schemes only."""

import html
import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

MAX_CHARACTERS = 200_000
MAX_NESTING = 10
SAFE_SCHEMES = frozenset({"http", "https", "mailto"})

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})")
_FENCE = re.compile(r" {0,3}(```+|~~~+)[ \t]*([\w+#.-]*)[ \t]*")
_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r"( {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]+)(?=\S)")
# The bounded repetitions keep the time linear for hostile texts.
_INLINE = re.compile(
    r"\\(?P<escaped>[\\`*_{}\[\]()#+.!<>~|-])"
    r"|(?P<ticks>`{1,4})(?!`)(?P<code>.{1,1000}?)(?<!`)(?P=ticks)(?!`)"
    r"|(?P<image>!?)\[(?P<label>[^\[\]]{0,1000})\]\((?P<target>[^()\s]{0,2000})\)"
    r"|<(?P<auto>https?://[^\s<>]{1,2000})>"
    r"|(?P<strong>\*\*|__)(?=\S)(?P<bold>.{1,1000}?)(?<=\S)(?P=strong)"
    r"|(?P<star>\*)(?=[^\s*])(?P<starred>.{1,1000}?)(?<=[^\s*])\*"
    r"|(?<!\w)_(?=[^\s_])(?P<lined>.{1,1000}?)(?<=[^\s_])_(?!\w)"
    r"|(?P<line_break> {2,}\n)",
    re.DOTALL,
)


def markdown_to_html(text: str) -> str:
    """Return the HTML of a Markdown text: headings, paragraphs, lists, quotes, code, rules, emphasis, links and images."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"the text must have at most {MAX_CHARACTERS} characters")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).split("\n")
    return "".join(f"{block}\n" for block in _blocks(lines, 0))


def _blocks(lines: Sequence[str], depth: int) -> Iterator[str]:
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        at, block = _leaf(lines, at) or _container(lines, at, depth) or _paragraph(lines, at)
        yield block


def _leaf(lines: Sequence[str], at: int) -> tuple[int, str] | None:
    """Return the line behind a block without inner blocks, and its HTML; None if no such block starts here."""
    if fence := _FENCE.fullmatch(lines[at]):
        return _code_block(lines, at, fence)
    if heading := _HEADING.fullmatch(lines[at]):
        level = len(heading[1])
        return at + 1, f"<h{level}>{_inline(heading[2])}</h{level}>"
    return (at + 1, "<hr>") if _RULE.fullmatch(lines[at]) else None


def _container(lines: Sequence[str], at: int, depth: int) -> tuple[int, str] | None:
    """Return the line behind a quote or a list, and its HTML; None if neither starts here."""
    if depth >= MAX_NESTING:
        return None
    if _QUOTE.match(lines[at]):
        return _quote(lines, at, depth)
    return _list(lines, at, depth) if _ITEM.match(lines[at]) else None


def _starts_block(line: str) -> bool:
    return any(pattern.match(line) for pattern in (_QUOTE, _ITEM)) or any(
        pattern.fullmatch(line) for pattern in (_FENCE, _HEADING, _RULE)
    )


def _code_block(lines: Sequence[str], at: int, fence: re.Match[str]) -> tuple[int, str]:
    """Return the line behind a fenced block and its HTML; a fence that is never closed reaches to the end."""
    end = at + 1
    while end < len(lines) and not (lines[end].strip().startswith(fence[1]) and not lines[end].strip(fence[1][0] + " ")):
        end += 1
    language = f' class="language-{html.escape(fence[2])}"' if fence[2] else ""
    content = "".join(f"{line}\n" for line in lines[at + 1 : end])
    return end + 1, f"<pre><code{language}>{html.escape(content, quote=False)}</code></pre>"


def _quote(lines: Sequence[str], at: int, depth: int) -> tuple[int, str]:
    inner = []
    while at < len(lines) and (match := _QUOTE.match(lines[at])):
        inner.append(lines[at][match.end() :])
        at += 1
    return at, "<blockquote>\n" + "".join(f"{block}\n" for block in _blocks(inner, depth + 1)) + "</blockquote>"


def _list(lines: Sequence[str], at: int, depth: int) -> tuple[int, str]:
    """Collect the items of one list; the lines of an item are indented as far as its text."""
    is_ordered = lines[at].lstrip()[0].isdigit()
    items = []
    while at < len(lines) and (match := _ITEM.match(lines[at])) and match[1].strip()[0].isdigit() == is_ordered:
        at, item = _item_lines(lines, at, match.end())
        items.append(item)
        if at + 1 < len(lines) and not lines[at].strip() and _ITEM.match(lines[at + 1]):
            at += 1
    tag = "ol" if is_ordered else "ul"
    return at, f"<{tag}>\n" + "".join(f"<li>{_item(item, depth)}</li>\n" for item in items) + f"</{tag}>"


def _item_lines(lines: Sequence[str], at: int, indent: int) -> tuple[int, list[str]]:
    """Return the line behind an item, and the item's lines without their indentation."""
    item = [lines[at][indent:]]
    at += 1
    while at < len(lines) and (lines[at].startswith(" " * indent) or _is_blank_inside(lines, at, indent)):
        item.append(lines[at][indent:])
        at += 1
    return at, item


def _is_blank_inside(lines: Sequence[str], at: int, indent: int) -> bool:
    """Return whether a blank line is followed by a line that still belongs to the item."""
    return not lines[at].strip() and at + 1 < len(lines) and lines[at + 1].startswith(" " * indent)


def _item(lines: Sequence[str], depth: int) -> str:
    """Return the content of an item; a single paragraph has no tags of its own."""
    end = next((at for at, line in enumerate(lines) if at and (not line.strip() or _starts_block(line))), len(lines))
    if _starts_block(lines[0]):
        return "".join(f"\n{block}" for block in _blocks(lines, depth + 1)) + "\n"
    rest = "".join(f"\n{block}" for block in _blocks(lines[end:], depth + 1))
    return _inline("\n".join(lines[:end])) + (f"{rest}\n" if rest else "")


def _paragraph(lines: Sequence[str], at: int) -> tuple[int, str]:
    end = at + 1
    while end < len(lines) and lines[end].strip() and not _starts_block(lines[end]):
        end += 1
    return end, f"<p>{_inline(_joined(lines[at:end]))}</p>"


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(line.lstrip() for line in lines).rstrip()


def _inline(text: str) -> str:
    """Return the HTML of a text inside a block; whatever is not Markdown is escaped."""
    parts = []
    start = 0
    for match in _INLINE.finditer(text):
        parts += [html.escape(text[start : match.start()], quote=False), _span(match)]
        start = match.end()
    return "".join([*parts, html.escape(text[start:], quote=False)])


def _span(match: re.Match[str]) -> str:
    if match["escaped"]:
        return html.escape(match["escaped"], quote=False)
    if match["code"]:
        return f"<code>{html.escape(match['code'].strip(), quote=False)}</code>"
    if match["auto"]:
        return _link(match["auto"], html.escape(match["auto"], quote=False))
    if match["line_break"]:
        return "<br>\n"
    return _emphasis(match) or _reference(match)


def _emphasis(match: re.Match[str]) -> str | None:
    if match["bold"]:
        return f"<strong>{_inline(match['bold'])}</strong>"
    text = match["starred"] or match["lined"]
    return f"<em>{_inline(text)}</em>" if text else None


def _reference(match: re.Match[str]) -> str:
    if not match["image"]:
        return _link(match["target"], _inline(match["label"]))
    label = html.escape(match["label"])
    return f'<img src="{html.escape(match["target"])}" alt="{label}">' if is_safe_url(match["target"]) else label


def _link(target: str, content: str) -> str:
    """Return a link, or its text alone if the target is not safe."""
    if not is_safe_url(target):
        return content
    return f'<a href="{html.escape(target)}" rel="nofollow noopener">{content}</a>'


def is_safe_url(url: str) -> bool:
    """Return whether a target is relative or has a safe scheme; browsers ignore control characters in schemes."""
    if any(ord(character) <= 32 or ord(character) == 127 for character in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme:
        return parts.scheme.lower() in SAFE_SCHEMES
    # Without a scheme a colon may come only behind a slash, a question mark or a number sign.
    return ":" not in re.split(r"[/?#]", url)[0] and not url.startswith(("//", "\\", "/\\"))
