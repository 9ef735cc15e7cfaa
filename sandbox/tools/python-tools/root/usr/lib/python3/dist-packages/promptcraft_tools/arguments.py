"""Arguments for calls of functions, from annotations, defaults, names and constants in the code."""

import ast
import itertools
import re

MAX_CALLS = 36

POOLS = {
    "int": ["0", "1", "2", "-1", "3", "7", "10", "100"],
    "float": ["0.0", "1.5", "-2.25", "10.0", "3.0"],
    "str": ["''", "'a'", "'Hello World'", "'level'", "'abc abc'", "'42'", "'A man, a plan'"],
    "bool": ["True", "False"],
    "bytes": ["b''", "b'abc'", "b'\\x00\\xff'"],
    "None": ["None"],
    "list[int]": ["[]", "[5]", "[3, 1, 2]", "[1, 1, 2, 3]", "[-4, 0, 9]", "[2, 4, 6, 8]"],
    "list[float]": ["[]", "[1.5]", "[3.0, 1.0, 2.5]"],
    "list[str]": ["[]", "['a']", "['b', 'a', 'b']", "['Ada', 'grace']"],
    "list[bool]": ["[]", "[True]", "[True, False]"],
    "list[list[int]]": ["[]", "[[1]]", "[[1, 2], [3, 4]]", "[[1, 2, 3], [4, 5, 6]]"],
    "dict[str, int]": ["{}", "{'a': 1}", "{'b': 2, 'a': 1}"],
    "dict[str, str]": ["{}", "{'a': 'x'}", "{'b': 'y', 'a': 'x'}"],
    "set[int]": ["set()", "{1}", "{1, 2, 3}"],
    "set[str]": ["set()", "{'a'}", "{'a', 'b'}"],
    "tuple[int, int]": ["(0, 0)", "(1, 2)", "(-3, 4)"],
    "tuple[str, int]": ["('a', 1)", "('b', 0)"],
    "tuple[float, float]": ["(0.0, 0.0)", "(1.5, -2.0)"],
}

# Kinds of an untyped parameter, the most likely first.
GUESSES = ["int", "str", "list[int]", "float", "list[str]", "dict[str, int]", "list[list[int]]", "bool"]

ALIASES = {
    "Any": "int",
    "object": "int",
    "Number": "int",
    "list": "list[int]",
    "List": "list[int]",
    "Sequence": "list[int]",
    "Iterable": "list[int]",
    "Collection": "list[int]",
    "dict": "dict[str, int]",
    "Dict": "dict[str, int]",
    "Mapping": "dict[str, int]",
    "set": "set[int]",
    "Set": "set[int]",
    "tuple": "tuple[int, int]",
    "Tuple": "tuple[int, int]",
}
CONTAINERS = {
    "List": "list",
    "Sequence": "list",
    "Iterable": "list",
    "Collection": "list",
    "list": "list",
    "Dict": "dict",
    "Mapping": "dict",
    "dict": "dict",
    "Set": "set",
    "set": "set",
    "Tuple": "tuple",
    "tuple": "tuple",
    "Iterator": "list",
    "MutableSequence": "list",
    "MutableMapping": "dict",
}

NAMES = {
    "str": "text s string word name sentence line message msg title email url pattern char prefix suffix label key greeting",
    "list[int]": "numbers nums items values lst list arr array data seq sequence xs elements scores integers l",
    "list[str]": "words lines names strings texts tags",
    "float": "price amount rate total ratio temperature radius width height weight celsius fahrenheit",
    "list[list[int]]": "matrix grid board rows table",
    "dict[str, int]": "d mapping dictionary counts config inventory stock",
    "bool": "flag enabled verbose reverse strict",
}
# Formatted strings, by a part of the parameter's name.
FORMS = {
    "email": ["'ada@example.com'", "'ada@'"],
    "url": ["'https://example.com/a?b=1'"],
    "date": ["'2024-02-29'"],
    "time": ["'12:30'"],
    "roman": ["'XIV'"],
    "numeral": ["'XIV'"],
    "json": ["'{\"a\": [1, 2]}'"],
    "csv": ["'a,b\\n1,2'"],
    "path": ["'a/b.txt'"],
    "hex": ["'ff00aa'"],
    "binary": ["'1010'"],
}
BY_NAME = {name: kind for kind, names in NAMES.items() for name in names.split()}


def simple_name(node):
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def kinds_of(annotation):
    """Returns the kinds of values that an annotation allows; empty for a complex annotation."""
    if isinstance(annotation, ast.Constant):
        if annotation.value is None:
            return ["None"]
        if isinstance(annotation.value, str):
            try:
                return kinds_of(ast.parse(annotation.value, mode="eval").body)
            except SyntaxError:
                return []
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return kinds_of(annotation.left) + kinds_of(annotation.right)
    name = simple_name(annotation)
    if name:
        # A type variable.
        kind = "int" if re.fullmatch(r"_?[A-Z]T?(_co)?", name) else ALIASES.get(name, name)
        return [kind] if kind in POOLS else []
    return generic_kinds(annotation) if isinstance(annotation, ast.Subscript) else []


