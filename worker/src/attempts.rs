//! Attempts of steps. The broker's delivery count includes throttled deliveries, so attempts are counted here, before
//! the step runs: a step that kills its worker is counted too.

use std::time::Duration;

use messaging::{Bucket, BucketError, Delivery, Entry};

/// Delay before each try to undo an attempt.
const UNDO_DELAYS: [Duration; 4] =
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

    /// Counts an attempt that begins; false if the step has had all its attempts.
    ///
    /// The first delivery is counted without a write: a missing entry means one attempt.
    pub(crate) async fn begin(&self, delivery: &Delivery<Entry>) -> Result<bool, BucketError> {
        if delivery.delivered() <= 1 {
            return Ok(true);
        }
        let next = |count: Option<u64>| match count.unwrap_or(1) {
            count if count >= self.limit => None,
            count => Some(count + 1),
        };
        self.bucket.change(&key_of(delivery.body()), next).await
    }

    /// Undoes the count of an attempt that an outage ended, so that outages exhaust no step.
    ///
    /// Tried for some seconds, because the same outage can affect the bucket.
    pub(crate) async fn undo(&self, entry: &Entry) {
        let (id, key) = (entry.workflow.id, key_of(entry));
        for delay in UNDO_DELAYS {
            tokio::time::sleep(delay).await;
            match self.bucket.change(&key, |count| count.map(|count| count.saturating_sub(1))).await {
                Ok(_) => return,
                Err(error) => {
                    tracing::debug!(workflow.id = %id, %error, "Workflow {id}: failed to undo an attempt: {error}");
                }
            }
        }
        tracing::warn!(workflow.id = %id, "Workflow {id}: counting an attempt that an outage ended");
    }

    /// Returns the maximum attempts of a step.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }
}

fn key_of(entry: &Entry) -> String {
    format!("step-{}", entry.sequence)
}
