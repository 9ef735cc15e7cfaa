"""Runs every subtest of a unittest method; without `addSubTest` unittest ends the method at the first failing one."""

import unittest

import pytest
from _pytest.unittest import TestCaseFunction

_add_skip = TestCaseFunction.addSkip


def of(item):
    """Returns the failed and skipped subtests of a test: description, exception or reason."""
    return item.__dict__.setdefault("_promptcraft_subtests", [])


def _add_sub_test(self, _test_case, subtest, excinfo):
    if excinfo is not None:
        of(self).append((subtest._subDescription(), excinfo[1]))


def _skip_subtest_only(self, test_case, reason):
    if isinstance(test_case, unittest.case._SubTest):
        of(self).append((test_case._subDescription(), reason))
    else:
        _add_skip(self, test_case, reason)


TestCaseFunction.addSubTest = _add_sub_test
# Read by unittest where subtests are reported.
TestCaseFunction.failfast = False
TestCaseFunction.addSkip = _skip_subtest_only


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    failed = [name for name, result in of(item) if isinstance(result, BaseException)]
    if report.when == "call" and report.passed and failed:
        report.outcome = "failed"
        report.longrepr = f"failed subtests: {', '.join(failed)}"
