import random

import pytest

from tic_tac_toe import Board, IllegalMove, best_move, human, play, value


def board(rows):
    return Board(rows.replace("/", "").replace(".", " "))


def test_players_take_turns():
    start = Board()
    first = start.play(4)
    assert (start.turn, first.turn, first.fields) == ("X", "O", "    X    ")
    assert start == Board()


@pytest.mark.parametrize("rows", ["XXX/OO./...", "X.O/XO./X..", "XO./OX./..X", ".OX/OX./X.."])
def test_three_in_a_line_win(rows):
    position = board(rows)
    assert (position.winner, position.moves, position.is_over) == ("X", [], True)


def test_a_full_board_without_a_line_is_a_draw():
    position = board("XOX/XOO/OXX")
    assert (position.winner, position.is_over) == (None, True)


@pytest.mark.parametrize("field", [0, 9, -1])
def test_illegal_moves(field):
    with pytest.raises(IllegalMove, match="cannot be played"):
        board("X../.../...").play(field)


def test_no_move_after_the_end():
    with pytest.raises(IllegalMove, match="over"):
        board("XXX/OO./...").play(8)
    with pytest.raises(IllegalMove, match="over"):
        best_move(board("XXX/OO./..."))


@pytest.mark.parametrize("fields", ["", "X" * 9, "O        ", "XX       ", "x        ", " " * 10])
def test_impossible_boards_are_refused(fields):
    with pytest.raises(ValueError):
        Board(fields)


def test_the_computer_wins_where_it_can_and_blocks_where_it_must():
    assert best_move(board("XX./OO./...")) == 2
    assert best_move(board("XX./O../...")) == 2
    assert best_move(board("OO./XX./X..")) == 2


def test_a_fast_win_is_preferred():
    assert value(board("XX./OO./...")) > value(board("X../O../..."))


def test_perfect_play_is_a_draw():
    assert value(Board()) == 0
    assert play([best_move, best_move]).winner is None


@pytest.mark.parametrize("side", ["X", "O"])
def test_the_computer_never_loses_against_any_play(side):
    def explore(position):
        if position.is_over:
            assert position.winner in (side, None)
        elif position.turn == side:
            explore(position.play(best_move(position)))
        else:
            for field in position.moves:
                explore(position.play(field))

    explore(Board())


def test_the_computer_beats_a_careless_player():
    generator = random.Random(1)
    results = [play([best_move, lambda position: generator.choice(position.moves)]).winner for _ in range(50)]
    assert results.count("O") == 0 and results.count("X") > 35


def test_a_human_is_asked_until_the_answer_can_be_played():
    answers, shown = iter(["", "x", "0", "5", "²", " 2 "]), []
    choose = human(lambda prompt: next(answers), shown.append)
    assert choose(Board().play(4)) == 1
    assert shown[0].splitlines()[2] == " 4 | X | 6"
    assert shown[1:] == ["Please enter one of: 1, 2, 3, 4, 6, 7, 8, 9"] * 5
