//! How often a step was begun. The broker's delivery count also counts deliveries that only waited their turn, so a step that
//! is begun again is counted here, before it runs: a step that kills its worker is counted too.

use shared::messaging::{Bucket, BucketError, Delivery, Entry};

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

    /// Takes a begin back whose step reported by itself that it has to wait: an outage is no poison.
    pub(crate) async fn take_back(&self, entry: &Entry) {
        let key = format!("step-{}", entry.sequence);
        let taken = self.bucket.change(&key, |count| count.map(|count| count.saturating_sub(1))).await;
        if let Err(error) = taken {
            tracing::debug!(%error, "an attempt counts although it only waited");
        }
    }

    /// Attempts that a step has.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }
}
