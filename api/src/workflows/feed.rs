//! One follower of the log per process, fanned out to every event stream.

use std::sync::Arc;

use shared::messaging::Entry;
use tokio::sync::broadcast;

/// A stream that is this far behind reads the log instead.
const BACKLOG: usize = 4_096;

/// What event streams hear.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    Entry(Arc<Entry>),
    /// Following began anew; what happened meanwhile stands in the log only.
    Gap,
}

/// Hands out what is appended to the log from now on.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    sender: broadcast::Sender<Told>,
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG) }
    }

    /// Everything from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Told> {
        self.sender.subscribe()
    }

    pub(crate) fn tell(&self, told: Told) {
        // Nobody listens most of the time.
        drop(self.sender.send(told));
    }
}
