"""Cleans up a file with ruff's formatter and safe fixes."""

import ast

from promptcraft_tools import Refused
from promptcraft_tools.compare import compare
from promptcraft_tools.processes import run_tests
from promptcraft_tools.ruff import fixed, formatted
from promptcraft_tools.write_tests import parse, write_tests

RULES = {
    "imports": ["I"],
    "unused": ["F401", "F811", "F841"],
    "modernize": ["UP", "C4", "F541", "PIE", "RET", "SIM"],
}
# Names that access a module's names by string.
BY_TEXT = {"eval", "exec", "globals", "locals", "vars", "__import__", "import_module", "modules", "__dict__"}


def clean_up(task):
    """Returns the file after the steps that the task names."""
    before = task["source"]
    parse(before)
    after = before
    check_names(after, task["steps"])
    rules = [rule for step in task["steps"] for rule in RULES.get(step, [])]
    if rules:
        after = fixed(after, rules)
    if "format" in task["steps"]:
        after = formatted(after)
    if after == before:
        raise Refused("there is nothing to change: the requested steps do not change the file")
    parse(after)
    compared = compare(task["module"], before, after, task["tests"], same_output=True)
    if not compared["tests"] and ast.dump(ast.parse(before)) != ast.dump(ast.parse(after)):
        compared["recorded"] = compare_results(task, after)
    return {"changed": after, **compared}


def check_names(source, steps):
    """Refuses to remove imports from a file that may access them by string."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {getattr(node, "id", "") for node in nodes} | {getattr(node, "attr", "") for node in nodes}
    used = sorted(names & BY_TEXT)
    if "unused" in steps and used and fixed(source, ["F401"]) != source:
        raise Refused(f"the file uses {', '.join(used)}, which may use any import, so unused imports cannot be determined")


def compare_results(task, after):
    """Runs tests recorded from the given file against the changed one; returns their number."""
    try:
        tests = write_tests({**task, "names": []})["tests"]
    except Refused:
        return 0
    name = f"test_{task['module']}"
    code, passed = run_tests({task["module"]: after, name: tests}, name, 20)
    if code != 0:
        raise Refused("functions of the changed file return different results, so the change was discarded")
    return passed
