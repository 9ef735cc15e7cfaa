//! Costs of steps whose workflow ended before their result: the log accepts no entry after an end, and every run is
//! charged.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::connection::broker::Broker;
use crate::kv::bucket::{Bucket, BucketError, Buckets};
use crate::kv::cache::BucketCache;
use domain::ids::UserName;
use service::lifecycle::Lifecycle;

/// Maximum time since the copy was known to be complete.
const MAX_AGE: Duration = Duration::from_secs(10);

/// Sums by user and day, in addition to the costs in the log.
#[derive(Debug, Clone)]
pub struct Charges {
    bucket: Bucket<f64>,
}

impl Charges {
    /// Opens the charges on `broker`.
    pub async fn open(broker: &Broker) -> Result<Self, BucketError> {
        Ok(Self { bucket: Buckets::new(broker).charges().await? })
    }

    /// Returns the user's charge for workflows submitted on `day` (UTC, `2026-12-31`), in units of `total_cost`.
    pub async fn of(&self, user: &UserName, day: &str) -> Result<f64, BucketError> {
        Ok(valid_sum(self.bucket.get(&key(user, day)).await?.map(|(sum, _)| sum)))
    }

    /// Follows the charges, for a reader that needs them without a request, usually a millisecond late.
    pub async fn follow(self, life: &Lifecycle) -> Result<FollowedCharges, BucketError> {
        let sums = BucketCache::follow(self.bucket.clone(), life).await?;
        Ok(FollowedCharges { charges: self, sums, day: Arc::default() })
    }

    /// Adds `cost`, at most once: an addition without an answer is not retried.
    pub async fn add(&self, user: &UserName, day: &str, cost: f64) -> Result<(), BucketError> {
        self.bucket.change(&key(user, day), |sum| Some(sum.unwrap_or(0.0) + cost)).await.map(|_| ())
    }
}

/// A copy of the day's charges that follows every change. Clones share the copy.
#[derive(Debug, Clone)]
pub struct FollowedCharges {
    charges: Charges,
    sums: BucketCache<f64>,
    /// The day that was read last; charges of others are dropped from the copy when it changes.
    day: Arc<Mutex<String>>,
}

impl FollowedCharges {
    /// Returns the user's charge as [`Charges::of`] does, and reads it there while the copy may lag.
    pub async fn of(&self, user: &UserName, day: &str) -> Result<f64, BucketError> {
        if self.sums.complete_at().elapsed() > MAX_AGE {
            return self.charges.of(user, day).await;
        }
        self.keep_day(day);
        Ok(valid_sum(self.sums.get(&key(user, day))))
    }

    fn keep_day(&self, day: &str) {
        let mut kept = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept != day {
            self.sums.keep_prefix(day);
            day.clone_into(&mut kept);
        }
    }
}

/// Workers write the sums: an invalid one must not change any user's budget.
fn valid_sum(sum: Option<f64>) -> f64 {
    sum.filter(|sum| sum.is_finite()).map_or(0.0, |sum| sum.max(0.0))
}

fn key(user: &UserName, day: &str) -> String {
    format!("{day}_{}", user.as_str())
}
