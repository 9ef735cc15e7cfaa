//! Quota of concurrent event streams per user on this instance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ids::UserName;

use crate::metrics;

/// Maximum concurrent event streams per user; each holds a connection and a feed subscription.
pub(crate) const MAX_STREAMS_PER_USER: u32 = 32;

/// Counts open streams by user.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventStreamQuota(Arc<Mutex<HashMap<UserName, u32>>>);

/// A counted stream; released on drop.
#[derive(Debug)]
pub(crate) struct EventStreamPermit {
    quota: EventStreamQuota,
    user: UserName,
}

impl EventStreamQuota {
    /// Counts one more stream; `None` if the user has `limit` already.
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
    fn a_user_has_a_maximum_of_concurrent_streams() {
        let quota = EventStreamQuota::default();
        let (ann, eve) = ("ann".parse().unwrap(), "eve".parse().unwrap());
        let mut open: Vec<EventStreamPermit> =
            (0..MAX_STREAMS_PER_USER).map(|_| quota.acquire(&ann, MAX_STREAMS_PER_USER).unwrap()).collect();
        assert!(quota.acquire(&ann, MAX_STREAMS_PER_USER).is_none());
        assert!(quota.acquire(&eve, MAX_STREAMS_PER_USER).is_some(), "another user has a separate count");
        open.pop();
        assert!(quota.acquire(&ann, MAX_STREAMS_PER_USER).is_some());
        drop(open);
        assert!(quota.lock().is_empty(), "no entries without streams");
    }
}
