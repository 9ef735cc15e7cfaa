//! New log entries, fanned out from one log tail to every event stream.

use std::sync::Arc;

use messaging::Entry;
use tokio::sync::broadcast;

/// Buffered items; a stream that lags further reads the log instead.
const FEED_CAPACITY: usize = 4_096;

/// An item for event streams.
#[derive(Debug, Clone)]
pub(crate) enum FeedItem {
    Entry(Arc<Entry>),
    /// The log tail was restarted; entries in between are in the log only.
    Gap,
}

/// Broadcasts new log entries.
#[derive(Debug, Clone)]
pub(crate) struct LogFeed {
    sender: broadcast::Sender<FeedItem>,
}

impl LogFeed {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::Sender::new(FEED_CAPACITY) }
    }

    /// Subscribes to all items from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<FeedItem> {
        self.sender.subscribe()
    }

    pub(crate) fn publish(&self, item: FeedItem) {
        // An error means that there are no subscribers, which is common.
        drop(self.sender.send(item));
    }
}
