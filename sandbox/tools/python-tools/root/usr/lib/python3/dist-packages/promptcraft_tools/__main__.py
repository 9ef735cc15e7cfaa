"""Reads a task, executes it and writes one JSON object."""

import ctypes
import json
import sys
import traceback

from promptcraft_tools import Refused
from promptcraft_tools.clean_up import clean_up
from promptcraft_tools.docstrings import docstrings
from promptcraft_tools.repair import repair
from promptcraft_tools.write_tests import write_tests

TASKS = {"write_tests": write_tests, "clean_up": clean_up, "docstrings": docstrings, "repair": repair}


# Option of `prctl` that controls whether other processes of the user may read and write a process.
PR_SET_DUMPABLE = 4


def keep_apart():
    """Protects the memory and descriptors of this process from the given code's processes."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def main():
    keep_apart()
    with open(sys.argv[1], encoding="utf-8") as file:
        task = json.load(file)
    try:
        result = {"done": TASKS[task["task"]](task)}
    except Refused as refusal:
        result = {"refused": str(refusal)}
    except Exception as error:  # noqa: BLE001 - a defect of this tool is reported as a refusal
        traceback.print_exc()
        result = {"refused": f"the tool for this work failed with {type(error).__name__}"}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
