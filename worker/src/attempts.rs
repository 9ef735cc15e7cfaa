//! How often a step was begun. The broker's delivery count also counts deliveries that only waited their turn, so a step that
//! is begun again is counted here, before it runs: a step that kills its worker is counted too.

use std::time::Duration;

use shared::messaging::{Bucket, BucketError, Delivery, Entry};

/// Before each try to take an attempt back.
const TAKING_BACK: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(2)];

/// Counts attempts in a bucket that all workers share.
#[derive(Debug, Clone)]
pub(crate) struct Attempts {
    bucket: Bucket<u64>,
    limit: u64,
}

impl Attempts {
    pub(crate) fn new(bucket: Bucket<u64>, limit: u64) -> Self {
        Self { bucket, limit }
    }

    /// Notes that the step begins; false where it had all its attempts.
    ///
    /// A first delivery is not noted, which costs nothing: what was noted never counts from it on.
    pub(crate) async fn begin(&self, delivery: &Delivery<Entry>) -> Result<bool, BucketError> {
        if delivery.delivered() <= 1 {
            return Ok(true);
        }
        let key = format!("step-{}", delivery.body().sequence);
        let noted = |count: Option<u64>| match count.unwrap_or(1) {
            count if count >= self.limit => None,
            count => Some(count + 1),
        };
        self.bucket.change(&key, noted).await
    }

    /// Takes a begin back whose step reported by itself that it has to wait, or whose result could not be appended: an outage is no
    /// poison. What keeps a result from the log keeps this from its bucket as well, so it is tried for some seconds.
    pub(crate) async fn take_back(&self, entry: &Entry) {
        let key = format!("step-{}", entry.sequence);
        for pause in TAKING_BACK {
            tokio::time::sleep(pause).await;
            match self.bucket.change(&key, |count| count.map(|count| count.saturating_sub(1))).await {
                Ok(_) => return,
                Err(error) => tracing::debug!(%error, "an attempt could not be taken back"),
            }
        }
        tracing::warn!(workflow.id = %entry.workflow.id, "an attempt counts although it only waited");
    }

    /// Attempts that a step has.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }
}
