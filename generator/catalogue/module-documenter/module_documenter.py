"""Write Markdown documentation for a Python module from its source, without importing it."""

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

MAX_VALUE_CHARACTERS = 60
MAX_SOURCE_CHARACTERS = 2_000_000

Function = ast.FunctionDef | ast.AsyncFunctionDef


class DocumentationError(ValueError):
    """The source cannot be documented; the message says why."""


def document_file(path: Path | str) -> str:
    """Return the documentation of a Python file."""
    path = Path(path)
    return document_source(path.read_text(encoding="utf-8"), path.stem)


def document_source(source: str, module_name: str) -> str:
    """Return Markdown with the module's purpose, public constants, functions and classes, in the order of the source."""
    module = _parse(source, module_name)
    names = _public_names(module)
    parts = [f"# {_escaped(module_name)}", _doc(module) or "*The module has no description.*"]
    constants = [line for node in module.body for line in _constants(node, names)]
    if constants:
        parts += ["## Constants", "| name | value |\n|---|---|\n" + "\n".join(constants)]
    functions = [node for node in module.body if isinstance(node, Function) and node.name in names]
    if functions:
        parts.append("## Functions")
        parts += [_function(node, level=3) for node in functions]
    classes = [node for node in module.body if isinstance(node, ast.ClassDef) and node.name in names]
    if classes:
        parts.append("## Classes")
        parts += [_class(node) for node in classes]
    return "\n\n".join(parts) + "\n"


def undocumented(source: str, module_name: str = "module") -> list[str]:
    """Return the public names without a docstring, and the module itself if it has none."""
    module = _parse(source, module_name)
    names = _public_names(module)
    missing = [] if ast.get_docstring(module) else [module_name]
    for node in module.body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or node.name not in names:
            continue
        if not ast.get_docstring(node):
            missing.append(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [each for each in _methods(node) if each.name != "__init__" and not ast.get_docstring(each)]
            missing += [f"{node.name}.{method.name}" for method in methods]
    return missing


def _parse(source: str, module_name: str) -> ast.Module:
    if len(source) > MAX_SOURCE_CHARACTERS:
        raise DocumentationError(f"{module_name}: the source has more than {MAX_SOURCE_CHARACTERS} characters")
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise DocumentationError(f"{module_name} is not Python: {error}") from error


def _public_names(module: ast.Module) -> set[str]:
    """Return the names of `__all__` if it is a plain list, else all names without an underscore in front."""
    found: set[str] = set()
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
            continue
        for name, value in _assignments(node):
            found.add(name)
            if name == "__all__" and isinstance(value, (ast.List, ast.Tuple)):
                return {item.value for item in value.elts if isinstance(item, ast.Constant)}
    return {name for name in found if not name.startswith("_")}


def _assignments(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value


def _constants(node: ast.stmt, names: set[str]) -> Iterator[str]:
    for name, value in _assignments(node):
        if name in names and name.isupper():
            text = ast.unparse(value)
            shown = text if len(text) <= MAX_VALUE_CHARACTERS else text[:MAX_VALUE_CHARACTERS] + "..."
            yield f"| `{name}` | {_code(shown)} |"


def _doc(node: ast.Module | ast.ClassDef | Function) -> str:
    """Return a docstring as Markdown; indented examples become code blocks."""
    text = ast.get_docstring(node) or ""
    return "\n\n".join(_paragraph(each) for each in text.split("\n\n")).strip()


def _paragraph(text: str) -> str:
    if text.lstrip().startswith(">>>"):
        return f"```python\n{textwrap.dedent(text)}\n```"
    # A heading inside a docstring would break the outline.
    return "\n".join("\\" + line if line.startswith("#") else line for line in text.split("\n"))


def _function(node: Function, level: int, prefix: str = "") -> str:
    heading = f"{'#' * level} {_code(prefix + node.name)}"
    parts = [heading, f"```python\n{_signature(node)}\n```", _doc(node) or "*No description.*"]
    raised = _raised(node)
    if raised:
        parts.append("Raises: " + ", ".join(_code(name) for name in raised))
    return "\n\n".join(parts)


def _signature(node: Function) -> str:
    keyword = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{keyword} {node.name}({ast.unparse(node.args)}){returns}"


def _raised(node: Function) -> list[str]:
    """Return the names of the exceptions that the function itself raises, in order."""
    names: dict[str, None] = {}
    for each in ast.walk(node):
        if isinstance(each, ast.Raise) and each.exc is not None:
            error = each.exc.func if isinstance(each.exc, ast.Call) else each.exc
            # `raise error` hands on a variable, which names no type.
            if isinstance(error, (ast.Name, ast.Attribute)) and ast.unparse(error).split(".")[-1][0].isupper():
                names[ast.unparse(error)] = None
    return list(names)


def _methods(node: ast.ClassDef) -> list[Function]:
    methods = [each for each in node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [each for each in methods if each.name == "__init__" or not each.name.startswith("_")]


def _class(node: ast.ClassDef) -> str:
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    signature = f"class {node.name}({bases})" if bases else f"class {node.name}"
    parts = [f"### {_code(node.name)}", f"```python\n{signature}\n```", _doc(node) or "*No description.*"]
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
    shown = [each for each in fields if isinstance(each.target, ast.Name) and not each.target.id.startswith("_")]
    if shown:
        parts.append("\n".join(f"- {_code(ast.unparse(each))}" for each in shown))
    parts += [_function(method, level=4, prefix=f"{node.name}.") for method in _methods(node)]
    return "\n\n".join(parts)


def _code(text: str) -> str:
    """Return inline code for a table or a heading, whatever quotes and bars the text has."""
    marked = f"`` {text} ``" if "`" in text else f"`{text}`"
    return marked.replace("|", "\\|").replace("\n", " ")


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#" else letter for letter in text)
