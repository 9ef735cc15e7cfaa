"""A small template engine: values are escaped, nothing is evaluated, and templates reach only the data they are given."""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_OUTPUT_CHARACTERS = 1_000_000
MAX_NESTING = 50

_TAG = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}|\{#.*?#\}", re.DOTALL)
_VALUE = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*)((?:\s*\|\s*\w+)*)")
_FOR = re.compile(r"for\s+([A-Za-z_]\w*)\s+in\s+([A-Za-z_]\w*(?:\.\w+)*)")
_IF = re.compile(r"if\s+(not\s+)?([A-Za-z_]\w*(?:\.\w+)*)")

Filter = Callable[[Any], Any]

FILTERS: Mapping[str, Filter] = {
    "upper": lambda value: str(value).upper(),
    "lower": lambda value: str(value).lower(),
    "title": lambda value: str(value).title(),
    "trim": lambda value: str(value).strip(),
    "length": len,
}


class TemplateError(ValueError):
    """The template is malformed, or its data lacks something; the message says on which line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


class SafeText(str):
    """Text that is HTML already and is not escaped again. Make it only of text that you trust."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


@dataclass(frozen=True)
class _Node:
    """Plain text, a value, or a block with its body; `argument` is the text, the path or the name of the loop."""

    kind: str
    line: int
    argument: str
    path: str = ""
    filters: tuple[Filter, ...] = ()
    body: "tuple[_Node, ...]" = ()
    otherwise: "tuple[_Node, ...]" = ()


def _tokens(source: str) -> Iterator[_Token]:
    start = 0
    for match in _TAG.finditer(source):
        line = source.count("\n", 0, match.start()) + 1
        if match.start() > start:
            yield _Token("text", source[start : match.start()], line)
        if match[1] is not None:
            yield _Token("value", match[1].strip(), line)
        elif match[2] is not None:
            yield _Token("tag", match[2].strip(), line)
        start = match.end()
    if start < len(source):
        yield _Token("text", source[start:], source.count("\n", 0, start) + 1)


def _tag(token: _Token) -> tuple[str, str, str]:
    """Return the kind of a block, its argument and its path."""
    if loop := _FOR.fullmatch(token.text):
        return "for", loop[1], loop[2]
    if condition := _IF.fullmatch(token.text):
        return "if", "not" if condition[1] else "", condition[2]
    raise TemplateError(token.line, f"unknown tag {{% {token.text} %}}; known are if, for, else, end")


class Template:
    """A parsed template.

    `{{ user.name | upper }}` inserts a value, `{% if user %}`, `{% if not user %}` and `{% for item in items %}` have an
    optional `{% else %}` and end with `{% end %}`; `{# a comment #}` is dropped.
    """

    def __init__(self, source: str, *, filters: Mapping[str, Filter] | None = None, escape: bool = True) -> None:
        self._filters = {**FILTERS, **(filters or {})}
        self._escape = escape
        self._nodes, end = self._parse(_tokens(source), 0)
        if end is not None:
            raise TemplateError(end.line, f"{{% {end.text} %}} ends no block")

    def _parse(self, tokens: Iterator[_Token], depth: int) -> tuple[tuple[_Node, ...], _Token | None]:
        """Parse up to an `else` or `end`, which is returned, or up to the end of the template."""
        nodes = []
        for token in tokens:
            if token.kind == "text":
                nodes.append(_Node("text", token.line, token.text))
            elif token.kind == "value":
                nodes.append(self._value(token))
            elif token.text in ("else", "end"):
                return tuple(nodes), token
            else:
                nodes.append(self._block(token, tokens, depth + 1))
        return tuple(nodes), None

    def _value(self, token: _Token) -> _Node:
        match = _VALUE.fullmatch(token.text)
        if match is None:
            raise TemplateError(token.line, f"not a value such as user.name | upper: {token.text!r}")
        names = [name.strip() for name in match[2].split("|")[1:]]
        unknown = [name for name in names if name not in self._filters]
        if unknown:
            raise TemplateError(token.line, f"unknown filter {unknown[0]!r}; known are {', '.join(self._filters)}")
        return _Node("value", token.line, "", match[1], tuple(self._filters[name] for name in names))

    def _block(self, token: _Token, tokens: Iterator[_Token], depth: int) -> _Node:
        if depth > MAX_NESTING:
            raise TemplateError(token.line, f"blocks are nested more than {MAX_NESTING} deep")
        kind, argument, path = _tag(token)
        body, end = self._parse(tokens, depth)
        otherwise: tuple[_Node, ...] = ()
        if end is not None and end.text == "else":
            otherwise, end = self._parse(tokens, depth)
        if end is None or end.text != "end":
            raise TemplateError(token.line, f"{{% {token.text} %}} is not closed by {{% end %}}")
        return _Node(kind, token.line, argument, path, body=body, otherwise=otherwise)

    def render(self, data: Mapping[str, Any]) -> str:
        """Return the text for `data`; raises `TemplateError` if the template uses what the data lacks."""
        output: list[str] = []
        length = 0
        for line, piece in self._pieces(self._nodes, data):
            length += len(piece)
            if length > MAX_OUTPUT_CHARACTERS:
                raise TemplateError(line, f"the output is longer than {MAX_OUTPUT_CHARACTERS} characters")
            output.append(piece)
        return "".join(output)

    def _pieces(self, nodes: Iterable[_Node], data: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        for node in nodes:
            if node.kind == "text":
                yield node.line, node.argument
            elif node.kind == "value":
                yield node.line, self._text(node, data)
            elif node.kind == "if":
                holds = bool(_lookup(node, data, is_optional=True)) != (node.argument == "not")
                yield from self._pieces(node.body if holds else node.otherwise, data)
            else:
                yield from self._loop(node, data)

    def _loop(self, node: _Node, data: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        items = _items(node, data)
        for item in items:
            yield from self._pieces(node.body, {**data, node.argument: item})
        if not items:
            yield from self._pieces(node.otherwise, data)

    def _text(self, node: _Node, data: Mapping[str, Any]) -> str:
        value = _lookup(node, data)
        for function in node.filters:
            try:
                value = function(value)
            except (TypeError, ValueError) as error:
                raise TemplateError(node.line, f"a filter refused {node.path}: {error}") from error
        if isinstance(value, SafeText) or not self._escape:
            return str(value)
        return "" if value is None else html.escape(str(value))


def _lookup(node: _Node, data: Mapping[str, Any], *, is_optional: bool = False) -> Any:
    """Follow a path through keys and indices only: attributes would open a way to everything in the program."""
    value: Any = data
    for part in node.path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, Sequence) and not isinstance(value, str) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif is_optional:
            return None
        else:
            raise TemplateError(node.line, f"{node.path} is not in the data: {part!r} was not found")
    return value


def _items(node: _Node, data: Mapping[str, Any]) -> list[Any]:
    value = _lookup(node, data)
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TemplateError(node.line, f"{node.path} is not a list")
    return list(value)


def render(source: str, data: Mapping[str, Any]) -> str:
    """Parse and render a template once."""
    return Template(source).render(data)
