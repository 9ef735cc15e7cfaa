"""Ruff with fixed settings; configuration files are ignored."""

import subprocess

from promptcraft_tools import Refused

RUFF = "ruff"
SECONDS = 20


def run(arguments, text):
    done = subprocess.run(
        [RUFF, *arguments, "--isolated", "--no-cache", "--stdin-filename", "file.py", "-"],
        input=text.encode(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise Refused("ruff cannot work on the file")
    return done.stdout.decode()


def formatted(text):
    return run(["format"], text)


def fixed(text, rules):
    """Applies the safe fixes of the given rules."""
    return run(["check", "--fix", "--exit-zero", "--quiet", "--target-version", "py311", "--select", ",".join(rules)], text)
