#!/usr/bin/env python3
"""Checks the rules of CONTRIBUTING.md for text and layout that rustfmt and clippy do not know.

Usage: lint_prose.py [COMMIT_RANGE]. Prints one line for each offence and exits with 1 if there is any; `--count` prints
the figures for comments instead.
"""

import re
import subprocess
import sys
from collections import Counter

MAX_SUBJECT = 72
MAX_FILES_IN_FOLDER = 20
# Data with one folder or file for each case, where a reader never looks for one by its topic.
DATA_FOLDERS = ("generator/catalogue", "generator/words", "sandbox/tests/attacks", "tests/scenarios", "docs/decisions")

QUESTION = re.compile(r"(What|Whether|How|Who|Whose|Whom|Why|Where|When|If|Which|Whoever|Whatever)\b")
ODD_WORDS = {
    "nobody": "no worker, no caller",
    "whoever": "a client that",
    r"stands": "is, remains, represents",
    r"bears": "tolerates, retries",
    r"told": "receives, reports",
    r"tells": "reports, returns",
    r"hears?|heard": "receives",
    r"gone": "removed, unavailable",
    r"away": "unavailable",
    r"so (?:long|often|many)\b(?! as)": "the constant and its unit",
    r"out of touch": "stale",
    r"there is no such": "not found",
}
ODD = re.compile(r"\b(?:" + "|".join(ODD_WORDS) + r")\b", re.IGNORECASE)


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], check=True, capture_output=True, text=True).stdout
    return [path for path in listed.split("\0") if path]


def rust_sources():
    return [path for path in tracked("*.rs") if not path.startswith("generator/catalogue/")]


def comments(path):
    """Yields line number, kind of comment (`///`, `//!` or `//`), its text, and whether it begins an item's doc."""
    previous = None
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            found = re.match(r"\s*(///|//!|//)\s?(.*)", line) or re.search(r"\s(//)\s(.*)", line)
            kind = found[1] if found else None
            if found and '"' not in line[: found.start(1)]:
                yield number, kind, found[2], kind == "///" and previous != "///"
            previous = kind


def comment_offences():
    for path in rust_sources():
        for number, _, text, begins in comments(path):
            if begins and (word := QUESTION.match(text)):
                yield f"{path}:{number}: item doc starts with {word[0]!r}; start with a verb or a noun"
            for word in ODD.finditer(text):
                yield f"{path}:{number}: {word[0]!r} in a comment; write {plain_word(word[0])}"


def text_offences():
    for path in tracked("*.md"):
        if path.startswith("generator/catalogue/"):
            continue
        with open(path, encoding="utf-8") as text:
            for number, line in enumerate(text, 1):
                for word in ODD.finditer(line):
                    yield f"{path}:{number}: {word[0]!r}; write {plain_word(word[0])}"


def plain_word(word):
    return next(plain for odd, plain in ODD_WORDS.items() if re.fullmatch(odd, word, re.IGNORECASE))


def folder_offences():
    folders = Counter(path.rpartition("/")[0] for path in tracked() if not path.startswith(DATA_FOLDERS))
    for folder, count in sorted(folders.items()):
        if count > MAX_FILES_IN_FOLDER:
            yield f"{folder or 'the root'}: {count} files; at most {MAX_FILES_IN_FOLDER}, divide it by topic"


def commit_offences(commits):
    log = subprocess.run(["git", "log", "--no-merges", "--format=%h %s", *commits], check=True, capture_output=True, text=True)
    for line in log.stdout.splitlines():
        commit, _, subject = line.partition(" ")
        if len(subject) > MAX_SUBJECT:
            yield f"commit {commit}: its subject has {len(subject)} characters; at most {MAX_SUBJECT}"


def count():
    items = questions = words = odd = 0
    for path in rust_sources():
        for _, _, text, begins in comments(path):
            items += begins
            questions += bool(begins and QUESTION.match(text))
            words += len(text.split())
            odd += len(ODD.findall(text))
    print(f"{items} item docs, {questions} ({questions / items:.1%}) start with a question word")
    print(f"{words} words in comments, {odd} odd ones ({odd / words * 10_000:.1f} in 10,000)")


def main():
    if sys.argv[1:] == ["--count"]:
        count()
        return 0
    commits = sys.argv[1:] or ["-30"]
    offences = [*comment_offences(), *text_offences(), *folder_offences(), *commit_offences(commits)]
    for offence in offences:
        print(offence)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
