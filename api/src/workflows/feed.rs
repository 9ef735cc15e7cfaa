//! One follower of the log per process, fanned out to every event stream.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use shared::messaging::{Entry, ReadError, WorkflowLog};
use tokio::sync::broadcast;

use crate::app_state::State;

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

    fn tell(&self, told: Told) {
        // Nobody listens most of the time.
        drop(self.sender.send(told));
    }
}

/// Follows the log until the life ends. However the connection fails, listeners hear of a gap and read the log.
pub(crate) async fn run_feed(state: Arc<State>) {
    let stopping = state.life.stopping();
    while !stopping.is_cancelled() {
        tokio::select! {
            () = stopping.cancelled() => return,
            outcome = follow(&state, &state.log) => {
                state.newest.lost_touch();
                if let Err(error) = outcome {
                    tracing::warn!(%error, "following the log broke off; following anew");
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn follow(state: &State, log: &WorkflowLog) -> Result<(), ReadError> {
    let (since, entries) = log.follow().await?;
    let mut entries = pin!(entries);
    state.newest.hears_all_behind(since);
    state.feed.tell(Told::Gap);
    while let Some(entry) = entries.next().await {
        match entry {
            Ok(entry) => {
                state.newest.saw(entry.workflow.id, entry.sequence);
                state.feed.tell(Told::Entry(Arc::new(entry)));
            }
            // A newer build's entry: its streams are served by the newer instances.
            Err(ReadError::Decode(error)) => tracing::warn!(%error, "a transition cannot be told"),
            Err(error @ ReadError::Unavailable(_)) => return Err(error),
        }
    }
    Ok(())
}
