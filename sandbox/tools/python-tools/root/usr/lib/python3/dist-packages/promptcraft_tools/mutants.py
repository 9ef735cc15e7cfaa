"""Mutants: copies of a module with one deliberate defect in a function, to measure what tests detect."""

import ast
import copy

MAX_MUTANTS = 32

COMPARISONS = {
    ast.Lt: [ast.GtE, ast.LtE],
    ast.LtE: [ast.Gt, ast.Lt],
    ast.Gt: [ast.LtE, ast.GtE],
    ast.GtE: [ast.Lt, ast.Gt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}


def is_docstring(node, function):
    first = function.body[0] if function.body else None
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_text and isinstance(first, ast.Expr) and first.value is node


def changes_of(node, function):
    """Yields functions that change a node in place, each to a different defect."""
    if isinstance(node, ast.Compare):
        for other in COMPARISONS.get(type(node.ops[0]), []):
            yield lambda it, other=other: it.ops.__setitem__(0, other())
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in OPERATORS:
        yield lambda it: setattr(it, "op", OPERATORS[type(it.op)]())
    elif isinstance(node, ast.BoolOp):
        yield lambda it: setattr(it, "op", ast.Or() if isinstance(it.op, ast.And) else ast.And())
    elif isinstance(node, ast.Constant) and not is_docstring(node, function):
        if isinstance(node.value, bool):
            yield lambda it: setattr(it, "value", not it.value)
        elif type(node.value) in (int, float):
            yield lambda it: setattr(it, "value", it.value + 1)
        elif isinstance(node.value, str) and node.value:
            yield lambda it: setattr(it, "value", "")
    elif isinstance(node, ast.If):
        yield lambda it: setattr(it, "test", ast.UnaryOp(ast.Not(), it.test))
    elif isinstance(node, ast.Return) and node.value is not None:
        yield lambda it: setattr(it, "value", ast.Constant(None))


def functions_of(unit):
    """Returns the functions of a definition: the function itself, or the methods of a class."""
    if isinstance(unit, ast.ClassDef):
        return [node for node in unit.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [unit]


def without_body(function):
    kept = function.body[:1] if function.body and is_docstring(getattr(function.body[0], "value", None), function) else []
    return [*kept, ast.Return(ast.Constant(None))]


def emptied(tree, units):
    """Returns the source of a module with some definitions reduced to their docstrings."""
    changed = copy.deepcopy(tree)
    for unit in units:
        for function in functions_of(find(changed, unit)):
            function.body = without_body(function)
    return ast.unparse(ast.fix_missing_locations(changed))


def find(tree, unit):
    """Returns the definition of a name; the last one if there are several."""
    return next(node for node in reversed(tree.body) if getattr(node, "name", "") == unit.name and type(node) is type(unit))


def mutants_of(tree, unit):
    """Returns sources with one defect each in `unit`: first empty bodies, then changed nodes."""
    places = [(index, None, None) for index, _ in enumerate(functions_of(unit))]
    for index, function in enumerate(functions_of(unit)):
        nodes = [node for statement in function.body for node in ast.walk(statement)]
        for position, node in enumerate(nodes):
            places += [(index, position, number) for number, _ in enumerate(changes_of(node, function))]
    if len(places) > MAX_MUTANTS:
        empty = len(functions_of(unit))
        step = (len(places) - empty) / max(1, MAX_MUTANTS - empty)
        places = places[:empty] + [places[empty + int(number * step)] for number in range(max(0, MAX_MUTANTS - empty))]
    return list(dict.fromkeys(mutant(tree, unit, *place) for place in places))


def mutant(tree, unit, index, position, number):
    changed = copy.deepcopy(tree)
    function = functions_of(find(changed, unit))[index]
    if position is None:
        function.body = without_body(function)
    else:
        nodes = [node for statement in function.body for node in ast.walk(statement)]
        node = nodes[position]
        list(changes_of(node, function))[number](node)
    return ast.unparse(ast.fix_missing_locations(changed))
