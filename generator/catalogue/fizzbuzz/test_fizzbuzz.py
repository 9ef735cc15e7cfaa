import pytest

from fizzbuzz import fizzbuzz, fizzbuzz_sequence, main


@pytest.mark.parametrize(
    "number, expected",
    [(1, "1"), (3, "Fizz"), (5, "Buzz"), (15, "FizzBuzz"), (30, "FizzBuzz"), (98, "98"), (99, "Fizz"), (100, "Buzz")],
)
def test_the_classic_rules(number, expected):
    assert fizzbuzz(number) == expected


@pytest.mark.parametrize("number, expected", [(0, "FizzBuzz"), (-3, "Fizz"), (-1, "-1")])
def test_zero_and_negative_numbers(number, expected):
    assert fizzbuzz(number) == expected


def test_the_first_fifteen():
    assert fizzbuzz_sequence(15) == [
        "1", "2", "Fizz", "4", "Buzz", "Fizz", "7", "8", "Fizz", "Buzz", "11", "Fizz", "13", "14", "FizzBuzz"
    ]  # fmt: skip


def test_a_hundred_by_default():
    answers = fizzbuzz_sequence()
    assert len(answers) == 100
    assert (answers.count("Fizz"), answers.count("Buzz"), answers.count("FizzBuzz")) == (27, 14, 6)


def test_ranges():
    assert fizzbuzz_sequence(6, first=4) == ["4", "Buzz", "Fizz"]
    assert fizzbuzz_sequence(3, first=3) == ["Fizz"]
    assert fizzbuzz_sequence(0) == []


def test_own_rules_keep_their_order():
    rules = [(2, "Even"), (7, "Seven")]
    assert [fizzbuzz(number, rules) for number in (2, 7, 14, 9)] == ["Even", "Seven", "EvenSeven", "9"]
    assert fizzbuzz(15, []) == "15"


def test_rules_may_be_an_iterator():
    assert fizzbuzz_sequence(4, rules=iter([(2, "Even")])) == ["1", "Even", "3", "Even"]


@pytest.mark.parametrize("number", [1.0, "3", None, True])
def test_only_integers(number):
    with pytest.raises(TypeError, match="integer"):
        fizzbuzz(number)


@pytest.mark.parametrize("rule", [(0, "Zero"), (-3, "Minus"), (3, "")])
def test_senseless_rules_are_refused(rule):
    with pytest.raises(ValueError):
        fizzbuzz(3, [rule])


def test_main_prints_the_game(capsys):
    main()
    assert capsys.readouterr().out.splitlines() == fizzbuzz_sequence()
