"""Reads a task, does it, and writes one JSON object."""

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


# `prctl` by its number for the attribute that lets other processes of the user read and write a process.
PR_SET_DUMPABLE = 4


def keep_apart():
    """Keeps the processes of the given code from this one's memory and descriptors."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def main():
    keep_apart()
    with open(sys.argv[1], encoding="utf-8") as file:
        task = json.load(file)
    try:
        result = {"done": TASKS[task["task"]](task)}
    except Refused as refusal:
        result = {"refused": str(refusal)}
    except Exception as error:  # noqa: BLE001 - a defect of ours is no reason to answer nothing
        traceback.print_exc()
        result = {"refused": f"the tool for this work failed with {type(error).__name__}"}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
