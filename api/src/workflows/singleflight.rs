//! Coalesces concurrent reads of the same key.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// Shares one read among all callers that waited before it began. A caller never receives a result whose read started
/// before its call.
#[derive(Debug)]
pub(crate) struct Singleflight<K, V>(Mutex<HashMap<K, Arc<Slot<V>>>>);

/// The last result and the start of its read.
type Slot<V> = tokio::sync::Mutex<Option<(Instant, V)>>;

impl<K, V> Default for Singleflight<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Singleflight<K, V> {
    /// Returns the result of `read`, or of another caller's read that began after this call.
    ///
    /// Failures are shared too, so a caller waits for two reads at most. Cancel safe: the next caller reads.
    pub(crate) async fn run(&self, key: &K, read: impl Future<Output = V>) -> V {
        let asked = Instant::now();
        let slot = self.slot(key);
        let mut last = slot.lock().await;
        if let Some((began, value)) = last.as_ref()
            && *began >= asked
        {
            return value.clone();
        }
        let began = Instant::now();
        let value = read.await;
        *last = Some((began, value.clone()));
        value
    }

    fn slot(&self, key: &K) -> Arc<Slot<V>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A key without waiting callers cannot serve a later call.
        if slots.len() >= MAX_KEYS && !slots.contains_key(key) {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        slots.entry(key.clone()).or_default().clone()
    }
}

/// Maximum keys before those without waiting callers are removed.
const MAX_KEYS: usize = 1_024;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn one_read_serves_the_callers_that_waited_before_it_began() {
        let (flights, reads, go) = (Singleflight::default(), AtomicU32::new(0), Notify::new());
        let read = || async {
            let number = reads.fetch_add(1, Ordering::SeqCst) + 1;
            go.notified().await;
            number
        };
        let askers = async {
            let first = flights.run(&"ann", read());
            // These calls begin during the first read, which must not serve them.
            let others = join_all((0..50).map(|_| flights.run(&"ann", read())));
            tokio::join!(biased; first, others)
        };
        let open = async {
            for _ in 0..2 {
                tokio::task::yield_now().await;
                go.notify_one();
            }
        };
        let ((first, others), ()) = tokio::join!(biased; askers, open);
        assert_eq!((first, others), (1, vec![2; 50]));
        go.notify_one();
        assert_eq!(flights.run(&"ann", read()).await, 3);
        go.notify_one();
        assert_eq!(flights.run(&"ben", read()).await, 4);
    }

    #[tokio::test]
    async fn keys_without_callers_are_removed() {
        let flights = Singleflight::default();
        for key in 0..=MAX_KEYS {
            assert_eq!(flights.run(&key, async { key }).await, key);
        }
        assert_eq!(flights.0.lock().unwrap().len(), 1);
    }
}
