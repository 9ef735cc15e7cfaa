import pytest

from tower_of_hanoi import IllegalMove, Move, hanoi, hanoi_iterative, main, minimum_moves, play

BOTH = [hanoi, hanoi_iterative]


@pytest.mark.parametrize("solve", BOTH)
def test_two_disks(solve):
    assert list(solve(2)) == [Move("A", "B"), Move("A", "C"), Move("B", "C")]


@pytest.mark.parametrize("solve", BOTH)
@pytest.mark.parametrize("disks", range(9))
def test_all_disks_reach_the_target_in_the_fewest_moves(solve, disks):
    moves = list(solve(disks))
    assert len(moves) == minimum_moves(disks)
    assert play(disks, moves) == {"A": [], "B": [], "C": list(range(disks, 0, -1))}


@pytest.mark.parametrize("disks", range(9))
def test_both_solutions_are_the_same(disks):
    assert list(hanoi(disks)) == list(hanoi_iterative(disks))


@pytest.mark.parametrize("solve", BOTH)
def test_pegs_may_have_other_names(solve):
    moves = list(solve(3, "left", "right", "middle"))
    assert play(3, moves, "left", "right", "middle")["right"] == [3, 2, 1]


def test_moves_come_one_by_one():
    assert next(hanoi(200)) == Move("A", "B")


def test_the_number_of_moves():
    assert [minimum_moves(disks) for disks in range(5)] == [0, 1, 3, 7, 15]
    assert minimum_moves(64) == 18_446_744_073_709_551_615


@pytest.mark.parametrize(
    "moves, message",
    [
        ([Move("B", "C")], "move 1: peg B is empty"),
        ([Move("A", "C"), Move("A", "C")], "move 2: disk 2 is larger than disk 1"),
        ([Move("A", "D")], "no peg 'D'"),
    ],
)
def test_illegal_moves_are_named(moves, message):
    with pytest.raises(IllegalMove, match=message):
        play(3, moves)


def test_a_disk_may_stay_on_its_peg():
    assert play(2, [Move("A", "A")])["A"] == [2, 1]


def test_main_prints_the_moves(capsys):
    main(2)
    assert capsys.readouterr().out == "A -> B\nA -> C\nB -> C\n"


@pytest.mark.parametrize("disks, error", [(-1, ValueError), (1.0, TypeError), ("3", TypeError), (True, TypeError)])
def test_senseless_numbers_of_disks_are_refused(disks, error):
    with pytest.raises(error, match="disks"):
        hanoi(disks)
    with pytest.raises(error, match="disks"):
        minimum_moves(disks)


def test_pegs_need_different_names():
    with pytest.raises(ValueError, match="different"):
        hanoi(2, "A", "A", "B")
