"""Runs every subtest of a unittest method; without `addSubTest` unittest ends the method at the first failing one."""

import unittest

import pytest
from _pytest.unittest import TestCaseFunction

_add_skip = TestCaseFunction.addSkip


def of(item):
    """Returns the subtests of a test: description, outcome, and the exception of a failure or the reason of a skip."""
    return item.__dict__.setdefault("_promptcraft_subtests", [])


def _add_sub_test(self, _test_case, subtest, excinfo):
    error = excinfo and excinfo[1]
    if isinstance(error, pytest.exit.Exception):
        raise error
    if error is None:
        result = "passed", None
    elif isinstance(error, pytest.skip.Exception):
        result = "skipped", error.msg
    elif isinstance(error, pytest.xfail.Exception):
        result = "skipped", f"expected failure: {error.msg}"
    else:
        result = "failed", error
    of(self).append((subtest._subDescription(), *result))


def _skip_subtest_only(self, test_case, reason):
    if isinstance(test_case, unittest.case._SubTest):
        of(self).append((test_case._subDescription(), "skipped", reason))
    else:
        _add_skip(self, test_case, reason)


TestCaseFunction.addSubTest = _add_sub_test
# Read by unittest where subtests are reported.
TestCaseFunction.failfast = False
TestCaseFunction.addSkip = _skip_subtest_only


# Before pytest reads what the test raised, so that its marks apply to subtests too.
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    if call.when != "call" or call.excinfo is not None or not of(item):
        return
    raised = [info.value for info in getattr(item, "_excinfo", None) or ()]
    failed = [error for _, outcome, error in of(item) if outcome == "failed"]
    if failed and all(isinstance(error, pytest.skip.Exception) for error in raised):
        # A skip after a failed subtest does not undo the failure.
        item._excinfo = []
        item._addexcinfo((type(failed[0]), failed[0], failed[0].__traceback__))
    elif not raised and all(outcome == "skipped" for _, outcome, _ in of(item)):
        _add_skip(item, None, "every subtest was skipped")
