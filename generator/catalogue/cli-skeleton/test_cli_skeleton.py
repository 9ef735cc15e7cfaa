import io

import pytest

from cli_skeleton import (
    EXIT_FAILURE,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
    PROGRAM,
    VERSION,
    Streams,
    build_parser,
    run,
)

TEXT = "apple\nBanana\napple\ncherry\n"


def call(*argv, stdin=TEXT):
    streams = Streams(io.StringIO(stdin), io.StringIO(), io.StringIO())
    code = run(argv, streams)
    return code, streams.stdout.getvalue(), streams.stderr.getvalue()


def test_lines_of_standard_input_are_counted():
    assert call("count") == (EXIT_OK, "4\n", "")
    assert call("count", "-") == (EXIT_OK, "4\n", "")
    assert call("count", "--distinct") == (EXIT_OK, "3\n", "")
    assert call("count", stdin="") == (EXIT_OK, "0\n", "")
    assert call("count", stdin="no line feed") == (EXIT_OK, "1\n", "")


def test_files_are_read_in_order(tmp_path):
    (tmp_path / "a.txt").write_text("x\ny\n", encoding="utf-8")
    assert call("find", "", str(tmp_path / "a.txt"), "-", stdin="z\n") == (EXIT_OK, "x\ny\nz\n", "")


def test_found_lines_are_printed():
    assert call("find", "an") == (EXIT_OK, "Banana\n", "")
    assert call("find", "-i", "APP") == (EXIT_OK, "apple\napple\n", "")


def test_finding_nothing_is_exit_code_one():
    assert call("find", "zzz") == (EXIT_FAILURE, "", "")


def test_the_most_frequent_lines():
    assert call("top", "--limit", "1") == (EXIT_OK, "2\tapple\n", "")
    assert call("top")[1].splitlines()[0] == "2\tapple"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        ((), "COMMAND"),
        (("unknown",), "invalid choice"),
        (("count", "--wrong"), "unrecognized arguments: --wrong"),
        (("count", "--dist"), "unrecognized arguments: --dist"),
        (("find",), "required: text"),
        (("top", "-n", "0"), "'0' is not a number above zero"),
        (("top", "-n", "x"), "'x' is not a number above zero"),
        (("top", "-n", "²"), "is not a number above zero"),
    ],
)
def test_wrong_arguments_are_exit_code_two_with_usage(argv, reason):
    code, output, errors = call(*argv)
    assert (code, output) == (EXIT_USAGE, "")
    assert errors.startswith("usage: ") and reason in errors


def test_files_that_cannot_be_read_are_named(tmp_path):
    missing = tmp_path / "missing.txt"
    assert call("count", str(missing)) == (EXIT_FAILURE, "", f"{PROGRAM}: cannot read {missing}: No such file or directory\n")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    code, _, errors = call("count", str(binary))
    assert (code, errors) == (EXIT_FAILURE, f"{PROGRAM}: {binary} is not UTF-8 text\n")


def test_help_and_version_are_not_errors():
    assert call("--version") == (EXIT_OK, f"{PROGRAM} {VERSION}\n", "")
    code, output, errors = call("--help")
    assert (code, errors) == (EXIT_OK, "")
    for command in ("count", "find", "top"):
        assert command in output
        assert call(command, "--help")[0] == EXIT_OK


def test_an_interrupt_has_its_own_exit_code():
    class Interrupted(io.StringIO):
        def __iter__(self):
            raise KeyboardInterrupt

    assert run(["count"], Streams(Interrupted(), io.StringIO(), io.StringIO())) == EXIT_INTERRUPTED


def test_a_text_that_looks_like_an_option():
    assert call("find", "--", "-x", stdin="a -x\n") == (EXIT_OK, "a -x\n", "")


def test_the_parser_is_made_anew_for_each_run():
    assert build_parser() is not build_parser()
