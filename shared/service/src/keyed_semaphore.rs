//! A pool of permits with a maximum share per key, so that one key cannot exhaust the pool.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A pool of permits. Clones share the pool.
#[derive(Debug, Clone)]
pub struct KeyedSemaphore {
    free: Arc<Semaphore>,
    share: usize,
    /// The remaining share of each key; alive while a place or a waiting call holds it.
    holders: Arc<Mutex<HashMap<String, Weak<Semaphore>>>>,
}

/// A permit of a [`KeyedSemaphore`]; returned on drop.
#[derive(Debug)]
pub struct KeyedPermit {
    _free: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
}

impl KeyedSemaphore {
    /// Returns a pool of `places`, of which one key holds at most `share`.
    pub fn new(places: usize, share: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(places)), share, holders: Arc::default() }
    }

    /// Waits for a place, first within the key's share and then in the pool, both in order of arrival.
    ///
    /// Cancel safe. May wait indefinitely while places are held: use a timeout.
    pub async fn take(&self, holder: &str) -> KeyedPermit {
        let own = self.share_of(holder).acquire_owned().await.expect("the pool's semaphores are never closed");
        let free = self.free.clone().acquire_owned().await.expect("the pool's semaphores are never closed");
        KeyedPermit { _free: free, _own: own }
    }

    fn share_of(&self, holder: &str) -> Arc<Semaphore> {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = holders.get(holder).and_then(Weak::upgrade) {
            return known;
        }
        holders.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.share));
        holders.insert(holder.to_owned(), Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::KeyedSemaphore;

    #[tokio::test]
    async fn a_holder_has_a_share_and_what_is_dropped_is_free_again() {
        let pool = KeyedSemaphore::new(3, 2);
        let first = pool.take("ann").await;
        let _second = pool.take("ann").await;
        assert!(pool.take("ann").now_or_never().is_none(), "beyond the share");
        let third = pool.take("eve").now_or_never().expect("a place is free");
        assert!(pool.take("bob").now_or_never().is_none(), "the pool is full");
        drop(third);
        assert!(pool.take("ann").now_or_never().is_none(), "a free place does not enlarge the share");
        let _bobs = pool.take("bob").now_or_never().expect("a place is free");
        drop(first);
        assert!(pool.take("ann").now_or_never().is_some());
        assert_eq!(pool.holders.lock().unwrap().len(), 2, "unused keys are removed");
    }
}
