"""Changes to a given Python file: tests, clean-up and docstrings, each verified by running the file.

The file's code runs in separate processes (`probe`). The result is one JSON object on the driver's standard output,
which those processes do not inherit.
"""


class Refused(Exception):
    """The task cannot be done; the text says why and quotes names only."""
