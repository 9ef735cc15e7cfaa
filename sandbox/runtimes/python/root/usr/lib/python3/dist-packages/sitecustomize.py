"""Runs when an interpreter starts. A module, because a line of a `.pth` file would be compiled each time."""

import os
import sys

# For a process that a job starts without PYTHONUNBUFFERED: output before a kill reaches the pipe by lines.
if sys.stdout:
    sys.stdout.reconfigure(line_buffering=True)
if "PROMPTCRAFT_WAIT" in os.environ:
    import promptcraft_wait

    del promptcraft_wait, sys.modules["promptcraft_wait"]
