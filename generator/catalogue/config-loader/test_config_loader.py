from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config_loader import INI_SECTION, MAX_FILE_BYTES, ConfigError, convert, load_config


@dataclass(frozen=True)
class Example:
    host: str
    port: int = 8080
    timeout: float = 1.5
    debug: bool = False
    tags: list[str] = field(default_factory=list)
    data: Path | None = None


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(**arguments):
    with pytest.raises(ConfigError) as caught:
        load_config(Example, **arguments)
    return caught.value.problems


def test_defaults_fill_what_no_source_sets():
    assert load_config(Example, environ={"APP_HOST": "db"}) == Example("db")


def test_later_sources_win_and_the_environment_wins_over_files(tmp_path):
    ini = write(tmp_path, "a.ini", f"[{INI_SECTION}]\nhost = ini\nport = 1\ndebug = yes\n")
    other = write(tmp_path, "b.json", '{"port": 2, "timeout": 3, "tags": ["x"]}')
    found = load_config(Example, files=[ini, other], environ={"MY_TIMEOUT": "0.25"}, prefix="MY_")
    assert found == Example("ini", 2, 0.25, True, ["x"])


def test_text_is_converted_to_the_type_of_the_field():
    environ = {"APP_HOST": "h", "APP_PORT": " 9 ", "APP_DEBUG": "ON", "APP_TAGS": "a, b,,c", "APP_DATA": "/var"}
    assert load_config(Example, environ=environ) == Example("h", 9, 1.5, True, ["a", "b", "c"], Path("/var"))
    assert load_config(Example, environ={"APP_HOST": "h", "APP_DATA": ""}).data is None


def test_all_problems_are_reported_at_once_without_the_values(tmp_path):
    config = write(tmp_path, "a.json", '{"port": "hunter2", "prot": 1}')
    problems = problems_of(files=[config], environ={"APP_DEBUG": "maybe"})
    assert problems == [
        f"{config}: port: expected a whole number",
        f"{config}: prot is unknown; known are data, debug, host, port, tags, timeout",
        "environment variable APP_DEBUG: debug: expected one of 1, true, yes, on, 0, false, no, off",
        "host is missing: set APP_HOST or add it to a file",
    ]
    assert "hunter2" not in "".join(problems)


def test_a_wrong_value_is_not_also_reported_as_missing(tmp_path):
    config = write(tmp_path, "a.json", '{"host": 5}')
    assert problems_of(files=[config], environ={}) == [f"{config}: host: expected text"]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.json", "[1]", "must be an object"),
        ("a.json", "{", "Expecting property name"),
        ("a.ini", "host = x\n", "no section headers"),
        ("a.ini", "[other]\nhost = x\n", f"section [{INI_SECTION}] is missing"),
        ("a.yaml", "host: x", "unknown format"),
        ("a.json", " " * (MAX_FILE_BYTES + 1), "larger than"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path, name, text, reason):
    config = write(tmp_path, name, text)
    problem = problems_of(files=[config], environ={"APP_HOST": "h"})[0]
    assert problem.startswith(str(config)) and reason in problem


def test_a_missing_file_is_a_problem(tmp_path):
    assert "No such file" in problems_of(files=[tmp_path / "none.json"], environ={"APP_HOST": "h"})[0]


@pytest.mark.parametrize(("value", "wanted"), [(True, int), (1.5, int), ("1.5", int), ("", float), (1, bool), (None, str), ([1], list[str])])
def test_values_of_another_type_are_refused(value, wanted):
    with pytest.raises(ValueError, match="expected"):
        convert(value, wanted)


def test_percent_signs_in_ini_files_are_plain_text(tmp_path):
    config = write(tmp_path, "a.ini", f"[{INI_SECTION}]\nhost = 50%(x)s\n")
    assert load_config(Example, files=[config], environ={}).host == "50%(x)s"


def test_misuse_is_a_type_error():
    with pytest.raises(TypeError, match="dataclass"):
        load_config(dict)
    with pytest.raises(TypeError, match="unsupported"):
        convert("x", dict)
