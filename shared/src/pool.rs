//! A pool of places of which no holder has more than a share, so that one who keeps theirs for long holds nobody else up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places that all holders share. Clones are the same pool.
#[derive(Debug, Clone)]
pub struct Pool {
    free: Arc<Semaphore>,
    share: usize,
    /// What each holder may still take; lives in places and in who waits for one.
    holders: Arc<Mutex<HashMap<String, Weak<Semaphore>>>>,
}

/// A place in a [`Pool`]; free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    _free: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
}

impl Pool {
    /// A pool of `places`, of which one holder has at most `share`.
    pub fn new(places: usize, share: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(places)), share, holders: Arc::default() }
    }

    /// Waits for a place, first within the holder's share and then in the pool, each in the order of asking.
    ///
    /// Cancel safe. Waits for ever where the places are held for ever: give it a deadline.
    pub async fn take(&self, holder: &str) -> Place {
        let own = self.share_of(holder).acquire_owned().await.expect("the pool's semaphores are never closed");
        let free = self.free.clone().acquire_owned().await.expect("the pool's semaphores are never closed");
        Place { _free: free, _own: own }
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

    use super::Pool;

    #[tokio::test]
    async fn a_holder_has_a_share_and_what_is_dropped_is_free_again() {
        let pool = Pool::new(3, 2);
        let first = pool.take("ann").await;
        let _second = pool.take("ann").await;
        assert!(pool.take("ann").now_or_never().is_none(), "beyond the share");
        let third = pool.take("eve").now_or_never().expect("a place is free");
        assert!(pool.take("bob").now_or_never().is_none(), "the pool is full");
        drop(third);
        assert!(pool.take("ann").now_or_never().is_none(), "a free place is no larger share");
        let _bobs = pool.take("bob").now_or_never().expect("a place is free");
        drop(first);
        assert!(pool.take("ann").now_or_never().is_some());
        assert_eq!(pool.holders.lock().unwrap().len(), 2, "who holds nothing is forgotten");
    }
}
