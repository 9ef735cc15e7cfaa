import itertools

import pytest

from data_pipeline import CHUNK_SIZE, MAX_ERRORS, Pipeline, StageError


class Clock:
    """Each reading is a second later than the one before."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1
        return self.now


@pytest.fixture
def pipeline():
    return Pipeline().map("parse", int).filter("even", lambda number: number % 2 == 0).map("square", lambda number: number**2)


def test_stages_are_applied_in_order(pipeline):
    assert list(pipeline.run(["1", "2", "3", "4"])) == [4, 16]


def test_without_stages_or_items():
    assert list(Pipeline().run([1, 2])) == [1, 2]
    assert list(Pipeline().map("x", int).run([])) == []


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7, 100])
def test_the_size_of_chunks_does_not_change_the_result(pipeline, chunk_size):
    expected = [number**2 for number in range(50) if number % 2 == 0]
    assert list(pipeline.run(map(str, range(50)), chunk_size=chunk_size)) == expected


def test_one_item_can_become_several_or_none():
    words = Pipeline().flat_map("split", str.split)
    assert list(words.run(["a b", "", "c"])) == ["a", "b", "c"]


def test_stages_for_whole_chunks():
    sizes = []

    def save(chunk):
        sizes.append(len(chunk))
        return chunk

    assert list(Pipeline().map_chunk("save", save).run(range(7), chunk_size=3)) == list(range(7))
    assert sizes == [3, 3, 1]
    emptied = Pipeline().filter("none", lambda item: False).map_chunk("save", save)
    assert list(emptied.run(range(3))) == []
    assert sizes == [3, 3, 1]


def test_work_is_lazy_and_memory_is_bounded_by_the_chunk():
    taken = []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield number

    results = iter(Pipeline().map("double", lambda number: 2 * number).run(endless(), chunk_size=10))
    assert taken == []
    assert [next(results) for _ in range(11)] == [2 * number for number in range(11)]
    assert len(taken) == 20


def test_a_pipeline_is_never_changed_and_can_run_again(pipeline):
    longer = pipeline.map("text", str)
    assert list(pipeline.run(["2"])) == [4]
    assert list(longer.run(["2"])) == list(longer.run(["2"])) == ["4"]


def test_every_stage_is_measured(pipeline):
    run = pipeline.run(["1", "2", "3"], chunk_size=2, clock=Clock())
    assert run.report.stages[0].items_in == 0
    assert list(run) == [4]
    measured = [(stage.name, stage.items_in, stage.items_out, stage.seconds) for stage in run.report.stages]
    assert measured == [("parse", 3, 3, 2), ("even", 3, 1, 2), ("square", 1, 1, 2)]
    assert run.report.source_seconds == 3
    assert run.report.stages[0].items_per_second == 1.5
    assert run.report.slowest.name == "parse"
    assert "parse" in str(run.report) and "0 items skipped" in str(run.report)


def test_a_report_of_nothing():
    report = Pipeline().run([]).report
    assert report.slowest is None
    assert Pipeline().map("x", int).run([]).report.stages[0].items_per_second == float("inf")


def test_an_error_names_stage_and_item(pipeline):
    with pytest.raises(StageError, match="stage 'parse' failed for 'x': ValueError") as caught:
        list(pipeline.run(["1", "x", "2"], max_errors=0))
    assert (caught.value.stage, caught.value.item) == ("parse", "x")
    assert isinstance(caught.value.__cause__, ValueError)
    assert MAX_ERRORS >= 0


def test_failed_items_are_skipped_up_to_a_limit(pipeline):
    run = pipeline.run(["x", "2", "y", "4", "z"], max_errors=3)
    assert list(run) == [4, 16]
    assert [error.item for error in run.report.errors] == ["x", "y", "z"]
    with pytest.raises(StageError) as caught:
        list(pipeline.run(["x", "2", "y"], max_errors=1))
    assert caught.value.item == "y"


def test_an_item_that_fails_half_way_leaves_nothing():
    def parts(number):
        yield number
        if number == 2:
            raise ValueError
        yield -number

    assert list(Pipeline().flat_map("parts", parts).run([1, 2, 3], max_errors=1)) == [1, -1, 3, -3]


def test_a_failed_chunk_is_one_error():
    def fail(chunk):
        raise OSError("down")

    run = Pipeline().map_chunk("save", fail).run(range(5), chunk_size=5, max_errors=1)
    assert list(run) == []
    assert [error.item for error in run.report.errors] == [[0, 1, 2, 3, 4]]


def test_errors_of_the_source_pass_through():
    def broken():
        yield 1
        raise OSError("unavailable")

    with pytest.raises(OSError, match="unavailable"):
        list(Pipeline().run(broken()))


def test_misuse_is_refused(pipeline):
    for name in ("", "parse"):
        with pytest.raises(ValueError, match="name of its own"):
            pipeline.map(name, str)
    with pytest.raises(ValueError, match="chunk_size"):
        pipeline.run([], chunk_size=0)
    with pytest.raises(ValueError, match="max_errors"):
        pipeline.run([], max_errors=-1)
    assert CHUNK_SIZE >= 1
