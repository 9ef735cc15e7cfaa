"""Extends pytest by asynchronous tests and doctests of test files, and fails tests that return a value."""

import asyncio
import fnmatch
import inspect
import unittest

import pytest
from _pytest.doctest import DoctestModule
from _pytest.unittest import TestCaseFunction


def pytest_collect_file(file_path, parent):
    # Test files only: importing another file could start a program.
    if any(fnmatch.fnmatch(file_path.name, pattern) for pattern in parent.config.getini("python_files")):
        return DoctestModule.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    report = (yield).get_result()
    # The file's tests say whether the skip is allowed.
    if report.skipped and isinstance(collector, DoctestModule):
        report.outcome, report.longrepr, report.result = "passed", None, []


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    function = pyfuncitem.obj
    if inspect.isasyncgenfunction(function):
        pytest.fail("an asynchronous test must not yield", pytrace=False)
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    if inspect.iscoroutinefunction(function) or any(map(_is_asynchronous, arguments.values())):
        result = asyncio.run(_call(function, arguments))
    else:
        result = function(**arguments)
        # A decorator may hide that its function is asynchronous.
        if inspect.iscoroutine(result):
            result = asyncio.run(_finish(result))
    if result is not None:
        pytest.fail("the test returned a value; use assert", pytrace=False)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    # unittest calls such a method without awaiting its result.
    if isinstance(item, TestCaseFunction) and inspect.iscoroutinefunction(getattr(item, "obj", None)):
        if not issubclass(item.parent.obj, unittest.IsolatedAsyncioTestCase):
            pytest.fail("an asynchronous test needs unittest.IsolatedAsyncioTestCase", pytrace=False)


def _is_asynchronous(value):
    return inspect.iscoroutine(value) or inspect.isasyncgen(value)


async def _call(function, arguments):
    """Calls a test in a new event loop, with its asynchronous fixtures."""
    generators = [value for value in arguments.values() if inspect.isasyncgen(value)]
    try:
        ready = {name: await _value(value) for name, value in arguments.items()}
        result = function(**ready)
        return await result if inspect.isawaitable(result) else result
    finally:
        for generator in reversed(generators):
            async for _ in generator:
                pass


async def _value(fixture):
    if inspect.isasyncgen(fixture):
        return await anext(fixture)
    return await fixture if inspect.iscoroutine(fixture) else fixture


async def _finish(coroutine):
    return await coroutine
