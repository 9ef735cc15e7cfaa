"""Writes tests that record the current behaviour of a file's functions, and keeps those that detect a deliberate defect."""

import ast
import doctest
import re
import sys
import time

from promptcraft_tools import Refused
from promptcraft_tools.arguments import assignments, calls, constants_in, parameters_of
from promptcraft_tools.mutants import emptied, mutants_of
from promptcraft_tools.notice import notices
from promptcraft_tools.processes import probe, run_tests
from promptcraft_tools.purity import reason_against
from promptcraft_tools.render import render

CALL_SECONDS = 0.5
LOAD_SECONDS = 5
MAX_UNITS = 30
MAX_CASES = 8
MAX_EXAMPLES = 20
MIN_CASES = 3
TOTAL_SECONDS = 40
# Exceptions that indicate unsuitable arguments or a defect rather than intended behaviour.
UNMEANT = {
    "TypeError",
    "AttributeError",
    "NameError",
    "UnboundLocalError",
    "RecursionError",
    "MemoryError",
    "SystemExit",
    "KeyboardInterrupt",
    "AssertionError",
    "ImportError",
    "ModuleNotFoundError",
    "UnicodeDecodeError",
}


class Unit:
    """A function or a class that tests are written for."""

    def __init__(self, node):
        self.node = node
        self.name = node.name
        self.cases = []
        self.skipped = ""
        self.noticed = 0
        self.defects = 0


def write_tests(task):
    """Returns the tests of a file, and the reason for each definition without tests."""
    started = time.monotonic()
    tree = parse(task["source"])
    name = module_name(task["module"])
    units = [Unit(node) for node in definitions(tree, task["names"])]
    check_import(name, task["source"])
    for unit in units[:MAX_UNITS]:
        if time.monotonic() - started > TOTAL_SECONDS:
            unit.skipped = "the time limit for writing tests was reached"
            continue
        record(unit, tree, name, task["source"])
    for unit in units[MAX_UNITS:]:
        unit.skipped = f"tests are written for at most {MAX_UNITS} definitions"
    examples = working_examples(task, tree)
    tested = [unit for unit in units if unit.cases]
    check_wanted(task, units, tested, examples)
    text = render(name, tested, examples)
    if not passes(task, name, text):
        tested = passing_together(task, name, tested, examples)
        check_wanted(task, units, tested, examples)
        text = render(name, tested, examples)
    prove(task, name, tree, text)
    return {
        "tests": text,
        "tested": [{"name": unit.name, "noticed": unit.noticed, "defects": unit.defects} for unit in tested],
        "examples": len(examples),
        "skipped": [{"name": unit.name, "reason": unit.skipped} for unit in units if not unit.cases],
    }


def check_wanted(task, units, tested, examples):
    """Refuses if nothing would be tested, or not everything that the goal names."""
    if not tested and not examples:
        raise Refused(why_none(units))
    having = {unit.name for unit in tested} | set(examples)
    without = [wanted for wanted in task["names"] if wanted not in having]
    if without:
        reasons = {unit.name: unit.skipped for unit in units}
        texts = [f"{wanted}: {reasons.get(wanted) or 'the file does not define it at its top level'}" for wanted in without]
        raise Refused("not everything that the goal names can be tested. " + "; ".join(texts[:10]))


def passing_together(task, name, tested, examples):
    """Returns the units whose tests pass together; the others are skipped."""
    kept = []
    for unit in tested:
        if passes(task, name, render(name, [*kept, unit], examples)):
            kept.append(unit)
        else:
            unit.cases, unit.skipped = [], "its tests do not pass in a second process, or beside those of others"
    return kept


def parse(source):
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise Refused(f"the file is not valid Python{f' (line {line})' if line else ''}") from None


def module_name(path):
    name = path.removesuffix(".py")
    if not name.isidentifier() or not name.isascii():
        raise Refused("the file's name is not a module name, so tests cannot import it: use letters, digits and underscores")
    if name in sys.stdlib_module_names or name in ("pytest", "conftest"):
        raise Refused(
            "the file has the name of a module of the standard library or of pytest, so tests cannot import it: rename it"
        )
    return name


