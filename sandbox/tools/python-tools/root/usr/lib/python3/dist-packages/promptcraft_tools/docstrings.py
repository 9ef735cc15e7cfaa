"""Adds missing docstrings derived from the code: names, annotations, defaults and raised exceptions."""

import ast
import re

from promptcraft_tools import Refused
from promptcraft_tools.compare import compare
from promptcraft_tools.write_tests import parse

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MAX_TEXT = 60
SPECIAL = {"__init__": "Initialize the instance."}
MAX_RESULTS = 3
BARE = (
    "a docstring could only repeat the names: what has none states no types, defaults, results, errors or effects from "
    "which more could be said"
)


def docstrings(task):
    """Returns the file with docstrings for its module, public classes, functions and methods that have none."""
    before = task["source"]
    tree = parse(before)
    if not tree.body:
        raise Refused("the file has no code to document")
    absent = list(missing(tree))
    if not absent:
        raise Refused("there is nothing to add: the module and every public class and function have a docstring already")
    known = [(node, text) for node, text in absent if text]
    # The list of a module's names alone is not what was asked for.
    if not known or has_definitions(absent) and not has_definitions(known):
        raise Refused(BARE)
    after = with_docstrings(before, known)
    if stripped(ast.parse(after)) != stripped(tree):
        raise Refused("docstrings cannot be added to this file without changing what it does")
    added = after.count('"""') // 2 - before.count('"""') // 2
    bare = len(absent) - len(known)
    return {"changed": after, "added": added, "bare": bare, **compare(task["module"], before, after, task["tests"], same_output=True)}


def stripped(tree):
    """Returns a dump of a tree without docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS)) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def has_definitions(texts):
    return any(isinstance(node, (ast.ClassDef, *FUNCTIONS)) for node, _ in texts)


def with_docstrings(source, texts):
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", source)
    ending = "\r\n" if "\r\n" in source else "\n"
    # From the end, so that earlier line numbers stay valid.
    for node, text in sorted(texts, key=lambda pair: place(pair[0]), reverse=True):
        insert(lines, node, text, ending)
    return "".join(lines)


def place(node):
    """Returns the line and column of a node's docstring."""
    column = -1 if isinstance(node, ast.Module) else node.body[0].col_offset
    return first_line(node.body[0]), column


