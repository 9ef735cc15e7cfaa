"""Write pytest tests for an existing Python file: pure functions are characterized, the others listed with the reason."""

import ast
import builtins
import copy
import importlib.util
from ast import literal_eval as parse_literal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

MAX_CASES = 8
MAX_LITERAL_CHARACTERS = 500

# Builtins and modules whose functions depend on their arguments alone.
PURE_BUILTINS = frozenset(
    "abs all any ascii bin bool bytes chr complex dict divmod enumerate filter float format frozenset hex int isinstance "
    "iter len list map max min next oct ord pow range repr reversed round set slice sorted str sum tuple zip".split()
)
PURE_MODULES = frozenset(
    "math re string itertools functools collections statistics textwrap unicodedata decimal fractions operator".split()
)

SAMPLES: Mapping[str, list[Any]] = {
    "int": [0, 1, 2, -1, 7, 10, 100],
    "float": [0.0, 1.5, -2.25, 10.0],
    "str": ["", "a", "Hello World", "  two  words ", "12", "Zürich_x-1"],
    "bool": [True, False],
    "bytes": [b"", b"abc"],
    "list": [[], [1, 2, 3], [3, 1, 2, 1]],
    "dict": [{}, {"a": 1, "b": 2}],
    "None": [None],
}


@dataclass(frozen=True)
class Case:
    """One call and what came of it: the text of a value, or the name of an error."""

    arguments: str
    value: str | None = None
    error: str | None = None


def write_tests(path: Path | str) -> str:
    """Return a pytest file for a Python file. The file is imported and its pure functions are called: use a sandbox."""
    path = Path(path)
    module = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    loaded = _load(path)
    cases: dict[str, list[Case]] = {}
    skipped = []
    for name, node in functions.items():
        if name.startswith("_"):
            continue
        reason = impurity(name, functions, _imports(module)) or _untyped(node)
        found = [] if reason else _cases(getattr(loaded, name), node)
        if found:
            cases[name] = found
        else:
            skipped.append(f"# - {name}: {reason or 'no result is stable and can be written as a literal'}")
    return _page(path.stem, cases, skipped)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported as a module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _imports(module: ast.Module) -> dict[str, str]:
    """Return for each imported name the module that it comes from."""
    found = {}
    for node in module.body:
        if isinstance(node, ast.Import):
            found.update({alias.asname or alias.name.split(".")[0]: alias.name.split(".")[0] for alias in node.names})
        elif isinstance(node, ast.ImportFrom):
            found.update({alias.asname or alias.name: (node.module or "").split(".")[0] for alias in node.names})
    return found


def impurity(
    name: str, functions: Mapping[str, ast.FunctionDef], imports: Mapping[str, str], seen: frozenset[str] = frozenset()
) -> str | None:
    """Return why a function may depend on more than its arguments or have effects; None if it looks pure."""
    seen |= {name}
    for node in ast.walk(functions[name]):
        if isinstance(node, (ast.Global, ast.Nonlocal, ast.Yield, ast.YieldFrom, ast.Import, ast.ImportFrom)):
            return f"uses {type(node).__name__.lower()}"
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in functions and called.id not in seen:
            inner = impurity(called.id, functions, imports, seen)
            if inner:
                return f"{inner} (in {called.id})"
        elif called is not None and not _is_pure_call(called, functions, imports):
            return f"calls {ast.unparse(called)}"
    return None


def _is_pure_call(called: ast.expr, functions: Mapping[str, ast.FunctionDef], imports: Mapping[str, str]) -> bool:
    root = called
    while isinstance(root, ast.Attribute):
        root = root.value
    name = root.id if isinstance(root, ast.Name) else ""
    if name in imports:
        return imports[name] in PURE_MODULES
    # A method of a value is taken to be pure, as the samples are plain values.
    is_method = not isinstance(called, ast.Name)
    return is_method or name in functions or name in PURE_BUILTINS or name.endswith(("Error", "Exception"))


def _parameters(node: ast.FunctionDef) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args]


