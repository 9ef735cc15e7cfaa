"""Runs programs and records the outcomes of calls of their functions. Started once per set of programs.

Standard input is a JSON object: `name` of the module, `programs` with the `source` and the `scenarios` of each,
`call_seconds`, and `pipe`, the descriptor for the answer. A scenario is a list of steps: a call of a name of the module,
or a call that creates an object followed by calls of its methods.
"""

import ast
import asyncio
import contextlib
import inspect
import io
import itertools
import json
import os
import signal
import sys
import types

from promptcraft_tools.literals import written

MAX_ITEMS = 200
MAX_PRINTED = 2_000
PRINTS_MUCH = f"it prints more than {MAX_PRINTED} characters"

# Audit events by prefix, and the effect that each reports.
EFFECTS = {
    "builtins.input": "it reads input",
    "open": "it opens files",
    "socket.": "it uses the network",
    "subprocess.": "it starts programs",
    "os.system": "it starts programs",
    "os.exec": "it starts programs",
    "os.fork": "it starts programs",
    "os.posix_spawn": "it starts programs",
    "os.spawn": "it starts programs",
    "os.putenv": "it changes the environment",
    "os.listdir": "it reads folders",
    "os.scandir": "it reads folders",
    "os.remove": "it removes files",
    "os.rename": "it renames files",
    "os.mkdir": "it makes folders",
    "os.rmdir": "it removes folders",
    "os.chmod": "it changes files",
    "os.chdir": "it changes the working directory",
    "shutil.": "it changes files",
    "tempfile.": "it makes files",
    "sqlite3.connect": "it opens a database",
    "time.sleep": "it waits",
}

effects = []
recording = False
# Created before auditing starts, because a loop opens sockets.
loop = asyncio.new_event_loop()


class TooSlow(BaseException):
    """A call exceeded its time limit."""


def watch(event, arguments):
    """Records the side effects of a function."""
    if not recording:
        return
    for name, effect in EFFECTS.items():
        if event == name or name.endswith(".") and event.startswith(name):
            path = arguments[0] if arguments else ""
            if event == "open" and isinstance(path, str) and path.startswith(("/usr/", "<")):
                return
            if effect not in effects:
                effects.append(effect)


def stop(_signal, _frame):
    raise TooSlow


def load(name, source):
    """Executes a program as a module of the given name."""
    module = types.ModuleType(name)
    module.__file__ = os.path.join(os.getcwd(), f"{name}.py")
    sys.modules[name] = module
    exec(compile(source, module.__file__, "exec"), module.__dict__)  # noqa: S102 - running the given code is the task
    return module


def plain(result):
    """Returns a comparable result and how it was obtained."""
    if inspect.iscoroutine(result):
        return loop.run_until_complete(result), "awaited"
    if inspect.isgenerator(result):
        return list(itertools.islice(result, MAX_ITEMS)), "listed"
    return result, "returned"


def take(step, target, printed):
    """Runs one step; returns its outcome and the object that it created or used."""
    arguments = [ast.literal_eval(text) for text in step["args"]]
    named = {key: ast.literal_eval(text) for key, text in step["kwargs"].items()}
    member = getattr(target, step["name"])
    if step["kind"] == "attribute":
        value = member
        how = "returned"
    else:
        value, how = plain(member(*arguments, **named))
    outcome = {"how": how, "value": written(value), "prints": printed.getvalue()[:MAX_PRINTED]}
    if step["kind"] == "make":
        outcome["value"] = None
        if len(printed.getvalue()) > MAX_PRINTED:
            outcome["odd"] = PRINTS_MUCH
        return outcome, value
    changed = [written(argument) for argument in arguments]
    if changed != [written(ast.literal_eval(text)) for text in step["args"]]:
        outcome["arguments"] = changed
    if len(printed.getvalue()) > MAX_PRINTED:
        outcome["odd"] = PRINTS_MUCH
    if outcome["value"] is None:
        outcome["odd"] = "it returns values that have no literal form"
    return outcome, target


def state_of(target):
    """Returns the public attributes of an object that can be written as literals."""
    values = {name: written(value) for name, value in getattr(target, "__dict__", {}).items() if not name.startswith("_")}
    return {name: value for name, value in values.items() if value is not None}


def run(module, scenario, seconds):
    """Runs a scenario; returns the outcome of each step up to the first exception."""
    global recording
    outcomes, target = [], module
    effects.clear()
    for step in scenario:
        printed = io.StringIO()
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            recording = True
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
                outcome, target = take(step, target, printed)
            if target is not module:
                outcome["state"] = state_of(target)
        except TooSlow:
            outcome = {"odd": "it takes too long", "slow": True}
        except BaseException as error:  # noqa: BLE001 - exits and interrupts of the given code as well
            outcome = {"raises": type(error).__name__, "module": type(error).__module__}
        finally:
            recording = False
            signal.setitimer(signal.ITIMER_REAL, 0)
        if effects:
            outcome["odd"] = effects[0]
        outcomes.append(outcome)
        if "raises" in outcome or "odd" in outcome:
            break
    return outcomes


def run_program(request, program):
    """Runs the scenarios of one program, fewer if it is slow."""
    try:
        signal.setitimer(signal.ITIMER_REAL, request["load_seconds"])
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            module = load(request["name"], program["source"])
    except TooSlow:
        return {"failed": "TimeoutError"}
    except BaseException as error:  # noqa: BLE001 - exits and interrupts of the given code as well
        return {"failed": type(error).__name__, "missing": getattr(error, "name", None) or ""}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    outcomes, slow = [], 0
    for scenario in program["scenarios"]:
        if slow >= request["max_slow"]:
            outcomes.append([{"odd": "it takes too long", "slow": True}])
            continue
        outcomes.append(run(module, scenario, request["call_seconds"]))
        slow += "slow" in outcomes[-1][-1]
    return {"outcomes": outcomes}


def main():
    request = json.load(sys.stdin)
    signal.signal(signal.SIGALRM, stop)
    sys.addaudithook(watch)
    sys.path.insert(0, os.getcwd())
    results = [run_program(request, program) for program in request["programs"]]
    with os.fdopen(request["pipe"], "w") as answer:
        json.dump(results, answer)


if __name__ == "__main__":
    main()
