"""A command-line program with subcommands, exit codes and plain streams: a small tool for lines of text to build on."""

import argparse
import contextlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TextIO

PROGRAM = "lines"
VERSION = "1.0.0"

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class CommandError(Exception):
    """The command cannot do its work; the message is for the user."""


@dataclass(frozen=True)
class Streams:
    """The streams of a run; tests replace them."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO


class _UsageError(Exception):
    """The arguments are wrong."""


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{self.format_usage()}{self.prog}: error: {message}")


@contextlib.contextmanager
def _opened(name: str, streams: Streams) -> Iterator[TextIO]:
    """Open a file for reading; `-` is standard input."""
    if name == "-":
        yield streams.stdin
        return
    try:
        file = Path(name).open(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot read {name}: {error.strerror}") from error
    with file:
        yield file


def _lines(names: Sequence[str], streams: Streams) -> Iterator[str]:
    for name in names:
        with _opened(name, streams) as file:
            try:
                for line in file:
                    yield line.rstrip("\n")
            except UnicodeDecodeError as error:
                raise CommandError(f"{name} is not UTF-8 text") from error


def count_command(arguments: argparse.Namespace, streams: Streams) -> int:
    """Print how many lines there are, or how many different ones."""
    lines = _lines(arguments.files, streams)
    number = len(set(lines)) if arguments.distinct else sum(1 for _ in lines)
    print(number, file=streams.stdout)
    return EXIT_OK


def find_command(arguments: argparse.Namespace, streams: Streams) -> int:
    """Print the lines that contain a text; the exit code is 1 if there are none."""
    wanted = arguments.text.casefold() if arguments.ignore_case else arguments.text
    found = False
    for line in _lines(arguments.files, streams):
        if wanted in (line.casefold() if arguments.ignore_case else line):
            print(line, file=streams.stdout)
            found = True
    return EXIT_OK if found else EXIT_FAILURE


def top_command(arguments: argparse.Namespace, streams: Streams) -> int:
    """Print the most frequent lines and how often each occurs."""
    for line, number in Counter(_lines(arguments.files, streams)).most_common(arguments.limit):
        print(f"{number}\t{line}", file=streams.stdout)
    return EXIT_OK


def positive(text: str) -> int:
    """Return a number above zero, as the type of an argument."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; each subcommand stores its function as `command`."""
    parser = _Parser(prog=PROGRAM, description="Work with lines of text.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    count = _command(commands, "count", count_command)
    count.add_argument("-d", "--distinct", action="store_true", help="count equal lines once")
    find = _command(commands, "find", find_command)
    find.add_argument("text", help="text to look for")
    find.add_argument("-i", "--ignore-case", action="store_true", help="ignore upper and lower case")
    top = _command(commands, "top", top_command)
    top.add_argument("-n", "--limit", type=positive, default=10, help="number of lines to print (default: %(default)s)")
    for each in (count, find, top):
        each.add_argument("files", nargs="*", default=["-"], help="files to read; - is standard input (default)")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    function: Callable[[argparse.Namespace, Streams], int],
) -> argparse.ArgumentParser:
    description = (function.__doc__ or "").strip()
    parser = commands.add_parser(name, help=description, description=description, allow_abbrev=False)
    parser.set_defaults(command=function)
    return parser


def run(argv: Sequence[str], streams: Streams) -> int:
    """Run the program with arguments and streams, and return its exit code. Never ends the process."""
    try:
        with contextlib.redirect_stdout(streams.stdout):
            arguments = build_parser().parse_args(argv)
        code: int = arguments.command(arguments, streams)
        streams.stdout.flush()
        return code
    except _UsageError as error:
        print(error, file=streams.stderr)
        return EXIT_USAGE
    except CommandError as error:
        print(f"{PROGRAM}: {error}", file=streams.stderr)
        return EXIT_FAILURE
    except SystemExit as end:
        # argparse ends so after --help and --version.
        return end.code if isinstance(end.code, int) else EXIT_OK
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def main() -> int:
    """Run with the arguments and streams of the process."""
    try:
        return run(sys.argv[1:], Streams(sys.stdin, sys.stdout, sys.stderr))
    except BrokenPipeError:
        # The reader of our output ended, as in `lines find x | head`. Python must not report it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE


if __name__ == "__main__":
    sys.exit(main())
