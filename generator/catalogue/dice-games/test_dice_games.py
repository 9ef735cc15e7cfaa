import random

import pytest

from dice_games import (
    BEATS,
    Dice,
    parse_dice,
    play_guessing,
    play_rock_paper_scissors,
    rock_paper_scissors,
    roll,
    roll_totals,
    toss_coin,
)


@pytest.mark.parametrize(
    "notation, expected",
    [("3d6", Dice(3, 6)), ("d20", Dice(1, 20)), ("2D8+5", Dice(2, 8, 5)), (" 1d4 - 1 ", Dice(1, 4, -1)), ("1000d2", Dice(1000, 2))],
)
def test_notation(notation, expected):
    assert parse_dice(notation) == expected


@pytest.mark.parametrize("notation", ["", "6", "d", "0d6", "1d1", "1001d6", "d9999999", "2d6+", "-1d6", "2d6*2", "٣d6", "2d6+1+1"])
def test_texts_that_are_no_dice(notation):
    with pytest.raises(ValueError):
        parse_dice(notation)


def test_rolls_are_in_range_and_sum_up():
    source = random.Random(1)
    for _ in range(300):
        result = roll("3d6+2", source)
        assert len(result.faces) == 3
        assert all(1 <= face <= 6 for face in result.faces)
        assert result.total == sum(result.faces) + 2


def test_the_same_source_gives_the_same_rolls():
    assert roll("9d20", random.Random(7)) == roll("9d20", random.Random(7))
    assert 1 <= roll(Dice(1, 6)).total <= 6


def test_totals_are_distributed_as_they_should():
    totals = roll_totals("2d6", 6000, random.Random(2))
    assert set(totals) == set(range(2, 13))
    assert totals.total() == 6000
    assert totals[7] == pytest.approx(1000, rel=0.15)
    assert totals[2] == pytest.approx(167, rel=0.3)


def test_bounds_and_average():
    dice = Dice(2, 6, 3)
    assert (dice.least, dice.greatest, dice.average) == (5, 15, 10)


def test_coins_fall_on_both_sides():
    source = random.Random(3)
    heads = [toss_coin(source) for _ in range(1000)].count("heads")
    assert 430 < heads < 570


@pytest.mark.parametrize("first", BEATS)
@pytest.mark.parametrize("second", BEATS)
def test_rules_of_rock_paper_scissors(first, second):
    expected = 0 if first == second else 1 if (first, second) in BEATS.items() else 2
    assert rock_paper_scissors(first, second) == expected


def test_the_rules_by_name():
    assert rock_paper_scissors("rock", "scissors") == 1
    assert rock_paper_scissors("rock", "paper") == 2
    with pytest.raises(ValueError, match="'lizard' is not one of: rock, paper, scissors"):
        rock_paper_scissors("rock", "lizard")


def test_a_match_ends_when_one_side_has_enough_wins():
    shown = []
    answers = random.Random(5)
    won = play_rock_paper_scissors(3, lambda prompt: answers.choice(sorted(BEATS)), shown.append, random.Random(6))
    assert shown[-1].endswith("3 : " + shown[-1][-1]) == won
    assert len(shown) >= 3


def test_a_wrong_choice_is_asked_again():
    answers, shown = iter(["stone", " Rock ", "rock", "rock", "rock", "rock", "rock", "rock"]), []
    play_rock_paper_scissors(1, lambda prompt: next(answers), shown.append, random.Random(1))
    assert shown[0] == "Please enter one of: rock, paper, scissors"
    assert shown[1].startswith("I chose")


def test_guessing_a_number():
    secret = random.Random(4).randint(1, 50)
    answers, shown = iter([str(secret - 1), "x", str(secret + 1), str(secret)]), []
    assert play_guessing(50, lambda prompt: next(answers), shown.append, random.Random(4)) == 3
    assert shown == ["Too low.", "Please enter a whole number.", "Too high.", "Right, after 3 guesses."]


def test_senseless_ranges_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        play_guessing(0)
