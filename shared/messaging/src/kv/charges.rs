//! Costs of steps whose workflow ended before their result: the log accepts no entry after an end, and every run is
//! charged.

use crate::connection::broker::Broker;
use crate::kv::bucket::{Bucket, BucketError, Buckets};
use domain::ids::UserName;

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
        let sum = self.bucket.get(&key(user, day)).await?.map_or(0.0, |(sum, _)| sum);
        // Workers write here: an invalid sum must not change any user's budget.
        Ok(if sum.is_finite() { sum.max(0.0) } else { 0.0 })
    }

    /// Adds `cost`, at most once: an addition without an answer is not retried.
    pub async fn add(&self, user: &UserName, day: &str, cost: f64) -> Result<(), BucketError> {
        self.bucket.change(&key(user, day), |sum| Some(sum.unwrap_or(0.0) + cost)).await.map(|_| ())
    }
}

fn key(user: &UserName, day: &str) -> String {
    format!("{day}_{}", user.as_str())
}