def missing(tree):
    """Yields each node without a docstring and the lines of a new one, none if they would only repeat its name."""
    if ast.get_docstring(tree) is None:
        yield tree, of_module(tree)
    for node in tree.body:
        if is_documented(node):
            continue
        if isinstance(node, FUNCTIONS):
            yield node, of_function(node, is_method=False)
        elif isinstance(node, ast.ClassDef):
            yield node, of_class(node)
    for owner in (node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")):
        for node in owner.body:
            if isinstance(node, FUNCTIONS) and not is_documented(node):
                yield node, of_function(node, is_method=not has_decorator(node, "staticmethod"))


def is_documented(node):
    """Returns whether a statement needs no docstring."""
    name = getattr(node, "name", "_")
    hidden = name.startswith("_") and name not in SPECIAL or name.startswith("test")
    overloaded = isinstance(node, FUNCTIONS) and (has_decorator(node, "overload") or has_decorator(node, "setter"))
    return not isinstance(node, (ast.ClassDef, *FUNCTIONS)) or hidden or overloaded or ast.get_docstring(node) is not None


def has_decorator(node, name):
    return any(name in (getattr(it, "id", ""), getattr(it, "attr", "")) for it in node.decorator_list)


def first_line(statement):
    return min([statement.lineno, *(it.lineno for it in getattr(statement, "decorator_list", []))])


def insert(lines, node, text, ending):
    """Inserts a docstring before a body's first statement; a body on its definition's line is moved to a new line."""
    first = node.body[0]
    number = first_line(first) - 1
    line = lines[number].encode()
    column = 0 if isinstance(node, ast.Module) else first.col_offset
    before = line[:column].decode()
    if isinstance(node, ast.Module) or not before.strip():
        indent = "" if isinstance(node, ast.Module) else before
        gap = [ending] if isinstance(node, ast.Module) else []
        lines[number:number] = [*written(text, indent, ending), *gap]
        return
    head = lines[node.lineno - 1]
    indent = head[: len(head) - len(head.lstrip())] + "    "
    rest = line[column:].decode()
    lines[number : number + 1] = [before.rstrip() + ending, *written(text, indent, ending), indent + rest]


def written(text, indent, ending):
    if len(text) == 1:
        return [f'{indent}"""{text[0]}"""{ending}']
    middle = [f"{indent}{line}{ending}" if line else ending for line in text[1:]]
    return [f'{indent}"""{text[0]}{ending}', *middle, f'{indent}"""{ending}']


def words_of(name):
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+", " ", name)
    return spaced.lower().split()


def sentence(function):
    words = words_of(function.name)
    returns = any(isinstance(it, ast.Return) and it.value is not None for it in own_nodes(function))
    if returns and words and words[0] in ("is", "has", "can", "should") and len(words) > 1:
        return f"Return whether it {' '.join(words)}."
    return phrase(words)


def phrase(words):
    return " ".join(words).capitalize() + "." if words else "Unnamed."


def capitalized(text):
    return text[:1].upper() + text[1:]


def listed(names):
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def of_module(tree):
    public = [node for node in tree.body if not getattr(node, "name", "_").startswith("_")]
    classes = [node.name for node in public if isinstance(node, ast.ClassDef)]
    functions = [node.name for node in public if isinstance(node, FUNCTIONS)]
    parts = []
    if classes:
        parts.append(f"the {'class' if len(classes) == 1 else 'classes'} {listed(classes[:8])}")
    if functions:
        parts.append(f"the {'function' if len(functions) == 1 else 'functions'} {listed(functions[:8])}")
    return [f"Define {' and '.join(parts)}."] if parts else []


def shown(node):
    """Returns the source of an expression that fits in a docstring; empty for any other."""
    text = ast.unparse(node)
    return text if len(text) <= MAX_TEXT and '"""' not in text and "\\" not in text and text.isprintable() else ""


def of_class(node):
    values = {}
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            values[statement.target.id] = shown(statement.annotation)
    for method in node.body:
        if isinstance(method, FUNCTIONS) and method.name == "__init__":
            stored = {node.id for node in ast.walk(method) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
            # A reassigned parameter may have another type.
            known = [argument for argument in method.args.args if argument.annotation and argument.arg not in stored]
            types = {argument.arg: argument.annotation for argument in known}
            for name, value in assigned(method):
                values.setdefault(name, shown(types[value]) if value in types else "")
    bases = [text for text in map(shown, node.bases) if text and text != "object"]
    lines = [f"A kind of {listed(bases)}." if bases else phrase(words_of(node.name))]
    public = [(name, kind) for name, kind in values.items() if not name.startswith("_")]
    if public:
        lines += ["", "Attributes:", *(f"    {name} ({kind})" if kind else f"    {name}" for name, kind in public)]
    return lines if bases or len(lines) > 1 else []


def assigned(method):
    """Yields the attributes that a method sets and the name of each value."""
    for node in ast.walk(method):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Attribute) and getattr(target.value, "id", "") == "self":
                yield target.attr, getattr(node.value, "id", "")


def of_function(node, is_method):
    special = node.name in SPECIAL
    effects = [] if special else effects_of(node)
    found = results_of(node) if node.returns is None else ""
    first = SPECIAL.get(node.name, "") or sentence(node)
    is_name = first == phrase(words_of(node.name))
    # A fact is a better first line than the name in other words.
    if is_name and found:
        first, found = f"Return {found}.", ""
    elif is_name and effects:
        first, effects = f"{capitalized(listed(effects))}.", []
    lines = [first]
    if effects:
        lines += ["", f"{capitalized(listed(effects))}."]
    arguments = argument_lines(node, is_method)
    if arguments:
        lines += ["", "Args:", *arguments]
    result = shown(node.returns) if node.returns is not None else found
    if result not in ("", "None"):
        yields = any(isinstance(it, (ast.Yield, ast.YieldFrom)) for it in own_nodes(node))
        lines += ["", "Returns:" if not yields else "Yields:", f"    {result}"]
    raised = raise_lines(node)
    if raised:
        lines += ["", "Raises:", *raised]
    says_more = len(lines) > 1 or not special and first != phrase(words_of(node.name))
    return lines if says_more else []


def results_of(function):
    """Returns the expressions that a function without annotation returns; empty if one of them says nothing."""
    nodes = list(own_nodes(function))
    if any(isinstance(it, (ast.Yield, ast.YieldFrom)) for it in nodes):
        return ""
    spec = function.args
    parameters = {it.arg for it in [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]}
    values = [it.value for it in nodes if isinstance(it, ast.Return) and it.value is not None]
    # The name of a local variable says nothing to a caller.
    texts = ["" if isinstance(it, ast.Name) and it.id not in parameters else shown(it) for it in values]
    distinct = list(dict.fromkeys(texts))
    return " or ".join(f"`{text}`" for text in distinct) if all(distinct) and len(distinct) <= MAX_RESULTS else ""


def effects_of(function):
    """Returns what a function changes on its instance, and whether it prints or reads input."""
    nodes = list(own_nodes(function))
    targets = [target for it in nodes for target in getattr(it, "targets", [getattr(it, "target", None)])]
    changed = [it.attr for it in targets if isinstance(it, ast.Attribute) and getattr(it.value, "id", "") == "self"]
    called = {getattr(it.func, "id", "") for it in nodes if isinstance(it, ast.Call)}
    names = [f"`{name}`" for name in dict.fromkeys(changed)]
    effects = [f"change {listed(names)}"] if names else []
    effects += ["print"] if "print" in called else []
    return [*effects, "read input"] if "input" in called else effects


def argument_lines(node, is_method):
    """Returns a line for each argument; none if the code says no more than their names."""
    spec = node.args
    positional = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(positional) - len(spec.defaults)) + list(spec.defaults)
    pairs = list(zip(positional, defaults, strict=True))[1 if is_method else 0 :]
    pairs += zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
    if not any(argument.annotation or default for argument, default in pairs) and not spec.vararg and not spec.kwarg:
        return []
    lines = [argument_line(argument.arg, argument.annotation, default) for argument, default in pairs]
    if spec.vararg:
        lines.append(f"    *{spec.vararg.arg}: Any number of values.")
    if spec.kwarg:
        lines.append(f"    **{spec.kwarg.arg}: Any named values.")
    return lines


