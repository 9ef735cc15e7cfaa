import pytest

from hangman import DEFAULT_LIVES, WORDS, Hangman, InvalidGuess, play, random_word

UNUSED = "zyxwvutsrqponmlkjihgfedcb"


def test_right_letters_appear_everywhere():
    game = Hangman("banana")
    assert game.shown() == "_ _ _ _ _ _"
    assert game.guess("a")
    assert game.shown() == "_ a _ a _ a"
    assert game.lives_left == DEFAULT_LIVES


def test_wrong_letters_cost_lives():
    game = Hangman("aa", lives=3)
    assert not game.guess("x")
    assert (game.lives_left, game.wrong) == (2, ["x"])


def test_all_letters_win():
    game = Hangman("abba")
    game.guess("b")
    assert not game.is_over
    game.guess("a")
    assert (game.is_won, game.is_lost, game.is_over) == (True, False, True)


def test_no_lives_lose():
    game = Hangman("a")
    for letter in UNUSED[:DEFAULT_LIVES]:
        assert not game.is_over
        game.guess(letter)
    assert (game.is_won, game.is_lost) == (False, True)


def test_capitals_and_space_do_not_matter():
    game = Hangman(" Ab ")
    assert game.guess(" B ")
    assert game.shown() == "_ b"


def test_other_characters_are_shown_from_the_start():
    game = Hangman("ice-cream 2")
    assert game.shown() == "_ _ _ - _ _ _ _ _   2"
    for letter in "icream":
        game.guess(letter)
    assert game.is_won


@pytest.mark.parametrize("letter", ["", "ab", "1", "-", " "])
def test_guesses_that_are_no_letter_cost_nothing(letter):
    game = Hangman("word")
    with pytest.raises(InvalidGuess, match="one letter"):
        game.guess(letter)
    assert game.guessed == []


def test_a_letter_is_guessed_once():
    game = Hangman("word", lives=3)
    game.guess("x")
    with pytest.raises(InvalidGuess, match="x was guessed already"):
        game.guess("X")
    assert game.lives_left == 2


def test_no_guess_after_the_end():
    game = Hangman("a", lives=1)
    game.guess("z")
    with pytest.raises(InvalidGuess, match="over"):
        game.guess("a")


@pytest.mark.parametrize("word, lives", [("", 6), ("123", 6), ("word", 0), ("word", -1)])
def test_senseless_games_are_refused(word, lives):
    with pytest.raises(ValueError):
        Hangman(word, lives)


def test_games_do_not_share_guesses():
    Hangman("a").guess("a")
    assert Hangman("a").guessed == []


def test_the_word_is_chosen_from_the_list():
    assert random_word(["x", "y"], choose=lambda words: words[-1]) == "y"
    assert random_word() in WORDS
    with pytest.raises(ValueError, match="no words"):
        random_word([])


def test_a_game_in_the_terminal():
    answers, shown = iter(["a", "a", "z", "b"]), []
    assert play(Hangman("ab", lives=2), lambda prompt: next(answers), shown.append)
    assert shown[0] == "_ _    lives: 2    wrong: -"
    assert "Not counted: a was guessed already." in shown
    assert shown[-1] == "You won: ab"


def test_a_lost_game_shows_the_word():
    shown = []
    assert not play(Hangman("ab", lives=1), lambda prompt: "z", shown.append)
    assert shown[-1] == "You lost. The word was ab."
