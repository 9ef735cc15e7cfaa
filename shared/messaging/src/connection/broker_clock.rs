//! The broker's clock, extrapolated between readings with this machine's clocks.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use domain::Timestamp;
use service::clock::Clock;

/// Maximum age of a reading.
const MAX_AGE: Duration = Duration::from_secs(5);
/// Maximum error of an estimate: a reading that took longer is discarded.
const MAX_ROUND_TRIP: Duration = Duration::from_millis(100);
/// Maximum difference in progress of the monotonic and the system clock. Above it neither is used: the machine was
/// suspended or its time was set.
const MAX_DISAGREEMENT: Duration = Duration::from_millis(100);

/// The last reading of the broker's clock, if still usable.
#[derive(Debug, Default)]
pub(crate) struct BrokerClock {
    system: Clock,
    last: Mutex<Option<Reading>>,
}

/// The broker's time with this machine's two clocks at its arrival.
#[derive(Debug, Clone, Copy)]
struct Reading {
    broker: Timestamp,
    monotonic: Instant,
    system: Timestamp,
}

impl BrokerClock {
    /// Returns the broker's time, at most [`MAX_ROUND_TRIP`] late; `None` if it must be read again.
    pub(crate) fn estimate(&self) -> Option<Timestamp> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last?.carried_to(Instant::now(), self.system.now())
    }

    /// Stores a reading whose request was sent at `sent`.
    pub(crate) fn observe(&self, broker: Timestamp, sent: Instant) {
        let monotonic = Instant::now();
        let reading = (monotonic.duration_since(sent) <= MAX_ROUND_TRIP).then(|| Reading {
            broker,
            monotonic,
            system: self.system.now(),
        });
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = reading;
    }
}

impl Reading {
    /// Returns the broker's time at a later moment; `None` beyond [`MAX_AGE`] or if the two clocks disagree.
    fn carried_to(self, monotonic: Instant, system: Timestamp) -> Option<Timestamp> {
        let passed = monotonic.duration_since(self.monotonic);
        let expected = self.system.after(passed);
        let disagreement = expected.since(system).max(system.since(expected));
        (passed <= MAX_AGE && disagreement <= MAX_DISAGREEMENT).then(|| self.broker.after(passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_carried_on_while_both_clocks_agree() {
        let reading = Reading {
            broker: Timestamp::from_millis(9_000),
            monotonic: Instant::now(),
            system: Timestamp::from_millis(50_000),
        };
        let at = |monotonic: u64, system: i64| {
            let estimate = reading
                .carried_to(reading.monotonic + Duration::from_millis(monotonic), Timestamp::from_millis(system));
            estimate.map(Timestamp::as_millis)
        };
        assert_eq!(at(0, 50_000), Some(9_000));
        assert_eq!(at(1_500, 51_450), Some(10_500));
        assert_eq!(at(5_000, 55_000), Some(14_000));
        assert_eq!(at(5_001, 55_001), None, "too old");
        assert_eq!(at(1_000, 51_200), None, "the machine was suspended");
        assert_eq!(at(1_000, 49_000), None, "the system's clock was set back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reading_is_not_kept() {
        let clock = BrokerClock::default();
        let sent = Instant::now();
        clock.observe(Timestamp::from_millis(1), sent);
        assert!(clock.estimate().is_some());
        tokio::time::advance(MAX_ROUND_TRIP * 2).await;
        clock.observe(Timestamp::from_millis(1), sent);
        assert_eq!(clock.estimate(), None);
    }
}