def argument_line(name, annotation, default):
    kind = shown(annotation) if annotation is not None else ""
    value = shown(default) if default is not None else ""
    says = "Required." if default is None else f"Optional, {value} by default." if value else "Optional."
    return f"    {name} ({kind}): {says}" if kind else f"    {name}: {says}"


def own_nodes(function):
    """Yields the nodes of a function without those of functions and classes inside it."""
    open_nodes = list(function.body)
    while open_nodes:
        node = open_nodes.pop(0)
        yield node
        if not isinstance(node, (ast.ClassDef, ast.Lambda, *FUNCTIONS)):
            open_nodes = [*ast.iter_child_nodes(node), *open_nodes]


def raise_lines(node):
    """Returns a line for each exception that a function raises by name, with the condition of a leading guard."""
    conditions = guards(node)
    found = {}
    for it in uncaught(node.body):
        if isinstance(it, ast.Raise) and it.exc is not None:
            name = getattr(getattr(it.exc, "func", it.exc), "id", "")
            # A variable with an exception is not a type.
            if name[:1].isupper():
                found.setdefault(name, []).append(conditions.get(id(it), ""))
    lines = []
    for name, reasons in found.items():
        known = [f"`{reason}`" for reason in dict.fromkeys(reasons) if reason]
        lines.append(f"    {name}: If {' or '.join(known)}." if known and all(reasons) else f"    {name}")
    return lines


def guards(node):
    """Returns the conditions of the leading guards of a function; later raises depend on other code too."""
    conditions = {}
    for statement in node.body:
        if not isinstance(statement, ast.If) or statement.orelse or not isinstance(statement.body[0], ast.Raise):
            break
        if any(isinstance(it, ast.NamedExpr) for it in ast.walk(statement.test)):
            break
        conditions[id(statement.body[0])] = shown(statement.test)
    return conditions


def uncaught(statements):
    """Yields the statements of a function except those whose exceptions it may catch and those of inner functions."""
    for statement in statements:
        yield statement
        if isinstance(statement, (ast.ClassDef, *FUNCTIONS)):
            continue
        catches = isinstance(statement, (ast.Try, ast.TryStar)) and statement.handlers
        # A context manager may suppress exceptions.
        catches = catches or isinstance(statement, (ast.With, ast.AsyncWith))
        inner = [] if catches else getattr(statement, "body", [])
        parts = [inner, getattr(statement, "orelse", []), getattr(statement, "finalbody", [])]
        parts += [part.body for field in ("handlers", "cases") for part in getattr(statement, field, [])]
        for part in parts:
            yield from uncaught(part)