def _samples(annotation: ast.expr | None) -> list[Any]:
    """Return values for a type hint: `int`, `list[str]`, `int | None`; none for a hint that is not known."""
    if annotation is None:
        return []
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        left, right = _samples(annotation.left), _samples(annotation.right)
        return [*left, *right] if left and right else []
    if isinstance(annotation, ast.Subscript):
        name = ast.unparse(annotation.value)
        inner = _samples(annotation.slice)
        if name in ("list", "List", "Sequence", "Iterable") and inner:
            return [[], inner[:1], inner[:4], [*inner[1:3], *inner[:2]]]
        return SAMPLES["dict"] if ast.unparse(annotation) == "dict[str, int]" else []
    return SAMPLES.get(ast.unparse(annotation), [])


def _untyped(node: ast.FunctionDef) -> str | None:
    """Return why no arguments can be made for a function."""
    if node.args.vararg or node.args.kwarg or node.args.kwonlyargs or node.decorator_list:
        return "has decorators or keyword-only or packed parameters"
    unknown = [each.arg for each in _parameters(node) if not _samples(each.annotation)]
    return f"no sample values for the parameter {unknown[0]}" if unknown else None


def _cases(function: Callable[..., Any], node: ast.FunctionDef) -> list[Case]:
    columns = [_samples(each.annotation) for each in _parameters(node)]
    found: dict[str, Case] = {}
    for number in range(MAX_CASES if columns else 1):
        # Columns move at different speeds, so that their values meet in different pairs.
        arguments = tuple(column[(number * (place + 1) + place) % len(column)] for place, column in enumerate(columns))
        case = _case(function, arguments)
        if case is not None:
            found[case.arguments] = case
    return list(found.values())


def _case(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Case | None:
    """Call a function twice; return None if the results differ, are no literals, or the arguments were changed."""
    first, second = _outcome(function, arguments), _outcome(function, arguments)
    if first is None or first != second:
        return None
    is_written = first.value is not None or first.error is not None and hasattr(builtins, first.error)
    return first if is_written else None


def _outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Case | None:
    """Call a function with a copy of the arguments; return None if it changes them."""
    text = repr(arguments)
    given = copy.deepcopy(arguments)
    try:
        case = Case(text, value=_literal(function(*given)))
    except Exception as error:
        case = Case(text, error=type(error).__name__)
    return case if repr(given) == text else None


def _literal(value: Any) -> str | None:
    text = repr(value)
    try:
        is_same = len(text) <= MAX_LITERAL_CHARACTERS and parse_literal(text) == value
    except (ValueError, SyntaxError):
        return None
    return text if is_same else None


def _tests(name: str, cases: list[Case]) -> Iterator[str]:
    for kind in ("value", "error"):
        rows = [(case.arguments, getattr(case, kind)) for case in cases if getattr(case, kind) is not None]
        if not rows:
            continue
        lines = "".join(f"        ({arguments}, {expected}),\n" for arguments, expected in rows)
        decorator = f'@pytest.mark.parametrize(\n    ("arguments", "expected"),\n    [\n{lines}    ],\n)\n'
        if kind == "value":
            body = f"    assert {name}(*arguments) == expected\n"
        else:
            body = f"    with pytest.raises(expected):\n        {name}(*arguments)\n"
        verb = "returns" if kind == "value" else "raises"
        yield f"{decorator}def test_{name}_{verb}(arguments, expected):\n{body}"


def _page(module_name: str, cases: Mapping[str, list[Case]], skipped: list[str]) -> str:
    parts = [f'"""Characterization tests of {module_name}: they record what its functions do now."""\n']
    if skipped:
        parts[0] += "\n# Still to be tested by hand:\n" + "\n".join(skipped) + "\n"
    if not cases:
        return parts[0]
    parts[0] += f"\nimport pytest\n\nfrom {module_name} import {', '.join(sorted(cases))}\n"
    parts += [test for name, found in cases.items() for test in _tests(name, found)]
    return "\n\n".join(parts)
