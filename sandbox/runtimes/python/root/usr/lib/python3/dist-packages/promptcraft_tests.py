"""Runs pytest over the job's folder with our reporter, started by `-P -m promptcraft_tests`.

The job's folder is added to the import path after our modules are loaded, so that a file of the job cannot replace one of
them. A configuration file of the job can change neither the arguments nor which files, classes and functions are tests.
"""

import faulthandler
import os
import sys

import promptcraft_collect
import promptcraft_report
import promptcraft_subtests
import pytest

# pytest uses the last value of an option, so nothing from the job may come after these.
FIXED = {
    "addopts": "",
    "testpaths": "",
    "python_files": "test_*.py *_test.py",
    "python_classes": "Test",
    "python_functions": "test",
    "norecursedirs": "*.egg .* build dist node_modules venv",
    "required_plugins": "",
}

# The job's output is passed through as it is captured: it is part of the result. pytest's faulthandler keeps a descriptor
# that a test may close.
QUIET = ["-q", "--no-header", "--tb=no", "--capture=tee-sys", "--show-capture=no", "--color=no"]
LEFT_OUT = ["-p", "no:cacheprovider", "-p", "no:faulthandler"]

# A unittest method that returns a value has checked nothing; unittest only warns.
STRICT = ["-W", f"error:{promptcraft_report.RETURNED}:DeprecationWarning"]


def main():
    folder = os.getcwd()
    sys.path.insert(0, folder)
    fixed = [word for name, value in FIXED.items() for word in ("-o", f"{name}={value}")]
    arguments = [*QUIET, *LEFT_OUT, *STRICT, f"--rootdir={folder}", *fixed]
    reporter = promptcraft_report.Reporter()
    faulthandler.enable()
    code = pytest.main(arguments, plugins=[reporter, promptcraft_subtests, promptcraft_collect])
    # A file that skips itself has no tests to collect.
    return pytest.ExitCode.OK if code == pytest.ExitCode.NO_TESTS_COLLECTED and reporter.skipped_files else code


if __name__ == "__main__":
    sys.exit(main())
