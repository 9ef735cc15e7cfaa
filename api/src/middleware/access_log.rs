//! The access log: one line per request. Lines of unauthenticated or rate-limited requests are sampled, because they
//! could fill the disk.

use std::sync::atomic::{AtomicU64, Ordering};

use read_model::{Gcra, LocalBuckets};
use service::clock::Clock;

/// Sampled lines of this process: at most 20 in any second, 10 a second on average.
const SAMPLED_LINES: Gcra = Gcra { burst: 10, refill_per_minute: 600 };

/// Samples lines and counts the omitted ones.
#[derive(Debug)]
pub(crate) struct AccessLog {
    lines: LocalBuckets<()>,
    omitted: AtomicU64,
}

impl AccessLog {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { lines: LocalBuckets::new(clock), omitted: AtomicU64::new(0) }
    }

    /// Returns whether to write one more sampled line; counts it as omitted if not.
    pub(crate) fn admits_sampled_line(&self) -> bool {
        let is_admitted = self.lines.take((), SAMPLED_LINES).allowed;
        if !is_admitted {
            self.omitted.fetch_add(1, Ordering::Relaxed);
        }
        is_admitted
    }

    /// Logs the number of lines omitted since the last report, if any.
    pub(crate) fn report(&self) {
        let omitted = self.omitted.swap(0, Ordering::Relaxed);
        if omitted > 0 {
            tracing::info!(omitted, "Access log: omitted {omitted} lines of unauthenticated or rate-limited requests");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use domain::Timestamp;

    #[test]
    fn a_flood_writes_bounded_lines_and_the_rest_is_counted() {
        let clock = Clock::manual(Timestamp::from_millis(1_000));
        let log = AccessLog::new(clock.clone());
        let mut written = 0;
        for _ in 0..10_000 {
            clock.advance(Duration::from_millis(1));
            written += u64::from(log.admits_sampled_line());
        }
        assert!((100..=111).contains(&written), "{written} lines in 10 s");
        assert_eq!(log.omitted.load(Ordering::Relaxed), 10_000 - written);
    }
}