def definitions(tree, wanted):
    """Returns the public functions and classes of a module; only the named ones if any are named."""
    found = top_level(tree)
    named = [node for name, node in found.items() if name in wanted]
    public = [node for name, node in found.items() if not name.startswith(("_", "test", "Test")) and name != "main"]
    return named or [node for node in public if not is_exception(node)]


def top_level(tree):
    """Returns the top-level functions and classes of a module by name; the last one of equal names."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name: node for node in tree.body if isinstance(node, kinds)}


def is_exception(node):
    bases = [base.id for base in getattr(node, "bases", []) if isinstance(base, ast.Name)]
    return any(base.endswith(("Exception", "Error", "Warning")) for base in bases)


def ask(name, programs, hash_seed="0"):
    request = {"name": name, "programs": programs, "call_seconds": CALL_SECONDS, "load_seconds": LOAD_SECONDS, "max_slow": 3}
    return probe(request, seconds=12 + LOAD_SECONDS, hash_seed=hash_seed)


def check_import(name, source):
    """Refuses a file whose import hangs, fails, or ends the process."""
    answer = ask(name, [{"source": source, "scenarios": []}])
    if answer is None:
        raise Refused(
            "importing the file ends the process or does not end in 5 seconds: "
            'put what it runs below `if __name__ == "__main__":`'
        )
    failed = answer[0].get("failed")
    if failed:
        raise Refused(import_failure(failed, answer[0].get("missing", "")))


def import_failure(failed, missing):
    if failed == "TimeoutError":
        return 'importing the file does not end in 5 seconds: put what it runs below `if __name__ == "__main__":`'
    if failed == "ModuleNotFoundError" and re.fullmatch(r"[A-Za-z_][\w.]{0,60}", missing or "", re.ASCII):
        return f"the module {missing} is not installed in the sandbox"
    if failed in ("SystemExit", "EOFError"):
        return 'importing the file reads input or ends the process: put what it runs below `if __name__ == "__main__":`'
    safe = failed if re.fullmatch(r"\w{1,60}", failed, re.ASCII) else "an exception"
    return f"importing the file fails with {safe}"


def record(unit, tree, name, source):
    """Sets a unit's cases, or the reason why it has none."""
    unit.skipped = reason_against(tree, unit.node)
    if unit.skipped:
        return
    scenarios = scenarios_of(unit, name, source)
    if not scenarios:
        unit.skipped = unit.skipped or "no accepted arguments were found; type hints would help"
        return
    first = outcomes_of(ask(name, [{"source": source, "scenarios": scenarios}]), len(scenarios))
    # In reverse order, twice, and with another hash seed.
    order = [*reversed(scenarios), *scenarios]
    again = outcomes_of(ask(name, [{"source": source, "scenarios": order}], hash_seed="7"), len(order))
    if first is None or again is None:
        unit.skipped = "it ends the process, or takes too long"
        return
    others = list(zip(again[: len(scenarios)][::-1], again[len(scenarios) :], strict=True))
    stable = [
        (scenario, outcome)
        for scenario, outcome, (second, third) in zip(scenarios, first, others, strict=True)
        if outcome == second == third and is_meant(outcome, tree)
    ]
    if not any("raises" not in outcome[-1] for _, outcome in stable):
        unit.skipped = why_unstable(first, others)
        return
    choose(unit, tree, name, stable)


def outcomes_of(answer, count):
    """Returns the outcomes of the first program of an answer; `None` if they are incomplete."""
    outcomes = answer[0].get("outcomes") if answer else None
    return outcomes if isinstance(outcomes, list) and len(outcomes) == count else None


