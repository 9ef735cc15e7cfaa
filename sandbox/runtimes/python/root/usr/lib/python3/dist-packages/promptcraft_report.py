"""Writes one JSON line to the report when a test starts and one when it ends.

The start line lets the reader name the test that a kill interrupted. The reader does not trust the lines.
"""

import doctest
import os

import promptcraft_pipe
import promptcraft_subtests
import pytest

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


def _describe(error):
    """Describes an exception without the source lines of a traceback."""
    while type(error).__name__ == "CollectError" and error.__cause__ is not None:
        error = error.__cause__
    # pytest groups the failed examples of one text.
    error = next(iter(getattr(error, "failures", ())), error)
    if isinstance(error, (doctest.DocTestFailure, doctest.UnexpectedException)):
        return _describe_example(error)
    text = str(error)
    if isinstance(error, DeprecationWarning) and text.startswith(RETURNED):
        return "the test returned a value; use assert"
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({error.filename and os.path.basename(error.filename)}, line {error.lineno})"
    name = type(error).__name__
    message = f"{name}: {text}" if text and not text.startswith(name) else text or name
    return _place(error, f"{os.getcwd()}/") + message


def _describe_example(failure):
    line = (failure.test.lineno or 0) + failure.example.lineno + 1
    if isinstance(failure, doctest.DocTestFailure):
        return f"line {line}: the example printed {failure.got.strip() or 'nothing'}"
    return f"line {line}: the example raised {failure.exc_info[0].__name__}: {failure.exc_info[1]}"


class Reporter:
    def __init__(self):
        self.pipe = promptcraft_pipe.ReportPipe()
        self.messages = {}
        self.ends = {}
        self.subtests = {}
        self.logs = []
        self.not_collected = set()
        self.skipped_files = False
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
        if call.excinfo is not None:
            self.messages[item.nodeid] = _describe(call.excinfo.value)
        if call.when == "call" and promptcraft_subtests.of(item):
            self.subtests[item.nodeid] = promptcraft_subtests.of(item)

    def pytest_exception_interact(self, node, call, report):
        # For tests this is called after the report, for collection before it; only here is its exception available.
        if report.when == "collect":
            self.messages[report.nodeid] = _describe(call.excinfo.value)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector):
        report = (yield).get_result()
        if isinstance(collector, pytest.Class) and report.passed and not report.result and _has_tests(collector.obj):
            self.constructed.append(collector.nodeid)

    def pytest_collection_finish(self, session):
        for name in self.constructed:
            message = f"{name}: the class has a constructor, so its tests did not run; use setup_method"
            # As the name of the whole run it is no test: the caller may run such a file as a program.
            self._end(name if session.items or self.not_collected else WHOLE_RUN, "error", 0, message)

    def pytest_runtest_logstart(self, nodeid, location):
        self._say("start", nodeid)

    def pytest_collectreport(self, report):
        message = self.messages.pop(report.nodeid, None) or "collection failed"
        # A file is collected twice, for its tests and for its doctests.
        if report.passed or report.nodeid in self.not_collected:
            return
        self.not_collected.add(report.nodeid)
        if report.failed:
            self._end(report.nodeid or "collection", "error", 0, message)
        else:
            self.skipped_files = True
            self._end(report.nodeid, "skipped", 0, _skip_reason(report))

    def pytest_runtest_logreport(self, report):
        name, seconds = report.nodeid, report.duration
        message = self.messages.pop(name, None)
        if report.failed and report.caplog:
            self.logs.append((name, report.caplog))
        if report.skipped and report.when in ("setup", "call"):
            self.ends[name] = "skipped", seconds, _skip_reason(report)
        elif report.failed and report.when == "call":
            self.ends[name] = "failed", seconds, message
        elif report.failed:
            self.ends[name] = self._broken(name, seconds, f"{report.when}: {message}")
        elif report.passed and report.when == "call":
            self.ends[name] = "passed", seconds, None

    def _broken(self, name, seconds, message):
        # A failed teardown must not hide why the test failed.
        outcome, took, earlier = self.ends.get(name, ("error", 0, None))
        if outcome == "failed":
            return outcome, took, f"{earlier}; {message}"
        return "error", seconds, message

    # One end line per test: the reader counts a second one as another test.
    def pytest_runtest_logfinish(self, nodeid, location):
        if nodeid not in self.ends:
            return
        outcome, seconds, message = self.ends.pop(nodeid)
        for name, result in self.subtests.pop(nodeid, ()):
            failed = isinstance(result, BaseException)
            self._end(f"{nodeid} {name}", *(("failed", 0, _describe(result)) if failed else ("skipped", 0, result)))
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


def _has_tests(test_class):
    return any(name.startswith("test") and callable(getattr(test_class, name, None)) for name in dir(test_class))


def _skip_reason(report):
    if hasattr(report, "wasxfail"):
        return f"expected failure: {report.wasxfail}"
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[-1])
    return None
