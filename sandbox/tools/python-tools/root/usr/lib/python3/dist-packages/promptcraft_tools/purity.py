"""What a definition depends on beside its arguments, as far as its text says."""

import ast

# Modules whose results change from call to call.
CHANGING = {
    "random": "it depends on random numbers",
    "secrets": "it depends on random numbers",
    "uuid": "it depends on random numbers",
    "time": "it depends on the clock",
    "locale": "it depends on the machine",
    "platform": "it depends on the machine",
    "getpass": "it reads input",
    "multiprocessing": "it starts programs",
}
CHANGING_NAMES = {
    "now": "it depends on the clock",
    "today": "it depends on the clock",
    "utcnow": "it depends on the clock",
    "environ": "it depends on the environment",
    "getenv": "it depends on the environment",
    "urandom": "it depends on random numbers",
    "getcwd": "it depends on the working directory",
    "input": "it reads input",
    "id": "it depends on addresses in memory",
    "hash": "it depends on the hash seed",
    "Thread": "it starts threads",
    "Timer": "it starts threads",
    "ThreadPoolExecutor": "it starts threads",
    "ProcessPoolExecutor": "it starts programs",
    "perf_counter": "it depends on the clock",
    "monotonic": "it depends on the clock",
}


def imported_names(tree):
    """Returns the module that each imported name comes from."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = (node.module or "").split(".")[0]
    return names


def reason_against(tree, unit):
    """Returns why a definition gives other results each time; empty where nothing speaks for that."""
    imports = imported_names(tree)
    definitions = {node.name: node for node in tree.body if hasattr(node, "name")}
    seen, open_units = set(), [unit]
    while open_units:
        current = open_units.pop()
        for node in ast.walk(current):
            name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
            if not name:
                continue
            is_own = isinstance(node, ast.Name) and name in definitions
            if is_own and name not in seen:
                seen.add(name)
                open_units.append(definitions[name])
            if isinstance(node, ast.Name) and imports.get(name) in CHANGING:
                return CHANGING[imports[name]]
            if name in CHANGING_NAMES and not is_own and not is_method_of_own(node, definitions):
                return CHANGING_NAMES[name]
    return ""


def is_method_of_own(node, definitions):
    """Returns whether an attribute may be a method of a class of the file."""
    methods = {
        inner.name
        for definition in definitions.values()
        if isinstance(definition, ast.ClassDef)
        for inner in definition.body
        if hasattr(inner, "name")
    }
    return isinstance(node, ast.Attribute) and node.attr in methods
