"""Writes one JSON line to the report when a test starts and one when it ends.

The start line lets the reader name the test that a kill interrupted. The reader does not trust the lines.
"""

import doctest
import os

import promptcraft_pipe
import promptcraft_subtests
import pytest
from _pytest.compat import safe_getattr
from _pytest.doctest import MultipleDoctestFailures
from _pytest.python import hasinit, hasnew

WHOLE_RUN = "run"
LONGEST_NAME = 500
LONGEST_MESSAGE = 4000
RETURNED = "It is deprecated to return a value that is not None"


def _place(error, folder):
    """Returns `file:line: ` of the job's innermost frame, or nothing."""
    place = ""
    step = error.__traceback__
    while step is not None:
        path = step.tb_frame.f_code.co_filename
        if path.startswith(folder):
            place = f"{path[len(folder):]}:{step.tb_lineno}: "
        step = step.tb_next
    return place


def _describe(error, folder):
    """Describes an exception without the source lines of a traceback."""
    try:
        return _description(error, folder)
    except Exception:
        # The job wrote the exception's methods.
        return f"{type(error).__name__}, which has no readable text"


def _description(error, folder):
    while type(error).__name__ == "CollectError" and error.__cause__ is not None:
        error = error.__cause__
    # pytest groups the failed examples of one text.
    if isinstance(error, MultipleDoctestFailures):
        error = error.failures[0]
    if isinstance(error, (doctest.DocTestFailure, doctest.UnexpectedException)):
        return _describe_example(error)
    text = str(error)
    if isinstance(error, DeprecationWarning) and text.startswith(RETURNED):
        return "the test returned a value; use assert"
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({error.filename and os.path.basename(error.filename)}, line {error.lineno})"
    name = type(error).__name__
    message = f"{name}: {text}" if text and not text.startswith(name) else text or name
    return _place(error, folder) + message


def _describe_example(failure):
    line = (failure.test.lineno or 0) + failure.example.lineno + 1
    if isinstance(failure, doctest.DocTestFailure):
        return f"line {line}: the example printed {failure.got.strip() or 'nothing'}"
    return f"line {line}: the example raised {failure.exc_info[0].__name__}: {failure.exc_info[1]}"


