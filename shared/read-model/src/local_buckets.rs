//! Token buckets in the memory of one process, at most [`MAX_BUCKETS`] of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::gcra::{Gcra, GcraState, RateVerdict};
use service::clock::Clock;

/// Bounds the memory: callers choose the keys, e.g. by calling from many addresses.
const MAX_BUCKETS: usize = 100_000;

/// Buckets by key.
#[derive(Debug)]
pub struct LocalBuckets<K> {
    buckets: Mutex<HashMap<K, GcraState>>,
    clock: Clock,
}

impl<K: Eq + Hash> LocalBuckets<K> {
    /// Returns an empty set; each bucket begins full.
    pub fn new(clock: Clock) -> Self {
        Self { buckets: Mutex::default(), clock }
    }

    /// Takes one call from the bucket `key`.
    pub fn take(&self, key: K, bucket: Gcra) -> RateVerdict {
        let now_us = self.now_us();
        let mut buckets = self.lock();
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&key) {
            evict(&mut buckets, now_us);
        }
        let state = buckets.entry(key).or_insert(0);
        let (verdict, next) = bucket.take(*state, now_us);
        *state = next;
        verdict
    }

    /// Returns one call to the bucket `key`.
    pub fn give_back(&self, key: &K, bucket: Gcra) {
        if let Some(state) = self.lock().get_mut(key) {
            *state = bucket.give_back(*state);
        }
    }

    fn now_us(&self) -> i64 {
        self.clock.now().as_millis() * 1_000
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, GcraState>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops full buckets; if most are in use, also the half that is nearest to full.
fn evict<K: Eq + Hash>(buckets: &mut HashMap<K, GcraState>, now_us: i64) {
    buckets.retain(|_, arrival| *arrival > now_us);
    if buckets.len() > MAX_BUCKETS / 2 {
        let mut arrivals: Vec<GcraState> = buckets.values().copied().collect();
        let middle = arrivals.len() / 2;
        let (_, median, _) = arrivals.select_nth_unstable(middle);
        let median = *median;
        buckets.retain(|_, arrival| *arrival > median);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use domain::Timestamp;

    const BUCKET: Gcra = Gcra { burst: 3, refill_per_minute: 1 };

    fn buckets() -> (LocalBuckets<usize>, Clock) {
        let clock = Clock::manual(Timestamp::from_millis(1_000));
        (LocalBuckets::new(clock.clone()), clock)
    }

    #[test]
    fn a_call_that_is_given_back_costs_nothing() {
        let (buckets, _) = buckets();
        for _ in 0..10 {
            assert!(buckets.take(1, BUCKET).allowed);
            buckets.give_back(&1, BUCKET);
        }
        buckets.give_back(&2, BUCKET);
        for allowed in [true, true, true, false] {
            assert_eq!(buckets.take(1, BUCKET).allowed, allowed);
        }
        assert!(buckets.take(2, BUCKET).allowed, "each key has its own bucket");
    }

    #[test]
    fn many_keys_take_bounded_memory_and_do_not_free_the_one_that_is_empty() {
        let (buckets, clock) = buckets();
        while buckets.take(0, BUCKET).allowed {}
        for key in 1..=3 * MAX_BUCKETS {
            buckets.take(key, BUCKET);
            if key % 1_000 == 0 {
                clock.advance(Duration::from_millis(1));
            }
        }
        assert!(buckets.lock().len() <= MAX_BUCKETS);
        assert!(!buckets.take(0, BUCKET).allowed);
    }
}
