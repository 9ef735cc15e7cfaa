"""Renders tests as source text."""

import ast
import keyword
import re

from promptcraft_tools.ruff import formatted

SINGLES = ("None", "True", "False")


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def render(module, units, examples):
    """Returns a test file for units with cases and for the documented examples of a module."""
    blocks, taken = [], set()
    names = {unit.name for unit in units} | {
        outcome[-1]["raises"] for unit in units for _, outcome in unit.cases if outcome[-1].get("module") == module
    }
    for unit in units:
        is_class = isinstance(unit.node, ast.ClassDef)
        blocks += (
            class_blocks(unit, local_name(unit.name, {*names, module}), taken) if is_class else function_blocks(unit, taken)
        )
    body = "\n\n\n".join(blocks)
    head = [f'"""Tests of {module}: they record what it does now."""', ""]
    standard = [f"import {name}" for name in ("asyncio", "doctest") if f"{name}." in body or name == "doctest" and examples]
    third = ["import pytest"] if "pytest." in body or examples else []
    own = [f"import {module}"] if examples else []
    own += [f"from {module} import {', '.join(sorted(names))}"] if names else []
    for group in (standard, third, own):
        head += [*group, ""] if group else []
    if examples:
        blocks.append(example_block(module, examples))
    return formatted("\n".join(head) + "\n\n" + "\n\n\n".join(blocks) + "\n")


def local_name(name, others):
    """Returns a variable name for an object of a class that is not used in the tests otherwise."""
    local = snake(name).strip("_") or "made"
    is_taken = local in others or keyword.iskeyword(local) or local in ("pytest", "asyncio", "doctest", "capsys")
    return f"{local}_object" if is_taken or local.startswith("argument") else local


def example_block(module, examples):
    names = [f"{module}.{name}" if name else module for name in examples]
    return (
        f"@pytest.mark.parametrize('name', {names!r})\n"
        "def test_documented_examples(name):\n"
        f"    found = [test for test in doctest.DocTestFinder().find({module}, {module!r}) if test.name == name]\n"
        "    results = doctest.DocTestRunner().run(found[0])\n"
        "    assert results.attempted > 0\n"
        "    assert results.failed == 0"
    )


def expression(step, target=""):
    args = [*step["args"], *(f"{key}={text}" for key, text in step["kwargs"].items())]
    name = f"{target}.{step['name']}" if target else step["name"]
    return name if step["kind"] == "attribute" else f"{name}({', '.join(args)})"


def read_as(how, text):
    return {"awaited": f"asyncio.run({text})", "listed": f"list({text})"}.get(how, text)


def comparison(text, value):
    if value in SINGLES:
        return f"assert {text} is {value}"
    if is_rounded(value):
        return f"assert {text} == pytest.approx({value})"
    return f"assert {text} == {value}"


def is_rounded(value):
    """Returns whether tests compare a number approximately."""
    return bool(re.fullmatch(r"-?\d+\.(\d+)(e-?\d+)?", value)) and len(value) > 6


def raises(exception, text):
    return [f"with pytest.raises({exception}):", f"    {text}"]


def named_arguments(step):
    """Returns lines that assign the arguments to names, and the call with the names."""
    names = [f"argument_{number}" for number, _ in enumerate(step["args"], 1)] if len(step["args"]) > 1 else ["argument"]
    names = names[: len(step["args"])]
    lines = [f"{name} = {text}" for name, text in zip(names, step["args"], strict=True)]
    return lines, {**step, "args": names}, names


def step_lines(step, outcome, target="", watches=False):
    """Returns the lines that execute a step and check its outcome; with `watches` also its arguments afterwards."""
    if "raises" in outcome:
        return raises(outcome["raises"], expression(step, target))
    lines = []
    changed = outcome.get("arguments") or (step["args"] if watches else None)
    names = []
    if changed:
        lines, step, names = named_arguments(step)
    lines.append(comparison(read_as(outcome["how"], expression(step, target)), outcome["value"]))
    lines += [comparison(name, value) for name, value in zip(names, changed or [], strict=True) if value is not None]
    if outcome["prints"]:
        lines.append(f"assert capsys.readouterr().out == {outcome['prints']!r}")
    return lines


def function_blocks(unit, taken):
    groups = {}
    watches = any("arguments" in outcome[-1] for _, outcome in unit.cases)
    for scenario, outcome in unit.cases:
        last = outcome[-1]
        suffix = f"raises_{snake(last['raises'])}" if "raises" in last else "prints" if last["prints"] else ""
        suffix = suffix or ("changes_its_arguments" if watches else "")
        groups.setdefault(suffix, []).append(step_lines(scenario[0], last, watches=watches))
    blocks = []
    for suffix, cases in groups.items():
        name = unique("_".join(part for part in ("test", snake(unit.name).strip("_"), suffix) if part), taken)
        lines = [line for case in cases for line in case]
        blocks.append(test_function(name, lines))
    return blocks


def test_function(name, lines):
    takes = "capsys" if any("capsys." in line for line in lines) else ""
    return f"def {name}({takes}):\n" + "\n".join(f"    {line}" for line in lines)


def class_blocks(unit, target, taken):
    blocks = []
    for scenario, outcome in unit.cases:
        made = expression(scenario[0])
        if "raises" in outcome[0]:
            lines = raises(outcome[0]["raises"], made)
        else:
            lines = [f"{target} = {made}"]
            if outcome[0]["prints"]:
                lines.append(f"assert capsys.readouterr().out == {outcome[0]['prints']!r}")
            for step, result in zip(scenario[1:], outcome[1:], strict=False):
                lines += step_lines(step, result, target)
            lines += state_lines(target, outcome)
        parts = [step["name"] for step in scenario[1 : len(outcome)]] or ["is_made"]
        ending = [f"raises_{snake(outcome[-1]['raises'])}"] if "raises" in outcome[-1] else []
        name = unique("_".join(["test", target, *dict.fromkeys(snake(part).strip("_") for part in parts), *ending]), taken)
        blocks.append(test_function(name, lines))
    return blocks


def state_lines(target, outcome):
    """Returns checks of the public attributes after the last completed step."""
    return [comparison(f"{target}.{name}", value) for name, value in last_state(outcome).items()]


def last_state(outcome):
    return next((result["state"] for result in reversed(outcome) if "state" in result), {})


def unique(name, taken):
    number, candidate = 2, name
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    taken.add(candidate)
    return candidate
