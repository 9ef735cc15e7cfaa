"""Hangman: guess a word letter by letter before the lives are used up."""

import random
from collections.abc import Callable, Sequence

# Number of wrong guesses that end the game.
DEFAULT_LIVES = 6

WORDS = (
    "algorithm", "balcony", "compass", "daylight", "elephant", "fountain", "galaxy", "harvest", "island", "journey", "kitchen",
    "lantern", "mountain", "notebook", "orchard", "penguin", "quartz", "rhythm", "sunflower", "telescope", "umbrella", "window",
)  # fmt: skip


class InvalidGuess(ValueError):
    """A guess that is not one new letter, or comes after the end."""


class Hangman:
    """The state of a game."""

    def __init__(self, word: str, lives: int = DEFAULT_LIVES) -> None:
        self.word = word.strip().lower()
        if not any(character.isalpha() for character in self.word):
            raise ValueError("the word needs at least one letter")
        if lives < 1:
            raise ValueError("lives must be at least 1")
        self.lives = lives
        # In the order in which they were guessed.
        self.guessed: list[str] = []

    @property
    def wrong(self) -> list[str]:
        """The guessed letters that are not in the word."""
        return [letter for letter in self.guessed if letter not in self.word]

    @property
    def lives_left(self) -> int:
        """The number of wrong guesses that are left."""
        return self.lives - len(self.wrong)

    @property
    def is_won(self) -> bool:
        """Whether every letter was guessed."""
        return all(character in self.guessed for character in self.word if character.isalpha())

    @property
    def is_lost(self) -> bool:
        """Whether the lives are used up."""
        return self.lives_left <= 0

    @property
    def is_over(self) -> bool:
        """Whether the game has ended."""
        return self.is_won or self.is_lost

    def shown(self) -> str:
        """Return the word with an underscore for each letter that was not guessed."""
        return " ".join(character if not character.isalpha() or character in self.guessed else "_" for character in self.word)

    def guess(self, letter: str) -> bool:
        """Guess a letter and return whether it is in the word."""
        letter = letter.strip().lower()
        if self.is_over:
            raise InvalidGuess("the game is over")
        if len(letter) != 1 or not letter.isalpha():
            raise InvalidGuess("a guess is one letter")
        if letter in self.guessed:
            raise InvalidGuess(f"{letter} was guessed already")
        self.guessed.append(letter)
        return letter in self.word


def random_word(words: Sequence[str] = WORDS, choose: Callable[[Sequence[str]], str] = random.choice) -> str:
    """Return one of some words."""
    if not words:
        raise ValueError("there are no words to choose from")
    return choose(words)


def play(game: Hangman, read: Callable[[str], str] = input, write: Callable[[str], object] = print) -> bool:
    """Play in the terminal until the end; return whether the word was found."""
    while not game.is_over:
        write(f"{game.shown()}    lives: {game.lives_left}    wrong: {' '.join(game.wrong) or '-'}")
        try:
            write("Yes." if game.guess(read("Letter: ")) else "No.")
        except InvalidGuess as error:
            write(f"Not counted: {error}.")
    write(f"You won: {game.word}" if game.is_won else f"You lost. The word was {game.word}.")
    return game.is_won


if __name__ == "__main__":
    play(Hangman(random_word()))