def is_meant(outcome, tree):
    """Returns whether an outcome can be tested: literal values, and exceptions that the code raises on purpose."""
    last = outcome[-1]
    if "odd" in last:
        return False
    raised = last.get("raises")
    if raised is None:
        return True
    own = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    calls_of = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    named = {getattr(getattr(exc, "func", exc), "id", "") for exc in calls_of}
    if raised in named:
        return raised in own or last.get("module") == "builtins"
    return last.get("module") == "builtins" and raised not in UNMEANT


def why_unstable(first, others):
    for outcome, (second, third) in zip(first, others, strict=True):
        if "odd" in outcome[-1]:
            return outcome[-1]["odd"]
        if not outcome == second == third:
            return "it returns different results for the same arguments"
    return "no accepted arguments were found; type hints would help"


def scenarios_of(unit, name, source):
    """Returns scenarios that call the unit with various arguments."""
    if isinstance(unit.node, ast.ClassDef):
        return class_scenarios(unit, name, source)
    return [[call] for call in accepted_calls(name, source, unit.node, unit.name, [])]


def accepted_calls(name, source, function, called, before, is_method=False, most=36):
    """Returns the calls of the assignment of kinds that the function accepts most often."""
    parameters = parameters_of(function, is_method)
    constants = constants_in(function)
    ways = assignments(parameters)
    if not ways:
        return []
    if len(ways) == 1:
        return calls(called, parameters, ways[0], constants, most)
    best, most_accepted = [], 0
    tries = [calls(called, parameters, way, constants, most) for way in ways]
    scenarios = [[[*before, call] for call in trial[:6]] for trial in tries]
    answer = ask(name, [{"source": source, "scenarios": trial} for trial in scenarios])
    for trial, result in zip(tries, answer or [], strict=False):
        outcomes = result.get("outcomes") or []
        accepted = sum(is_accepted(outcome[-1]) for outcome in outcomes) / max(1, len(outcomes))
        if accepted > most_accepted:
            best, most_accepted = trial, accepted
    return best


def is_accepted(outcome):
    return outcome.get("raises") not in UNMEANT and "odd" not in outcome


