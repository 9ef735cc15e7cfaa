//! How many event streams each user has open on this instance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::ids::UserName;

use crate::metrics;

/// More than a person's windows need; each stream holds a connection and a place among the listeners.
pub(crate) const MAX_STREAMS_PER_USER: u32 = 32;

/// Counts the open streams by user.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventStreamQuota(Arc<Mutex<HashMap<UserName, u32>>>);

/// A stream that is open; counted while it lives.
#[derive(Debug)]
pub(crate) struct EventStreamPermit {
    quota: EventStreamQuota,
    user: UserName,
}

impl EventStreamQuota {
    /// Opens one more stream; `None` where the user has `most` already.
    pub(crate) fn acquire(&self, user: &UserName, limit: u32) -> Option<EventStreamPermit> {
        let mut counts = self.lock();
        let count = counts.get(user).copied().unwrap_or(0);
        if count >= limit {
            return None;
        }
        counts.insert(user.clone(), count + 1);
        metrics::EVENT_STREAMS.inc();
        Some(EventStreamPermit { quota: self.clone(), user: user.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserName, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for EventStreamPermit {
    fn drop(&mut self) {
        metrics::EVENT_STREAMS.dec();
        let mut counts = self.quota.lock();
        if let Some(count) = counts.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_so_many_streams_and_no_more_until_one_ends() {
        let quota = EventStreamQuota::default();
        let (ann, eve) = ("ann".parse().unwrap(), "eve".parse().unwrap());
        let mut open: Vec<EventStreamPermit> =
            (0..MAX_STREAMS_PER_USER).map(|_| quota.acquire(&ann, MAX_STREAMS_PER_USER).unwrap()).collect();
        assert!(quota.acquire(&ann, MAX_STREAMS_PER_USER).is_none());
        assert!(quota.acquire(&eve, MAX_STREAMS_PER_USER).is_some(), "another user's are counted apart");
        open.pop();
        assert!(quota.acquire(&ann, MAX_STREAMS_PER_USER).is_some());
        drop(open);
        assert!(quota.lock().is_empty(), "nobody is remembered for nothing");
    }
}
