"""Runs as every interpreter starts. A module and not a line of a `.pth` file, which would be compiled each time."""

import os
import sys

# What was printed before a job is killed is in the pipe by then.
if sys.stdout:
    sys.stdout.reconfigure(line_buffering=True)
if "PROMPTCRAFT_WAIT" in os.environ:
    import promptcraft_wait

    del promptcraft_wait, sys.modules["promptcraft_wait"]
