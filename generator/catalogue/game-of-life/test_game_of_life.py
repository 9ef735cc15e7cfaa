import itertools

import pytest

from game_of_life import GLIDER, after, generations, main, neighbours, parse, period, render, step

BLINKER = parse("###")
BLOCK = parse("##\n##")


def shifted(world, rows, columns):
    return frozenset((row + rows, column + columns) for row, column in world)


@pytest.mark.parametrize("count, alive, expected", [(0, True, False), (1, True, False), (2, True, True), (3, True, True), (4, True, False), (8, True, False), (2, False, False), (3, False, True), (4, False, False)])
def test_the_rules(count, alive, expected):
    world = set(neighbours((0, 0))[:count]) | ({(0, 0)} if alive else set())
    assert ((0, 0) in step(frozenset(world))) == expected


def test_a_block_stays_and_a_blinker_turns():
    assert step(BLOCK) == BLOCK
    assert render(step(BLINKER)) == "#\n#\n#"
    assert after(BLINKER, 2) == BLINKER


def test_an_empty_world_stays_empty():
    assert step(frozenset()) == frozenset()
    assert render(frozenset()) == ""


def test_a_glider_moves_one_field_in_four_generations():
    assert after(GLIDER, 4) == shifted(GLIDER, 1, 1)
    assert after(GLIDER, 400) == shifted(GLIDER, 100, 100)


def test_the_plane_has_no_edge():
    far = shifted(BLINKER, -1000, 10**9)
    assert after(far, 2) == far


def test_generations_start_with_the_world_itself():
    assert list(itertools.islice(generations(BLINKER), 3)) == [BLINKER, step(BLINKER), BLINKER]


def test_text_and_back():
    text = ".#.\n..#\n###"
    assert render(parse(text)) == text
    assert parse("#.\n\n #") == {(0, 0), (2, 1)}
    assert render(BLOCK, range(-1, 3), range(-1, 3)) == "....\n.##.\n.##.\n...."


def test_periods():
    assert (period(BLOCK), period(BLINKER), period(frozenset())) == (1, 2, 1)
    assert period(GLIDER, limit=50) is None


def test_a_known_long_history():
    r_pentomino = parse(".##\n##.\n.#.")
    assert len(after(r_pentomino, 100)) == 121


def test_senseless_arguments_are_refused():
    with pytest.raises(ValueError, match="negative"):
        after(BLOCK, -1)
    with pytest.raises(ValueError, match="line 2: 'x'"):
        parse("##\n#x")


def test_main_prints_generations(capsys):
    main()
    assert capsys.readouterr().out.startswith(".#...\n..#..\n###..\n")
