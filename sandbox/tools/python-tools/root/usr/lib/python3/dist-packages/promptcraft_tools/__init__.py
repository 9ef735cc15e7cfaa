"""Work on a Python file that somebody gave: tests, clean-up and docstrings, each tried by running the file.

The file's code runs in processes of their own (`probe`, `trial`). The result is one JSON object on the driver's standard
output, which no such process holds.
"""


class Refused(Exception):
    """The work cannot be done; the text says why and quotes nothing but names."""
