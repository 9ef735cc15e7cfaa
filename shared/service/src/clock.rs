//! The clock of a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use time::OffsetDateTime;

use crate::failpoints;

/// The source of time: the system's clock, or a manual one for tests.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// Returns the system's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// Returns a clock that stays at `start` until [`Clock::advance`] is called.
    pub fn manual(start: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(start.as_millis()))))
    }

    /// Advances a manual clock; has no effect on the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Some(hands) = &self.0 {
            hands.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Some(hands) => Timestamp::from_millis(hands.load(Ordering::SeqCst)),
            None => {
                let millis = Timestamp::of_date_time(OffsetDateTime::now_utc()).as_millis();
                Timestamp::from_millis(millis.saturating_add(failpoints::clock_ahead()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = Clock::manual(Timestamp::from_millis(10));
        assert_eq!(clock.now(), clock.now());
        clock.clone().advance(Duration::from_millis(7));
        assert_eq!(clock.now().as_millis(), 17);
    }
}
