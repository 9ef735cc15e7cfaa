"""Statistics of a stream of numbers in constant memory: Welford's moments and P-square quantiles."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

QUANTILES = (0.25, 0.5, 0.75)


class NotEnoughValues(ValueError):
    """The statistic needs more values than were added."""


def _finite(value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"not a finite number: {value!r}")
    return float(value)


class RunningStatistics:
    """Count, mean, variance, minimum and maximum of the numbers added so far (Welford's algorithm)."""

    def __init__(self, values: Iterable[float] = ()) -> None:
        self.count = 0
        self._mean = 0.0
        # Sum of the squared differences to the mean.
        self._squares = 0.0
        self._minimum = math.inf
        self._maximum = -math.inf
        for value in values:
            self.add(value)

    def add(self, value: float) -> None:
        """Add a number; what is not a finite number raises `ValueError` and changes nothing."""
        number = _finite(value)
        self.count += 1
        before = number - self._mean
        self._mean += before / self.count
        self._squares += before * (number - self._mean)
        self._minimum = min(self._minimum, number)
        self._maximum = max(self._maximum, number)

    def merge(self, other: "RunningStatistics") -> None:
        """Take in the numbers that were added to `other`, as when parts of the data are counted apart (Chan's formula)."""
        count = self.count + other.count
        if other.count == 0:
            return
        difference = other._mean - self._mean
        self._squares += other._squares + difference**2 * self.count * other.count / count
        self._mean += difference * other.count / count
        self.count = count
        self._minimum = min(self._minimum, other._minimum)
        self._maximum = max(self._maximum, other._maximum)

    def _need(self, count: int) -> None:
        if self.count < count:
            raise NotEnoughValues(f"at least {count} values are needed, {self.count} were added")

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        self._need(1)
        return self._mean

    @property
    def minimum(self) -> float:
        """The least number."""
        self._need(1)
        return self._minimum

    @property
    def maximum(self) -> float:
        """The greatest number."""
        self._need(1)
        return self._maximum

    @property
    def variance(self) -> float:
        """The sample variance (divided by count - 1)."""
        self._need(2)
        return self._squares / (self.count - 1)

    @property
    def population_variance(self) -> float:
        """The variance of the numbers themselves (divided by count)."""
        self._need(1)
        return self._squares / self.count

    @property
    def standard_deviation(self) -> float:
        """The sample standard deviation."""
        return math.sqrt(self.variance)


class RunningQuantile:
    """An estimate of one quantile from five markers (P-square algorithm by Jain and Chlamtac)."""

    def __init__(self, quantile: float) -> None:
        if not 0 < quantile < 1:
            raise ValueError("quantile must be between 0 and 1, both excluded")
        self.quantile = quantile
        self.count = 0
        self._heights: list[float] = []
        self._positions = [0, 1, 2, 3, 4]
        self._desired = [0.0, 2 * quantile, 4 * quantile, 2 + 2 * quantile, 4.0]
        self._steps = [0.0, quantile / 2, quantile, (1 + quantile) / 2, 1.0]

    def add(self, value: float) -> None:
        """Add a number; what is not a finite number raises `ValueError` and changes nothing."""
        number = _finite(value)
        self.count += 1
        if self.count <= 5:
            self._heights = sorted([*self._heights, number])
            return
        heights = self._heights
        heights[0], heights[4] = min(heights[0], number), max(heights[4], number)
        # The cell of the number: markers above it move up by one place.
        cell = max(index for index in range(4) if index == 0 or heights[index] <= number)
        for index in range(cell + 1, 5):
            self._positions[index] += 1
        self._desired = [desired + step for desired, step in zip(self._desired, self._steps)]
        for index in (1, 2, 3):
            self._adjust(index)

    def _adjust(self, index: int) -> None:
        """Move a marker by one place if it is more than that away from where it should be."""
        before, here, after = self._positions[index - 1 : index + 2]
        distance = self._desired[index] - here
        if distance >= 1 and after - here > 1:
            step = 1
        elif distance <= -1 and before - here < -1:
            step = -1
        else:
            return
        low, height, high = self._heights[index - 1 : index + 2]
        rising = (here - before + step) * (high - height) / (after - here)
        falling = (after - here - step) * (height - low) / (here - before)
        parabolic = height + step / (after - before) * (rising + falling)
        if not low < parabolic < high:
            # The parabola would break the order of the markers, a line does not.
            target, place = (high, after) if step > 0 else (low, before)
            parabolic = height + step * (target - height) / (place - here)
        self._heights[index] = parabolic
        self._positions[index] += step

    @property
    def value(self) -> float:
        """The estimate; exact for up to five numbers."""
        if self.count == 0:
            raise NotEnoughValues("at least 1 value is needed, 0 were added")
        if self.count > 5:
            return self._heights[2]
        place = self.quantile * (self.count - 1)
        low = int(place)
        high = min(low + 1, self.count - 1)
        return self._heights[low] + (place - low) * (self._heights[high] - self._heights[low])


@dataclass(frozen=True)
class Summary:
    """The statistics after some number of values; `quantiles` maps each quantile to its estimate."""

    count: int
    mean: float
    standard_deviation: float
    minimum: float
    maximum: float
    quantiles: dict[float, float]


def summaries(values: Iterable[float], quantiles: Sequence[float] = QUANTILES) -> Iterator[Summary]:
    """Yield a summary after each value of a stream, which may be endless."""
    statistics = RunningStatistics()
    estimates = [RunningQuantile(quantile) for quantile in quantiles]
    for value in values:
        statistics.add(value)
        for estimate in estimates:
            estimate.add(value)
        deviation = statistics.standard_deviation if statistics.count > 1 else 0.0
        found = {estimate.quantile: estimate.value for estimate in estimates}
        yield Summary(statistics.count, statistics.mean, deviation, statistics.minimum, statistics.maximum, found)
