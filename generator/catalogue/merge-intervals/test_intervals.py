import random
from datetime import date

import pytest

from intervals import gaps, insert, intersect, merge, overlaps, total_length


@pytest.mark.parametrize(
    "intervals, expected",
    [
        ([], []),
        ([(1, 3)], [(1, 3)]),
        ([(1, 3), (2, 6), (8, 10), (15, 18)], [(1, 6), (8, 10), (15, 18)]),
        ([(1, 4), (4, 5)], [(1, 5)]),
        ([(1, 10), (2, 3)], [(1, 10)]),
        ([(5, 6), (1, 2)], [(1, 2), (5, 6)]),
        ([(1, 1), (1, 1)], [(1, 1)]),
        ([(-5, -1), (-2, 3)], [(-5, 3)]),
    ],
)
def test_merging(intervals, expected):
    assert merge(intervals) == expected


def test_the_input_is_left_alone_and_lists_are_pairs_too():
    given = [[3, 4], [1, 3]]
    assert merge(given) == [(1, 4)]
    assert given == [[3, 4], [1, 3]]


def test_inserting():
    assert insert([(1, 3), (6, 9)], (2, 5)) == [(1, 5), (6, 9)]
    assert insert([], (5, 7)) == [(5, 7)]
    assert insert([(1, 2), (8, 9)], (3, 10)) == [(1, 2), (3, 10)]


def test_merged_intervals_cover_the_same_points():
    numbers = random.Random(3)
    for _ in range(200):
        given = [(start, start + numbers.randrange(6)) for start in (numbers.randrange(40) for _ in range(8))]
        points = {point for start, end in given for point in range(start, end + 1)}
        merged = merge(given)
        assert points <= {point for start, end in merged for point in range(start, end + 1)}
        assert all(before[1] < after[0] for before, after in zip(merged, merged[1:]))
        assert merge(merged) == merged


def test_overlap_includes_touching():
    assert overlaps((1, 3), (3, 5))
    assert overlaps((1, 9), (4, 5))
    assert not overlaps((1, 2), (3, 4))
    assert not overlaps((3, 4), (1, 2))


def test_intersecting():
    assert intersect([(0, 2), (5, 10)], [(1, 5), (8, 12)]) == [(1, 2), (5, 5), (8, 10)]
    assert intersect([(1, 2)], [(3, 4)]) == []
    assert intersect([], [(1, 2)]) == []


def test_gaps_and_length():
    assert gaps([(8, 9), (1, 3), (2, 4)]) == [(4, 8)]
    assert gaps([(1, 2)]) == []
    assert total_length([(1, 4), (3, 6), (10, 11)]) == 6
    assert total_length([]) == 0


@pytest.mark.parametrize("interval", [(3, 1), (1,), (1, 2, 3), 5, (float("nan"), 1)])
def test_what_is_no_interval_is_refused(interval):
    with pytest.raises(ValueError, match="interval"):
        merge([interval])


def test_dates_work_as_well():
    assert merge([(date(2024, 1, 5), date(2024, 1, 9)), (date(2024, 1, 1), date(2024, 1, 6))]) == [
        (date(2024, 1, 1), date(2024, 1, 9))
    ]
