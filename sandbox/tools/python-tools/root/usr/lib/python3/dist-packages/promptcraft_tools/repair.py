"""Verifies a change that was made elsewhere."""

from promptcraft_tools.compare import compare
from promptcraft_tools.write_tests import parse


def repair(task):
    """Returns the changed file of the task if it still runs and its tests still pass."""
    parse(task["source"])
    parse(task["changed"])
    compared = compare(task["module"], task["source"], task["changed"], task["tests"], same_output=False)
    return {"changed": task["changed"], **compared}