def generic_kinds(annotation):
    name, inner = simple_name(annotation.value), annotation.slice
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Optional":
        return [*kinds_of(inner), "None"]
    if name == "Union":
        return [kind for part in parts for kind in kinds_of(part)]
    if name not in CONTAINERS:
        return []
    inside = [kinds_of(part) for part in parts if not (isinstance(part, ast.Constant) and part.value is Ellipsis)]
    if not all(inside):
        return [ALIASES[name]] if name in ALIASES else []
    if CONTAINERS[name] == "tuple" and len(inside) == 1:
        inside = inside * 2
    kind = f"{CONTAINERS[name]}[{', '.join(kinds[0] for kinds in inside)}]"
    return [kind] if kind in POOLS else []


def constants_in(function):
    """Returns literals from the function's body: its integers and their neighbours, and its strings."""
    numbers, texts = [], []
    for node in (node for statement in function.body for node in ast.walk(statement)):
        if isinstance(node, ast.Constant):
            value = node.value
            if type(value) is int and abs(value) <= 10_000:
                numbers += [repr(near) for near in (value, value - 1, value + 1)]
            elif type(value) is str and len(value) <= 40:
                texts.append(repr(value))
    return {"int": list(dict.fromkeys(numbers))[:9], "str": list(dict.fromkeys(texts))[:4]}


def pool(kinds, constants):
    """Returns the values of some kinds; literals of the code are among the first."""
    values = []
    for kind in kinds:
        own, usual = constants.get(kind, []), POOLS[kind]
        values += [*usual[:2], *own, *usual[2:]]
    return list(dict.fromkeys(values))


def pool_of(parameter, kinds, constants):
    """Returns the values of a parameter; strings in the format that its name suggests come first."""
    forms = [text for part, texts in FORMS.items() if part in parameter.name.lower() for text in texts]
    return list(dict.fromkeys([*(forms if "str" in kinds else []), *pool(kinds, constants)]))


def kind_of_default(node):
    """Returns the kind of a default value."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return []
    kind = {int: "int", float: "float", str: "str", bool: "bool", list: "list[int]", dict: "dict[str, int]"}.get(type(value))
    return [kind] if kind else []


class Parameter:
    """A parameter that calls pass a value to."""

    def __init__(self, argument, default, keyword_only):
        self.name = argument.arg
        self.default = default
        self.keyword_only = keyword_only
        self.kinds = kinds_of(argument.annotation) if argument.annotation is not None else []
        self.is_typed = argument.annotation is not None
        if not self.is_typed and default is not None:
            self.kinds = kind_of_default(default)

    @property
    def is_needed(self):
        return self.default is None


def parameters_of(function, is_method):
    """Returns the parameters without `*args` and `**kwargs`."""
    spec = function.args
    positional = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(positional) - len(spec.defaults)) + list(spec.defaults)
    pairs = list(zip(positional, defaults, strict=True))[1 if is_method else 0 :]
    found = [Parameter(argument, default, False) for argument, default in pairs]
    found += [Parameter(*pair, True) for pair in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    return found


def assignments(parameters):
    """Returns assignments of kinds to untyped parameters, the most likely first; empty if a required one has no kind."""
    if any(parameter.is_needed and parameter.is_typed and not parameter.kinds for parameter in parameters):
        return []
    untyped = [parameter for parameter in parameters if not parameter.is_typed and not parameter.kinds]
    if not untyped:
        return [{}]
    by_name = {parameter.name: BY_NAME[parameter.name] for parameter in untyped if parameter.name in BY_NAME}
    ways = (
        [{parameter.name: by_name.get(parameter.name, kind) for parameter in untyped} for kind in GUESSES] if by_name else []
    )
    ways += [{parameter.name: kind for parameter in untyped} for kind in GUESSES]
    if len(untyped) == 2:
        names = [parameter.name for parameter in untyped]
        pairs = [("list[int]", "int"), ("str", "int"), ("str", "str"), ("int", "list[int]"), ("dict[str, int]", "str")]
        ways += [dict(zip(names, pair, strict=True)) for pair in pairs]
    return [dict(way) for way in dict.fromkeys(tuple(sorted(way.items())) for way in ways)]


def calls(name, parameters, assignment, constants, most=MAX_CALLS):
    """Returns calls with combinations of the parameters' values."""
    given = [parameter for parameter in parameters if parameter.kinds or parameter.name in assignment]
    pools = [pool_of(parameter, parameter.kinds or [assignment[parameter.name]], constants) for parameter in given]
    found = []
    needed = [(parameter, values) for parameter, values in zip(given, pools, strict=True) if parameter.is_needed]
    if len(needed) < len(given):
        found += [call(name, [p for p, _ in needed], row) for row in rows([v for _, v in needed], most // 3)]
    found += [call(name, given, row) for row in rows(pools, most)]
    unique = {repr(one): one for one in found}
    return list(unique.values())[:most]


def call(name, parameters, row):
    pairs = list(zip(parameters, row, strict=True))
    # After an omitted parameter, values are passed by name.
    args = [text for parameter, text in pairs if not parameter.keyword_only]
    kwargs = {parameter.name: text for parameter, text in pairs if parameter.keyword_only}
    return {"kind": "call", "name": name, "args": args, "kwargs": kwargs}


def rows(pools, most):
    """Returns rows of values: all combinations if they are few, else a selection that contains every value."""
    total = 1
    for values in pools:
        total *= len(values)
    if total <= most:
        return list(itertools.product(*pools))
    steps = [1, 2, 3, 5, 7, 11, 13]
    found = []
    for number in range(most * 3):
        row = tuple(
            values[(number * steps[i % 7] + number // len(values) * i) % len(values)] for i, values in enumerate(pools)
        )
        if row not in found:
            found.append(row)
        if len(found) == most:
            break
    return found
