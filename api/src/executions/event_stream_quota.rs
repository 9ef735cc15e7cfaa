//! How many event streams each user has open on this instance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::ids::UserName;

use crate::metrics;

/// More than a person's windows need; each stream holds a connection and a place among the listeners.
pub(crate) const MOST: u32 = 32;

/// Counts the open streams by user.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenStreams(Arc<Mutex<HashMap<UserName, u32>>>);

/// A stream that is open; counted while it lives.
#[derive(Debug)]
pub(crate) struct OpenStream {
    all: OpenStreams,
    user: UserName,
}

impl OpenStreams {
    /// Opens one more stream; `None` where the user has `most` already.
    pub(crate) fn open(&self, user: &UserName, most: u32) -> Option<OpenStream> {
        let mut counts = self.lock();
        let count = counts.get(user).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        counts.insert(user.clone(), count + 1);
        metrics::EVENT_STREAMS.inc();
        Some(OpenStream { all: self.clone(), user: user.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserName, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        metrics::EVENT_STREAMS.dec();
        let mut counts = self.all.lock();
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
        let streams = OpenStreams::default();
        let (ann, eve) = ("ann".parse().unwrap(), "eve".parse().unwrap());
        let mut open: Vec<OpenStream> = (0..MOST).map(|_| streams.open(&ann, MOST).unwrap()).collect();
        assert!(streams.open(&ann, MOST).is_none());
        assert!(streams.open(&eve, MOST).is_some(), "another user's are counted apart");
        open.pop();
        assert!(streams.open(&ann, MOST).is_some());
        drop(open);
        assert!(streams.lock().is_empty(), "nobody is remembered for nothing");
    }
}