class Reporter:
    def __init__(self):
        self.pipe = promptcraft_pipe.ReportPipe()
        # Now, because a test may remove the current folder.
        self.folder = f"{os.getcwd()}/"
        self.messages = {}
        self.ends = {}
        self.subtests = {}
        self.logs = []
        self.not_collected = set()
        self.skipped_files = {}
        self.constructed = []

    def _say(self, event, name, **more):
        self.pipe.say({"event": event, "name": name[:LONGEST_NAME], **more})

    def _end(self, name, outcome, seconds, message=None):
        message = message and message[:LONGEST_MESSAGE]
        self._say("end", name, outcome=outcome, duration_ms=int(seconds * 1000), message=message)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self):
        promptcraft_pipe.keep_open()

    def pytest_runtest_makereport(self, item, call):
        subtests = promptcraft_subtests.of(item)
        if call.when == "call" and subtests:
            self.subtests[item.nodeid] = subtests
        # What a subtest raised is reported as the subtest's.
        if call.excinfo is not None and all(call.excinfo.value is not detail for _, _, detail in subtests):
            self.messages[item.nodeid] = _describe(call.excinfo.value, self.folder)

    def pytest_exception_interact(self, node, call, report):
        # For tests this is called after the report, for collection before it; only here is its exception available.
        if report.when == "collect":
            self.messages[report.nodeid] = _describe(call.excinfo.value, self.folder)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector):
        report = (yield).get_result()
        if isinstance(collector, pytest.Class) and report.passed and not report.result:
            constructor = _constructor(collector.obj)
            if constructor and _has_tests(collector.obj):
                self.constructed.append((collector.nodeid, constructor))

    def pytest_collection_finish(self, session):
        for name in self.skipped_files.keys() - self.not_collected:
            self._end(name, "skipped", 0, self.skipped_files[name])
        for name, constructor in self.constructed:
            message = f"{name}: the class has a constructor, `{constructor}`, so its tests did not run; use setup_method"
            # As the name of the whole run it is no test: the caller may run such a file as a program.
            others = session.items or self.not_collected or self.skipped_files
            self._end(name if others else WHOLE_RUN, "error", 0, message)

    def pytest_runtest_logstart(self, nodeid, location):
        self._say("start", nodeid)

    def pytest_collectreport(self, report):
        message = self.messages.pop(report.nodeid, None) or "collection failed"
        # A file is collected twice, for its tests and for its doctests.
        if report.failed and report.nodeid not in self.not_collected:
            self.not_collected.add(report.nodeid)
            self._end(report.nodeid or "collection", "error", 0, message)
        elif report.skipped:
            self.skipped_files.setdefault(report.nodeid, _skip_reason(report))

    def pytest_runtest_logreport(self, report):
        name, seconds = report.nodeid, report.duration
        message = self.messages.pop(name, None)
        if report.failed and report.caplog:
            self.logs.append((name, report.caplog))
        if report.skipped and report.when in ("setup", "call"):
            self.ends[name] = "skipped", seconds, _skip_reason(report)
            self._expect_failed_subtests(name)
        elif report.failed and report.when == "call":
            self.ends[name] = "failed", seconds, message or self._reason_of_pytest(report)
        elif report.failed:
            self.ends[name] = self._broken(name, seconds, f"{report.when}: {message}")
        elif report.passed and report.when == "call":
            self.ends[name] = "passed", seconds, None

    def _expect_failed_subtests(self, name):
        for number, (subtest, outcome, detail) in enumerate(self.subtests.get(name, ())):
            if outcome == "failed":
                reason = f"expected failure: {_describe(detail, self.folder)}"
                self.subtests[name][number] = subtest, "skipped", reason

    def _reason_of_pytest(self, report):
        """Returns why a test that raised nothing failed, or None if its subtests say so."""
        if any(outcome == "failed" for _, outcome, _ in self.subtests.get(report.nodeid, ())):
            return None
        return str(report.longrepr or "failed without a reason")

    def _broken(self, name, seconds, message):
        # A failed teardown must not hide why the test failed.
        outcome, took, earlier = self.ends.get(name, ("error", 0, None))
        if outcome == "failed":
            return outcome, took, f"{earlier}; {message}" if earlier else message
        return "error", seconds, message

    # One end line per test: the reader counts a second one as another test.
    def pytest_runtest_logfinish(self, nodeid, location):
        if nodeid not in self.ends:
            return
        outcome, seconds, message = self.ends.pop(nodeid)
        for name, result, detail in self.subtests.pop(nodeid, ()):
            if result != "passed":
                reason = _describe(detail, self.folder) if result == "failed" else detail
                self._end(f"{nodeid} {name}", result, 0, reason)
        # A test that failed by its subtests only is reported as these.
        if outcome == "failed" and message is None:
            self._say("retract", nodeid)
        else:
            self._end(nodeid, outcome, seconds, message)

    # What tests print is passed through; what they log is not.
    def pytest_terminal_summary(self, terminalreporter):
        for name, text in self.logs:
            terminalreporter.section(f"log of {name}", "-")
            terminalreporter.write_line(text)


def _constructor(test_class):
    """Returns the name of the constructor because of which pytest passes over a class, or None."""
    if not safe_getattr(test_class, "__test__", True):
        return None
    return "__init__" if hasinit(test_class) else "__new__" if hasnew(test_class) else None


def _has_tests(test_class):
    return any(name.startswith("test") and callable(safe_getattr(test_class, name, None)) for name in dir(test_class))


def _skip_reason(report):
    if hasattr(report, "wasxfail"):
        # pytest adds the word if the test itself said so, also without a reason.
        reason = report.wasxfail.removeprefix("reason: ")
        return f"expected failure: {reason}" if reason else "expected failure"
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[-1])
    return None
