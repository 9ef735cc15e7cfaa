"""Runs when an interpreter starts. A module, because a line of a `.pth` file would be compiled each time."""

import builtins
import io
import os
import sys

_print = builtins.print


def print(*args, sep=" ", end="\n", file=None, flush=False):
    stream = sys.stdout if file is None else file
    if stream is None or (stream is not sys.__stdout__ and stream is not sys.__stderr__):
        return _print(*args, sep=sep, end=end, file=file, flush=flush)
    # Without a buffer the built-in one writes text and newline apart, so that lines of threads and processes mix.
    text = io.StringIO()
    _print(*args, sep=sep, end=end, file=text)
    stream.write(text.getvalue())
    if flush:
        stream.flush()


print.__module__, print.__doc__ = _print.__module__, _print.__doc__
builtins.print = print

# For a process that a job starts without PYTHONUNBUFFERED: output before a kill reaches the pipe by lines.
if sys.stdout:
    sys.stdout.reconfigure(line_buffering=True)
if "PROMPTCRAFT_WAIT" in os.environ:
    import promptcraft_wait

    del promptcraft_wait, sys.modules["promptcraft_wait"]
