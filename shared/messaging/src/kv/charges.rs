//! Costs of steps whose workflow ended before their result: the log accepts no entry after an end, and every run is
//! charged.

use crate::connection::broker::Broker;
use crate::kv::bucket::{Bucket, BucketError, Buckets};
use crate::kv::cache::BucketCache;
use domain::ids::UserName;
use service::lifecycle::Lifecycle;

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
        Ok(FollowedCharges { sums: BucketCache::follow(self.bucket, life).await? })
    }

    /// Adds `cost`, at most once: an addition without an answer is not retried.
    pub async fn add(&self, user: &UserName, day: &str, cost: f64) -> Result<(), BucketError> {
        self.bucket.change(&key(user, day), |sum| Some(sum.unwrap_or(0.0) + cost)).await.map(|_| ())
    }
}

/// A copy of the charges that follows every change. Clones share the copy.
#[derive(Debug, Clone)]
pub struct FollowedCharges {
    sums: BucketCache<f64>,
}

impl FollowedCharges {
    /// Returns the user's charge as [`Charges::of`] does.
    pub fn of(&self, user: &UserName, day: &str) -> f64 {
        valid_sum(self.sums.get(&key(user, day)))
    }
}

/// Workers write the sums: an invalid one must not change any user's budget.
fn valid_sum(sum: Option<f64>) -> f64 {
    sum.filter(|sum| sum.is_finite()).map_or(0.0, |sum| sum.max(0.0))
}

fn key(user: &UserName, day: &str) -> String {
    format!("{day}_{}", user.as_str())
}
