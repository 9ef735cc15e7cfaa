//! One follower of the log per process, fanned out to every event stream.

use std::sync::Arc;

use shared::messaging::Entry;
use tokio::sync::broadcast;

/// A stream that is this far behind reads the log instead.
const FEED_CAPACITY: usize = 4_096;

/// What event streams hear.
#[derive(Debug, Clone)]
pub(crate) enum FeedItem {
    Entry(Arc<Entry>),
    /// Following began anew; what happened meanwhile stands in the log only.
    Gap,
}

/// Hands out what is appended to the log from now on.
#[derive(Debug, Clone)]
pub(crate) struct LogFeed {
    sender: broadcast::Sender<FeedItem>,
}

impl LogFeed {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::Sender::new(FEED_CAPACITY) }
    }

    /// Everything from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<FeedItem> {
        self.sender.subscribe()
    }

    pub(crate) fn publish(&self, item: FeedItem) {
        // Nobody listens most of the time.
        drop(self.sender.send(item));
    }
}
