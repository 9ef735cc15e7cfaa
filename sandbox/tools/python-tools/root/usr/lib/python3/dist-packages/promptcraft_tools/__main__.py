"""Reads a task, does it, and writes one JSON object."""

import json
import sys

from promptcraft_tools import Refused
from promptcraft_tools.clean_up import clean_up
from promptcraft_tools.docstrings import docstrings
from promptcraft_tools.repair import repair
from promptcraft_tools.write_tests import write_tests

TASKS = {"write_tests": write_tests, "clean_up": clean_up, "docstrings": docstrings, "repair": repair}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        task = json.load(file)
    try:
        result = {"done": TASKS[task["task"]](task)}
    except Refused as refusal:
        result = {"refused": str(refusal)}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
