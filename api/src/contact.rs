//! Whether this process still hears of what happens elsewhere.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::problem::Problem;
use crate::state::State;

/// Between two signs of life, and how long the broker has for each.
const EVERY: Duration = Duration::from_secs(1);

/// When the broker answered last.
#[derive(Debug)]
pub(crate) struct Contact {
    heard: Mutex<Instant>,
    /// Silence for longer than this counts as being cut off.
    bearable: Duration,
}

impl Contact {
    /// Contact that was made just now.
    pub(crate) fn made(bearable: Duration) -> Self {
        Self { heard: Mutex::new(Instant::now()), bearable }
    }

    fn heard(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Refuses (503) while this process is cut off: what the caller relies on may have been revoked elsewhere.
    pub(crate) fn vouch(&self) -> Result<(), Problem> {
        let silence = self.heard.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        if silence <= self.bearable {
            return Ok(());
        }
        let detail = "Whether your token still holds cannot be told: the broker does not answer. Try again.";
        Err(Problem::unavailable(detail, EVERY))
    }
}

/// Asks the broker for a sign of life once a second until the life ends.
pub(crate) async fn run_contact(state: Arc<State>) {
    let stopping = state.life.stopping();
    loop {
        if let Ok(true) = tokio::time::timeout(EVERY, state.broker.answers()).await {
            state.contact.heard();
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