def class_scenarios(unit, name, source):
    """Returns scenarios that create an object and call its methods, alone and in sequence."""
    methods = {node.name: node for node in unit.node.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    makes = [{**call, "kind": "make"} for call in constructions(unit, methods, name, source)]
    if not makes:
        return []
    public = [node for method, node in methods.items() if not method.startswith("_") and not is_special(node)]
    calls_by = {node.name: method_calls(node, name, source, makes[0]) for node in public}
    scenarios = [[make] for make in makes[:6]]
    for make in makes[:3]:
        scenarios += [[make, call] for found in calls_by.values() for call in found[:4]]
    for first in public:
        for second in public:
            if calls_by[first.name] and calls_by[second.name]:
                pair = [calls_by[first.name][min(1, len(calls_by[first.name]) - 1)], calls_by[second.name][0]]
                scenarios.append([makes[0], calls_by[first.name][0], *pair])
    return scenarios[:60]


def is_special(node):
    names = {getattr(decorator, "id", getattr(decorator, "attr", "")) for decorator in node.decorator_list}
    return bool(names & {"classmethod", "setter", "deleter", "abstractmethod"})


def constructions(unit, methods, name, source):
    if "__init__" in methods:
        return accepted_calls(name, source, methods["__init__"], unit.name, [], is_method=True, most=8)
    fields = [node for node in unit.node.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    decorators = {getattr(getattr(node, "func", node), "id", "") for node in unit.node.decorator_list}
    if "dataclass" not in decorators:
        return [{"name": unit.name, "args": [], "kwargs": {}}] if not unit.node.bases else []
    arguments = ", ".join(f"{field.target.id}: {ast.unparse(field.annotation)}" for field in fields if field.value is None)
    stand_in = ast.parse(f"def made({arguments}): pass").body[0]
    return accepted_calls(name, source, stand_in, unit.name, [], most=8)


def method_calls(node, name, source, make):
    names = {getattr(decorator, "id", "") for decorator in node.decorator_list}
    if "property" in names:
        return [{"kind": "attribute", "name": node.name, "args": [], "kwargs": {}}]
    is_method = "staticmethod" not in names
    return accepted_calls(name, source, node, node.name, [make], is_method=is_method, most=8)


def choose(unit, tree, name, stable):
    """Keeps the cases that detect the most defects, and a few more that detect any."""
    mutants = mutants_of(tree, unit.node)
    if not mutants:
        unit.skipped = "it has no code to test"
        return
    scenarios = [scenario for scenario, _ in stable]
    answer = ask(name, [{"source": mutant, "scenarios": scenarios} for mutant in mutants]) or answers_apart(
        name, mutants, scenarios
    )
    kills = [set() for _ in stable]
    for number, result in enumerate(answer):
        outcomes = result.get("outcomes") or []
        for index, outcome in enumerate(outcomes[: len(stable)]):
            if notices(*stable[index], outcome):
                kills[index].add(number)
    unit.defects = len(mutants)
    order = sorted(range(len(stable)), key=lambda index: len(repr(stable[index][0])))
    chosen, covered = [], set()
    while len(chosen) < MAX_CASES:
        best = max(
            (index for index in order if index not in chosen), key=lambda index: len(kills[index] - covered), default=None
        )
        if best is None or not kills[best] - covered:
            break
        chosen.append(best)
        covered |= kills[best]
    results = {repr(stable[index][1]) for index in chosen}
    for index in order:
        if len(chosen) >= MIN_CASES:
            break
        if index not in chosen and kills[index] and repr(stable[index][1]) not in results:
            chosen.append(index)
            results.add(repr(stable[index][1]))
    unit.noticed = len(covered)
    unit.cases = [stable[index] for index in sorted(chosen)]
    if not unit.cases:
        unit.skipped = "it returns nothing and has no effect that a test can check"


def answers_apart(name, mutants, scenarios):
    """Asks about each defect separately, if one of them ends the process."""
    answers = [ask(name, [{"source": mutant, "scenarios": scenarios}]) for mutant in mutants[:12]]
    return [answer[0] if answer else {} for answer in answers]


def working_examples(task, tree):
    """Returns the definitions whose documented examples pass with their code and fail without it."""
    own = top_level(tree)
    documented = {name: node for name, node in {"": tree, **own}.items() if has_examples(node)}
    if task["names"]:
        documented = {name: node for name, node in documented.items() if name in task["names"]}
    if not documented:
        return []
    return [name for name, node in list(documented.items())[:MAX_EXAMPLES] if is_example(task, tree, name, node, own)]


def has_examples(node):
    text = ast.get_docstring(node) or ""
    try:
        return ">>>" in text and bool(doctest.DocTestParser().get_examples(text))
    except ValueError:
        return False


def is_example(task, tree, name, node, own):
    """Returns whether the examples of a definition pass, and fail if the definition does nothing."""
    module = task["module"].removesuffix(".py")
    target = f"{task['module']}::{module}.{name}" if name else f"{task['module']}::{module}"
    code, passed = run_tests({task["module"]: task["source"]}, target, 15)
    if code != 0 or not passed:
        return False
    without = emptied(tree, [node] if name else own.values())
    return run_tests({task["module"]: without}, target, 15)[0] != 0


def why_none(units):
    if not units:
        return "the file defines no public function or class to test"
    reasons = [f"{unit.name}: {unit.skipped}" for unit in units[:10] if unit.name.isascii()]
    return "no useful test was found. " + "; ".join(reasons)


def passes(task, name, text):
    tests = f"test_{name}.py"
    code, passed = run_tests({task["module"]: task["source"], tests: text}, tests, 20)
    return code == 0 and passed > 0


def prove(task, name, tree, text):
    """Refuses tests that fail on the file, or that pass without the tested code."""
    if not passes(task, name, text):
        raise Refused("the tests that were written do not pass in a second process, so the file's results are not stable")
    if passes({**task, "source": emptied(tree, top_level(tree).values())}, name, text):
        raise Refused("the tests that were written pass without the code that they test")
