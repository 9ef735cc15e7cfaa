import itertools
import random
import statistics as exact

import pytest

from streaming_statistics import QUANTILES, NotEnoughValues, RunningQuantile, RunningStatistics, summaries


def test_moments_agree_with_the_exact_ones():
    generator = random.Random(1)
    values = [generator.gauss(50, 10) for _ in range(1000)]
    found = RunningStatistics(values)
    assert found.count == 1000
    assert found.mean == pytest.approx(exact.fmean(values))
    assert found.variance == pytest.approx(exact.variance(values))
    assert found.population_variance == pytest.approx(exact.pvariance(values))
    assert found.standard_deviation == pytest.approx(exact.stdev(values))
    assert (found.minimum, found.maximum) == (min(values), max(values))


def test_a_large_offset_does_not_destroy_the_variance():
    found = RunningStatistics(1e9 + value for value in (4, 7, 13, 16))
    assert found.variance == pytest.approx(30)


def test_one_value_and_equal_values():
    assert RunningStatistics([5]).population_variance == 0
    assert RunningStatistics([5, 5, 5]).standard_deviation == 0


def test_merging_parts_equals_the_whole():
    generator = random.Random(2)
    values = [generator.uniform(-5, 100) for _ in range(500)]
    for cut in (0, 1, 137, 500):
        first, second = RunningStatistics(values[:cut]), RunningStatistics(values[cut:])
        first.merge(second)
        whole = RunningStatistics(values)
        assert first.count == whole.count
        assert first.mean == pytest.approx(whole.mean)
        assert first.variance == pytest.approx(whole.variance)
        assert (first.minimum, first.maximum) == (whole.minimum, whole.maximum)


def test_merging_nothing_changes_nothing():
    empty = RunningStatistics()
    empty.merge(RunningStatistics())
    assert empty.count == 0


def test_statistics_of_too_few_values_are_errors():
    with pytest.raises(NotEnoughValues, match="at least 1 values are needed, 0"):
        _ = RunningStatistics().mean
    with pytest.raises(NotEnoughValues, match="at least 2 values are needed, 1"):
        _ = RunningStatistics([1]).variance
    with pytest.raises(NotEnoughValues):
        _ = RunningQuantile(0.5).value


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_quantiles_of_few_values_are_exact(count, quantile):
    values = [30, 10, 50, 20, 40][:count]
    found = RunningQuantile(quantile)
    for value in values:
        found.add(value)
    ordered = sorted(values)
    place = quantile * (count - 1)
    low = ordered[int(place)]
    high = ordered[min(int(place) + 1, count - 1)]
    assert found.value == pytest.approx(low + (place - int(place)) * (high - low))


@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("distribution", ["uniform", "gauss", "expovariate"])
def test_estimates_are_near_the_exact_quantiles(quantile, distribution):
    generator = random.Random(3)
    arguments = {"uniform": (0, 1), "gauss": (0, 1), "expovariate": (1,)}[distribution]
    values = [getattr(generator, distribution)(*arguments) for _ in range(5000)]
    found = RunningQuantile(quantile)
    for value in values:
        found.add(value)
    # Compared by rank: the share of values below the estimate.
    assert sum(value <= found.value for value in values) / len(values) == pytest.approx(quantile, abs=0.02)


@pytest.mark.parametrize("values", [range(1000), range(1000, 0, -1), [7] * 100])
def test_ordered_and_constant_streams(values):
    found = RunningQuantile(0.5)
    for value in values:
        found.add(value)
    assert found.value == pytest.approx(exact.median(values), abs=20)


def test_summaries_follow_an_endless_stream():
    third = next(itertools.islice(summaries(itertools.count(1)), 2, None))
    assert (third.count, third.mean, third.minimum, third.maximum) == (3, 2, 1, 3)
    assert (third.standard_deviation, third.quantiles) == (1, {0.25: 1.5, 0.5: 2, 0.75: 2.5})
    assert tuple(third.quantiles) == QUANTILES
    assert next(summaries([4])).standard_deviation == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "5", None, True])
def test_other_values_are_refused_and_change_nothing(value):
    for found in (RunningStatistics([1, 2]), RunningQuantile(0.5)):
        before = found.count
        with pytest.raises(ValueError, match="not a finite number"):
            found.add(value)
        assert found.count == before


@pytest.mark.parametrize("quantile", [0, 1, -0.5, 2])
def test_quantiles_are_between_zero_and_one(quantile):
    with pytest.raises(ValueError, match="between 0 and 1"):
        RunningQuantile(quantile)
