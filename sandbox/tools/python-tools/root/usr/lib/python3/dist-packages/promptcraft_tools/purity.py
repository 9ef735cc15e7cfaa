"""Finds dependencies of a definition other than its arguments, from its source."""

import ast

# Modules with results that vary between calls.
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
# Attributes and imported names with varying results, on any object.
CHANGING_NAMES = {
    "now": "it depends on the clock",
    "today": "it depends on the clock",
    "utcnow": "it depends on the clock",
    "fromtimestamp": "it depends on the time zone",
    "astimezone": "it depends on the time zone",
    "environ": "it depends on the environment",
    "getenv": "it depends on the environment",
    "expanduser": "it depends on the environment",
    "expandvars": "it depends on the environment",
    "urandom": "it depends on random numbers",
    "getcwd": "it depends on the working directory",
    "abspath": "it depends on the working directory",
    "realpath": "it depends on the working directory",
    "cpu_count": "it depends on the machine",
    "isfile": "it reads folders",
    "isdir": "it reads folders",
    "islink": "it reads folders",
    "getsize": "it reads folders",
    "getmtime": "it reads folders",
    "is_file": "it reads folders",
    "is_dir": "it reads folders",
    "Thread": "it starts threads",
    "Timer": "it starts threads",
    "ThreadPoolExecutor": "it starts threads",
    "ProcessPoolExecutor": "it starts programs",
    "perf_counter": "it depends on the clock",
    "monotonic": "it depends on the clock",
}
# Members of modules that depend on the machine; in other modules such a name may be anything.
MACHINE_MODULES = ("sys", "os", "pathlib", "shutil", "tempfile", "socket", "sysconfig", "importlib")
MACHINE_NAMES = {
    *("platform", "version", "version_info", "hexversion", "implementation", "executable", "argv", "path", "modules"),
    *("prefix", "base_prefix", "maxsize", "byteorder", "getsizeof", "getrefcount", "getdefaultencoding", "stdin"),
    *("getfilesystemencoding", "getrecursionlimit", "name", "uname", "getpid", "getppid", "getuid", "getgid", "getlogin"),
    *(
        "exists",
        "lexists",
        "stat",
        "lstat",
        "access",
        "cwd",
        "home",
        "resolve",
        "absolute",
        "samefile",
        "which",
        "gettempdir",
    ),
    *("gethostname", "getfqdn", "get_terminal_size", "find_spec", "getloadavg", "sched_getaffinity", "disk_usage", "flags"),
}
# Built-in functions; only their calls count.
BUILT_IN = {
    "input": "it reads input",
    "id": "it depends on addresses in memory",
    "hash": "it depends on the hash seed",
}


def imported_names(tree):
    """Returns the module and the original name of each imported name."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (alias.name.split(".")[0], "")
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = ((node.module or "").split(".")[0], alias.name)
    return names


def defined_names(tree):
    """Returns the top-level statement that defines each name."""
    names = {node.name: node for node in tree.body if hasattr(node, "name")}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        names.update({target.id: node for target in targets if isinstance(target, ast.Name)})
    return names


def reason_against(tree, unit):
    """Returns why results of a definition may vary between calls or machines; empty if no reason is found."""
    imports, definitions = imported_names(tree), defined_names(tree)
    seen, open_units = set(), [unit]
    while open_units:
        current = open_units.pop()
        own = local_names(current)
        for node in ast.walk(current):
            if isinstance(node, ast.Name) and node.id in definitions and node.id not in seen:
                seen.add(node.id)
                open_units.append(definitions[node.id])
            reason = reason_of(node, imports, {*definitions, *own}) or reason_of_attribute(node, imports, definitions)
            if reason:
                return reason
    return ""


def local_names(unit):
    """Returns the local names of a definition: parameters and assigned names."""
    nodes = list(ast.walk(unit))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.arg for node in nodes if isinstance(node, ast.arg)}


def reason_of(node, imports, own):
    """Returns the reason given by a name or a call of a built-in function."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in own:
        return BUILT_IN.get(node.func.id, "") if node.func.id not in imports else ""
    if not isinstance(node, ast.Name) or node.id not in imports:
        return ""
    module, name = imports[node.id]
    return CHANGING.get(module) or CHANGING_NAMES.get(name) or of_machine(module, name)


def reason_of_attribute(node, imports, definitions):
    if not isinstance(node, ast.Attribute) or is_method_of_own(node, definitions):
        return ""
    root = node.value
    while isinstance(root, (ast.Attribute, ast.Call)):
        root = root.func if isinstance(root, ast.Call) else root.value
    name = getattr(root, "id", "")
    if name == "self":
        return ""
    module, _ = imports.get(name, ("", ""))
    # `os.path` itself does not vary; the next attribute decides.
    is_path = module == "os" and node.attr == "path"
    return CHANGING_NAMES.get(node.attr) or ("" if is_path else of_machine(module, node.attr))


def of_machine(module, name):
    return "it depends on the machine" if module in MACHINE_MODULES and name in MACHINE_NAMES else ""


def is_method_of_own(node, definitions):
    """Returns whether an attribute may be a method of a class in the file."""
    methods = {
        inner.name
        for definition in definitions.values()
        if isinstance(definition, ast.ClassDef)
        for inner in definition.body
        if hasattr(inner, "name")
    }
    return isinstance(node, ast.Attribute) and node.attr in methods
