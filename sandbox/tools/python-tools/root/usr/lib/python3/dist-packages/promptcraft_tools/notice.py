"""Decides whether a rendered test detects a different outcome."""

import ast
import builtins
import math

from promptcraft_tools.render import SINGLES, is_rounded, last_state


def notices(scenario, expected, actual):
    """Returns whether the test of a scenario with the expected outcome fails on the actual one."""
    for step, wanted, found in zip(scenario, expected, actual, strict=False):
        if "slow" in found or is_noticed(step, wanted, found):
            return True
    # Later steps are missing if an earlier one ended the scenario for a reason that no test may check.
    if len(actual) < len(expected):
        return False
    state = last_state(actual)
    return any(differ(value, state.get(name)) for name, value in last_state(expected).items())


def is_noticed(step, wanted, found):
    if "raises" in wanted or "raises" in found:
        return not is_raised(wanted.get("raises"), found.get("raises"))
    if step["kind"] != "make" and (wanted["how"] != found.get("how") or differ(wanted["value"], found.get("value"))):
        return True
    if wanted["prints"] and wanted["prints"] != found.get("prints"):
        return True
    arguments = wanted.get("arguments") or []
    pairs = zip(arguments, found.get("arguments") or step["args"], strict=False)
    return any(differ(value, other) for value, other in pairs if value is not None)


def is_raised(wanted, found):
    """Returns whether `pytest.raises` of one exception accepts another: the same or a subclass."""
    kinds = [getattr(builtins, name or "", None) for name in (wanted, found)]
    return wanted == found or all(isinstance(kind, type) for kind in kinds) and issubclass(kinds[1], kinds[0])


def differ(value, other):
    """Returns whether a comparison with a literal fails for another; dictionaries are unordered, numbers are rounded."""
    if value is None or other is None:
        return value != other
    if value in SINGLES or other == value:
        return other != value
    wanted, found = ast.literal_eval(value), ast.literal_eval(other)
    if is_rounded(value) and type(found) in (int, float):
        return not math.isclose(wanted, found, rel_tol=1e-6, abs_tol=1e-12)
    return wanted != found
