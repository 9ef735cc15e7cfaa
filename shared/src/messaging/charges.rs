//! What steps cost that their workflow ended without: the log takes nothing after an end, and nothing that ran is free.

use super::broker::Broker;
use super::buckets::{Bucket, BucketError, Buckets};
use crate::ids::UserName;

/// Sums by user and day, beside what the log says.
#[derive(Debug, Clone)]
pub struct Charges {
    bucket: Bucket<f64>,
}

impl Charges {
    /// The charges behind `broker`.
    pub async fn open(broker: &Broker) -> Result<Self, BucketError> {
        Ok(Self { bucket: Buckets::new(broker).charges().await? })
    }

    /// What stands to the user's charge for workflows submitted on `day` (UTC, `2026-12-31`), in units of `total_cost`.
    pub async fn of(&self, user: &UserName, day: &str) -> Result<f64, BucketError> {
        let sum = self.bucket.get(&key(user, day)).await?.map_or(0.0, |(sum, _)| sum);
        // Workers write here: what cannot be a sum neither opens nor shuts anybody's day.
        Ok(if sum.is_finite() { sum.max(0.0) } else { 0.0 })
    }

    /// Adds `cost`, at most once: where the answer stays away it is not added again.
    pub async fn add(&self, user: &UserName, day: &str, cost: f64) -> Result<(), BucketError> {
        self.bucket.change(&key(user, day), |sum| Some(sum.unwrap_or(0.0) + cost)).await.map(|_| ())
    }
}

fn key(user: &UserName, day: &str) -> String {
    format!("{day}_{}", user.as_str())
}
