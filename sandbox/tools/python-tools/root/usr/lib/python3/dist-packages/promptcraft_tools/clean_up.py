"""Cleans a file up by ruff's formatter and safe fixes."""

import ast

from promptcraft_tools import Refused
from promptcraft_tools.compare import compare
from promptcraft_tools.processes import run_tests
from promptcraft_tools.ruff import fixed, formatted
from promptcraft_tools.write_tests import parse, write_tests

RULES = {
    "imports": ["I"],
    "unused": ["F401", "F811", "F841"],
    "modernize": ["UP", "C4", "F541", "F632", "PIE", "RET", "SIM"],
}


def clean_up(task):
    """Returns the file after the steps that the task names."""
    before = task["source"]
    parse(before)
    after = before
    rules = [rule for step in task["steps"] for rule in RULES.get(step, [])]
    if rules:
        after = fixed(after, rules)
    if "format" in task["steps"]:
        after = formatted(after)
    if after == before:
        raise Refused("there is nothing to change: the file is clean already in what was asked for")
    parse(after)
    compared = compare(task["module"], before, after, task["tests"], same_output=True)
    if not compared["tests"] and ast.dump(ast.parse(before)) != ast.dump(ast.parse(after)):
        compared["recorded"] = compare_results(task, after)
    return {"changed": after, **compared}


def compare_results(task, after):
    """Compares what functions return before and after, by tests of the given file; returns how many there were."""
    try:
        tests = write_tests({**task, "names": []})["tests"]
    except Refused:
        return 0
    name = f"test_{task['module']}"
    code, passed = run_tests({task["module"]: after, name: tests}, name, 20)
    if code != 0:
        raise Refused("functions of the changed file return something else than those of the given one, so it was not made")
    return passed
