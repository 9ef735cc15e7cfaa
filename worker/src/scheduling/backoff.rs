//! Delays of steps that are returned to their queue.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Minimum spacing between redeliveries of one user's throttled steps, and the maximum spread of all: 100 redeliveries
/// per second and worker, and some 330 per second for 100,000 throttled steps.
const REQUEUE_SPACING: Duration = Duration::from_millis(10);
const MAX_REQUEUE_SPREAD: Duration = Duration::from_secs(300);
/// Bounds of the delay by deliveries of a throttled step, and its growth per delivery.
const MIN_REQUEUE_DELAY: Duration = Duration::from_millis(200);
const REQUEUE_DELAY_STEP: Duration = Duration::from_millis(100);
const MAX_REQUEUE_DELAY_STEPS: u32 = 50;

/// Delays of throttled steps that this worker returns to their queue.
#[derive(Debug, Default)]
pub(crate) struct RequeueBackoff {
    /// The redelivery time of each user's last step.
    last: Mutex<HashMap<String, Instant>>,
}

impl RequeueBackoff {
    /// Returns the delay of a user's throttled step after this many deliveries.
    ///
    /// A user's steps are spaced, because the broker hands out redeliveries before new messages.
    pub(crate) fn delay(&self, user: &str, delivered: u64) -> Duration {
        let deliveries = u32::try_from(delivered).unwrap_or(u32::MAX);
        let own = (REQUEUE_DELAY_STEP * deliveries.min(MAX_REQUEUE_DELAY_STEPS)).max(MIN_REQUEUE_DELAY);
        own.max(self.spaced(user))
    }

    /// Returns the delay that spaces the user's next redelivery from the last one.
    fn spaced(&self, user: &str) -> Duration {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, last| *last >= now);
        let next = last.get(user).map_or(now, |last| (*last + REQUEUE_SPACING).min(now + MAX_REQUEUE_SPREAD));
        last.insert(user.to_owned(), next);
        next - now
    }
}

/// Returns the delay of a failed step after this many deliveries: 0.5 s at first, at most 16 s.
pub(crate) fn retry_delay(delivered: u64) -> Duration {
    let exponent = u32::try_from(delivered.min(6)).unwrap_or(6);
    Duration::from_millis(250 * 2_u64.pow(exponent))
}

/// Returns the delay that a dependency asked for, at least that of [`retry_delay`]: it may ask for none each time.
pub(crate) fn requested_delay(requested: Duration, delivered: u64) -> Duration {
    requested.max(retry_delay(delivered))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn redeliveries_of_one_user_are_spaced_and_delay_no_other_user() {
        let backoff = RequeueBackoff::default();
        let delays: Vec<Duration> = (0..100_000).map(|_| backoff.spaced("greedy")).collect();
        assert_eq!((delays[0], delays[1], delays[100]), (Duration::ZERO, REQUEUE_SPACING, REQUEUE_SPACING * 100));
        assert_eq!(delays.last(), Some(&MAX_REQUEUE_SPREAD));
        assert_eq!(backoff.spaced("patient"), Duration::ZERO);
        tokio::time::sleep(MAX_REQUEUE_SPREAD + REQUEUE_SPACING).await;
        assert_eq!(backoff.spaced("greedy"), Duration::ZERO);
    }

    #[test]
    fn a_requested_delay_never_shortens_the_backoff() {
        for (requested, delivered, expected) in
            [(0, 1, 500), (0, 6, 16_000), (0, 1_000, 16_000), (7_000, 1, 7_000), (7_000, 6, 16_000)]
        {
            assert_eq!(requested_delay(Duration::from_millis(requested), delivered), Duration::from_millis(expected));
        }
    }
}
