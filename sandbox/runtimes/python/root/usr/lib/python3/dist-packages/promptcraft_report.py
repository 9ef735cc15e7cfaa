"""Writes one JSON line to descriptor 3 when a test starts and one when it ends.

The start line lets the reader name the test that a kill interrupted. The reader does not trust the lines.
"""

import doctest
import json
import os

REPORT_FD = 3
LONGEST_NAME = 500
LONGEST_MESSAGE = 4000
RETURNED = "It is deprecated to return a value that is not None"


def _say(event, name, **more):
    line = {"event": event, "name": name[:LONGEST_NAME], **more}
    data = json.dumps(line).encode() + b"\n"
    while data:
        data = data[os.write(REPORT_FD, data) :]


def _end(name, outcome, seconds, message=None):
    _say("end", name, outcome=outcome, duration_ms=int(seconds * 1000), message=message)


def _describe(error):
    """Describes an exception without the source lines of a traceback."""
    while type(error).__name__ == "CollectError" and error.__cause__ is not None:
        error = error.__cause__
    # pytest groups the failed examples of one text.
    error = next(iter(getattr(error, "failures", ())), error)
    if isinstance(error, (doctest.DocTestFailure, doctest.UnexpectedException)):
        return _describe_example(error)[:LONGEST_MESSAGE]
    text = str(error)
    if isinstance(error, DeprecationWarning) and text.startswith(RETURNED):
        return "the test returned a value; use assert"
    if isinstance(error, SyntaxError):
        text = f"{error.msg} ({error.filename and os.path.basename(error.filename)}, line {error.lineno})"
    name = type(error).__name__
    message = f"{name}: {text}" if text and not text.startswith(name) else text or name
    return message[:LONGEST_MESSAGE]


def _describe_example(failure):
    line = (failure.test.lineno or 0) + failure.example.lineno + 1
    if isinstance(failure, doctest.DocTestFailure):
        return f"line {line}: the example printed {failure.got.strip() or 'nothing'}"
    return f"line {line}: the example raised {failure.exc_info[0].__name__}: {failure.exc_info[1]}"


class Reporter:
    def __init__(self):
        self.messages = {}
        self.ends = {}
        self.not_collected = set()

    def pytest_runtest_makereport(self, item, call):
        if call.excinfo is not None:
            self.messages[item.nodeid] = _describe(call.excinfo.value)

    def pytest_exception_interact(self, node, call, report):
        # For tests this is called after the report, for collection before it; only here is its exception available.
        if report.when == "collect":
            self.messages[report.nodeid] = _describe(call.excinfo.value)

    def pytest_runtest_logstart(self, nodeid, location):
        _say("start", nodeid)

    def pytest_collectreport(self, report):
        message = self.messages.pop(report.nodeid, None) or "collection failed"
        # A file is collected twice, for its tests and for its doctests.
        if report.failed and report.nodeid not in self.not_collected:
            self.not_collected.add(report.nodeid)
            _end(report.nodeid or "collection", "error", 0, message)

    def pytest_runtest_logreport(self, report):
        name, seconds = report.nodeid, report.duration
        message = self.messages.pop(name, None)
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
            return outcome, took, f"{earlier}; {message}"[:LONGEST_MESSAGE]
        return "error", seconds, message[:LONGEST_MESSAGE]

    # One end line per test: the reader counts a second one as another test.
    def pytest_runtest_logfinish(self, nodeid, location):
        if nodeid in self.ends:
            outcome, seconds, message = self.ends.pop(nodeid)
            _end(nodeid, outcome, seconds, message)


def _skip_reason(report):
    if hasattr(report, "wasxfail"):
        return f"expected failure: {report.wasxfail}"[:LONGEST_MESSAGE]
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[-1])[:LONGEST_MESSAGE]
    return None
