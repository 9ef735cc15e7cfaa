"""Runs pytest over the job's folder with our reporter, started by `-P -m promptcraft_tests`.

The job's folder is put on the path once everything of ours is loaded: a file of the job's that is named like one of
those modules is then only a file. What a configuration file of the job may say is bounded as well: it may not choose
other arguments, nor which files, classes and functions are tests.
"""

import os
import sys

import promptcraft_collect
import promptcraft_report
import pytest

# For a name given twice pytest takes the last value, so nothing that the job ships comes after these.
FIXED = {
    "addopts": "",
    "testpaths": "",
    "python_files": "test_*.py *_test.py",
    "python_classes": "Test",
    "python_functions": "test",
    "norecursedirs": "*.egg .* build dist node_modules venv",
    "required_plugins": "",
}

# What the job prints is passed on as it is captured: it belongs to the result.
QUIET = ["-q", "--no-header", "--tb=no", "--capture=tee-sys", "--show-capture=no", "--color=no", "-p", "no:cacheprovider"]

# A method of unittest that returns its result has checked nothing; unittest only warns.
STRICT = ["-W", f"error:{promptcraft_report.RETURNED}:DeprecationWarning"]


def main():
    folder = os.getcwd()
    sys.path.insert(0, folder)
    fixed = [word for name, value in FIXED.items() for word in ("-o", f"{name}={value}")]
    arguments = [*QUIET, *STRICT, f"--rootdir={folder}", *fixed]
    return pytest.main(arguments, plugins=[promptcraft_report.Reporter(), promptcraft_collect])


if __name__ == "__main__":
    sys.exit(main())
