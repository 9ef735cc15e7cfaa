//! What steps cost that their workflow ended without: the log takes nothing after an end, and nothing that ran is free.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::broker::Broker;
use super::buckets::{Bucket, BucketError, Buckets};
use crate::ids::UserName;

/// A sum that was read serves for so long: hardly any workflow is charged, and every submission and every step asks.
const KEPT: Duration = Duration::from_secs(1);
/// So many sums are kept before those that serve no more are forgotten.
const MOST: usize = 1_024;

/// Sums by user and day, beside what the log says. Clones share what was read.
#[derive(Debug, Clone)]
pub struct Charges {
    bucket: Bucket<f64>,
    read: Arc<Mutex<HashMap<String, (Instant, f64)>>>,
}

impl Charges {
    /// The charges behind `broker`.
    pub async fn open(broker: &Broker) -> Result<Self, BucketError> {
        Ok(Self { bucket: Buckets::new(broker).charges().await?, read: Arc::default() })
    }

    /// What stands to the user's charge for workflows submitted on `day` (UTC, `2026-12-31`), in units of `total_cost`; what others
    /// added within the last second may be missing.
    pub async fn of(&self, user: &UserName, day: &str) -> Result<f64, BucketError> {
        let key = key(user, day);
        if let Some((_, sum)) = self.lock().get(&key).filter(|(at, _)| at.elapsed() < KEPT) {
            return Ok(*sum);
        }
        let at = Instant::now();
        let sum = self.bucket.get(&key).await?.map_or(0.0, |(sum, _)| sum);
        // Workers write here: what cannot be a sum neither opens nor shuts anybody's day.
        let sum = if sum.is_finite() { sum.max(0.0) } else { 0.0 };
        let mut read = self.lock();
        if read.len() >= MOST {
            read.retain(|_, (at, _)| at.elapsed() < KEPT);
        }
        read.insert(key, (at, sum));
        Ok(sum)
    }

    /// Adds `cost`, at most once: where the answer stays away it is not added again.
    pub async fn add(&self, user: &UserName, day: &str, cost: f64) -> Result<(), BucketError> {
        let key = key(user, day);
        let added = self.bucket.change(&key, |sum| Some(sum.unwrap_or(0.0) + cost)).await.map(|_| ());
        self.lock().remove(&key);
        added
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, f64)>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(user: &UserName, day: &str) -> String {
    format!("{day}_{}", user.as_str())
}
