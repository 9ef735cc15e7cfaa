"""Compares a changed file with the given one."""

import re

from promptcraft_tools import Refused
from promptcraft_tools.processes import run_program, run_tests

SECONDS = 15
NO_TESTS = 5


def compare(module, before, after, tests, same_output):
    """Refuses a change if either file fails or they differ; returns what was compared.

    With `tests` the file may contain tests; without any it runs as a program.
    """
    if tests:
        code, passed = run_tests({module: before}, module, SECONDS)
        if code == 0 and passed:
            return compare_tests(module, after, passed)
        if code == 0:
            raise Refused(
                "all of the file's tests are skipped in the sandbox, so they cannot verify a change"
            )
        if code != NO_TESTS:
            raise Refused(
                "the file's tests fail without the change, so they cannot verify it; "
                "run the file with mode test to see the failures"
            )
    return compare_programs(module, before, after, same_output)


def compare_tests(module, after, passed):
    code, still = run_tests({module: after}, module, SECONDS)
    if code != 0 or still < passed:
        raise Refused(f"only {still} of the file's {passed} tests pass after the change, so the change was discarded")
    return {"tests": passed}


def compare_programs(module, before, after, same_output):
    code, output, complaint = run_program(module, before, SECONDS)
    if code != 0:
        raise Refused(
            "the given file fails in the sandbox, so running it cannot verify a change"
            f"{why(code, complaint)}"
        )
    stable = same_output and run_program(module, before, SECONDS)[1] == output
    code, changed, complaint = run_program(module, after, SECONDS)
    if code != 0:
        raise Refused(f"the changed file fails in the sandbox, so the change was discarded{why(code, complaint)}")
    if stable and changed != output:
        raise Refused("the changed file prints different output, so the change was discarded")
    return {"tests": 0, "output": stable and bool(output)}


def why(code, complaint):
    """Returns the reason of a failed run: the name of the exception or of the missing module."""
    if code is None:
        return f": it does not end in {SECONDS} seconds"
    missing = re.fullmatch(r"ModuleNotFoundError: No module named '([A-Za-z_][\w.]{0,60})'", complaint, re.ASCII)
    if missing:
        return f": the module {missing[1]} is not installed there"
    name = re.match(r"([A-Za-z_][\w.]{0,60})(:|$)", complaint, re.ASCII)
    if name and name[1] == "EOFError":
        return ": it reads input, and there is none"
    return (
        f": {name[1]}" if name and name[1].endswith(("Error", "Exception", "Interrupt", "Exit")) else f": exit code {code}"
    )
