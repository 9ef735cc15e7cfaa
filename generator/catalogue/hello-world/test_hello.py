import pytest

from hello import greet, main


def test_the_world_is_greeted_by_default():
    assert greet() == "Hello, world!"


@pytest.mark.parametrize("name, expected", [("Ada", "Hello, Ada!"), ("  Ada   Lovelace\n", "Hello, Ada Lovelace!"), ("\u4e16\u754c", "Hello, \u4e16\u754c!")])
def test_names(name, expected):
    assert greet(name) == expected


@pytest.mark.parametrize("name, error", [("", ValueError), (" \t", ValueError), (None, TypeError), (5, TypeError)])
def test_nobody_cannot_be_greeted(name, error):
    with pytest.raises(error):
        greet(name)


def test_the_program_prints_and_says_how_it_went(capsys):
    assert main([]) == 0
    assert main(["Ada", "ignored"]) == 0
    assert capsys.readouterr().out == "Hello, world!\nHello, Ada!\n"
    assert main([" "]) == 2
    assert "empty" in capsys.readouterr().err
