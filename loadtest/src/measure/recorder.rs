//! Latencies and failures by series, in total and by interval of the run.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::client::RequestFailure;
use crate::scenario::Series;

/// Significant digits of a histogram: an error of at most 0.1 %.
const DIGITS: u8 = 3;
/// Significant digits of an interval's histogram.
const INTERVAL_DIGITS: u8 = 2;
/// Largest latency, in microseconds: one hour.
const MAX_MICROS: u64 = 3_600_000_000;
/// Maximum intervals of a run.
const MAX_INTERVALS: u64 = 120;

/// The results of one series.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Microseconds of successful requests, from their planned instant.
    pub latencies: Histogram<u64>,
    /// Failed requests by reason.
    pub failures: BTreeMap<String, u64>,
}

/// The results of one interval of the measured window, over all operations.
#[derive(Debug, Clone)]
pub struct Interval {
    /// Microseconds of successful operations planned in the interval.
    pub latencies: Histogram<u64>,
    pub failures: u64,
}

/// Collects results. Requests planned before the measured window are not counted.
pub struct Recorder {
    window_start: Instant,
    interval: Duration,
    state: Mutex<State>,
}

/// Everything recorded so far.
#[derive(Debug, Clone)]
pub struct State {
    pub series: BTreeMap<Series, Tally>,
    pub intervals: Vec<Interval>,
    /// Microseconds from the planned instant of an operation to its sending.
    pub delays: Histogram<u64>,
    pub limited: u64,
    pub server_errors: u64,
    pub late: u64,
}

/// Returns an empty histogram of microseconds. Larger values are recorded as [`MAX_MICROS`].
pub(crate) fn histogram(digits: u8) -> Histogram<u64> {
    Histogram::new_with_max(MAX_MICROS, digits).expect("constants in the supported ranges")
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { latencies: histogram(DIGITS), failures: BTreeMap::new() }
    }

    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    pub fn total(&self) -> u64 {
        self.latencies.len() + self.failed()
    }
}

impl Recorder {
    /// Records requests planned from `window_start` on; `window` bounds the intervals.
    pub fn new(window_start: Instant, window: Duration) -> Self {
        let seconds = window.as_secs().div_ceil(MAX_INTERVALS).max(1);
        let count = window.as_secs().div_ceil(seconds).max(1);
        let empty = Interval { latencies: histogram(INTERVAL_DIGITS), failures: 0 };
        let state = State {
            series: BTreeMap::new(),
            intervals: vec![empty; usize::try_from(count).unwrap_or(1)],
            delays: histogram(DIGITS),
            limited: 0,
            server_errors: 0,
            late: 0,
        };
        Self { window_start, interval: Duration::from_secs(seconds), state: Mutex::new(state) }
    }

    /// Returns the length of an interval.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Records the result of a request at this instant. The latency counts from the planned instant.
    pub fn record(&self, series: Series, planned: Instant, result: &Result<(), RequestFailure>) {
        let Some(offset) = planned.checked_duration_since(self.window_start) else { return };
        let latency = micros(planned.elapsed());
        let mut state = self.lock();
        if let Err(failure) = result {
            state.limited += u64::from(*failure == RequestFailure::Status(429));
            state.server_errors += u64::from(matches!(failure, RequestFailure::Status(500..)));
            state.late += u64::from(*failure == RequestFailure::Late);
        }
        let tally = state.series.entry(series).or_insert_with(Tally::new);
        match result {
            Ok(()) => tally.latencies.saturating_record(latency),
            Err(failure) => *tally.failures.entry(failure.to_string()).or_default() += 1,
        }
        let index = usize::try_from(offset.as_secs() / self.interval.as_secs()).unwrap_or(usize::MAX);
        if let Some(interval) = state.intervals.get_mut(index).filter(|_| series.is_operation()) {
            match result {
                Ok(()) => interval.latencies.saturating_record(latency),
                Err(_) => interval.failures += 1,
            }
        }
    }

    /// Records the time from the planned instant to the sending, which is now.
    pub fn record_delay(&self, planned: Instant) {
        if planned >= self.window_start {
            self.lock().delays.saturating_record(micros(planned.elapsed()));
        }
    }

    /// Returns a copy of everything recorded so far.
    pub fn snapshot(&self) -> State {
        self.lock().clone()
    }

    /// Returns operations recorded so far, the failed ones, and the 95th percentile of the newest interval with a
    /// response, in microseconds.
    pub fn progress(&self) -> (u64, u64, u64) {
        let state = self.lock();
        let operations = state.series.iter().filter(|(series, _)| series.is_operation());
        let (total, failed) =
            operations.fold((0, 0), |(total, failed), (_, tally)| (total + tally.total(), failed + tally.failed()));
        let newest = state.intervals.iter().rev().find(|interval| !interval.latencies.is_empty());
        (total, failed, newest.map_or(0, |interval| interval.latencies.value_at_quantile(0.95)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_percentile_is_within_a_thousandth_of_the_sorted_value(
            mut micros in prop::collection::vec(1_u64..20_000_000, 1..400), quantile in 0.01_f64..1.0
        ) {
            let mut tally = Tally::new();
            for value in &micros {
                tally.latencies.saturating_record(*value);
            }
            micros.sort_unstable();
            let rank = ((quantile * micros.len() as f64).ceil() as usize).clamp(1, micros.len());
            let (exact, found) = (micros[rank - 1] as f64, tally.latencies.value_at_quantile(quantile) as f64);
            prop_assert!((found - exact).abs() <= exact / 1_000.0 + 1.0, "{} instead of {}", found, exact);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn latencies_count_from_the_planned_instant_and_only_in_the_window() {
        let planned = Instant::now() + Duration::from_secs(1);
        let recorder = Recorder::new(planned, Duration::from_secs(10));
        recorder.record(Series::Analyze, planned - Duration::from_millis(1), &Ok(()));
        tokio::time::advance(Duration::from_secs(3)).await;
        recorder.record(Series::Analyze, planned, &Ok(()));
        recorder.record(Series::Analyze, planned, &Err(RequestFailure::Status(503)));
        let state = recorder.snapshot();
        let tally = &state.series[&Series::Analyze];
        assert_eq!((tally.total(), tally.failed(), state.server_errors), (2, 1, 1));
        assert!((1_999_000..2_002_000).contains(&tally.latencies.max()), "{}", tally.latencies.max());
        assert_eq!((state.intervals[0].latencies.len(), state.intervals[0].failures), (1, 1));
    }
}
