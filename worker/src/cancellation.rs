//! Cancellation of running steps: a registry of those in this process, and the cancel signals that end them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ids::WorkflowId;
use futures_util::StreamExt;
use messaging::CancelSignals;
use tokio_util::sync::CancellationToken;

const DRAIN_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The running steps of this process. Clones share one registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct CancelRegistry {
    /// By a number and not by workflow: a redelivered step may run beside the attempt that it replaces.
    running: Arc<Mutex<HashMap<u64, (WorkflowId, CancellationToken)>>>,
    next_number: Arc<AtomicU64>,
    /// The parent of all tokens.
    all: CancellationToken,
}

/// A registered step; dropping it removes the registration.
#[derive(Debug)]
pub(crate) struct RunningStep {
    number: u64,
    registry: CancelRegistry,
    pub(crate) token: CancellationToken,
}

impl CancelRegistry {
    /// Registers a step. Later signals for its workflow cancel its token.
    pub(crate) fn register(&self, id: WorkflowId) -> RunningStep {
        let token = self.all.child_token();
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, (id, token.clone()));
        RunningStep { number, registry: self.clone(), token }
    }

    /// Cancels the running steps of a workflow; idempotent.
    pub(crate) fn cancel(&self, id: WorkflowId) {
        for (_, token) in self.lock().values().filter(|(running, _)| *running == id) {
            token.cancel();
        }
    }

    /// Cancels every step, so that each is returned to its queue.
    pub(crate) fn release_all(&self) {
        self.all.cancel();
    }

    /// Returns the number of running steps.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.lock().len()).unwrap_or(u32::MAX)
    }

    /// Returns the workflows whose steps run.
    pub(crate) fn workflows(&self) -> Vec<WorkflowId> {
        self.lock().values().map(|(id, _)| *id).collect()
    }

    /// Applies cancel signals until their stream ends, or until the process stops and no step runs.
    pub(crate) async fn listen(self, mut signals: CancelSignals, stopping: CancellationToken) {
        loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Some(id) => self.cancel(id),
                    None => return,
                },
                () = self.is_idle_after(&stopping) => return,
            }
        }
    }

    /// Waits until the process stops and no step runs: during a drain steps can still be cancelled.
    async fn is_idle_after(&self, stopping: &CancellationToken) {
        stopping.cancelled().await;
        while self.count() > 0 {
            tokio::time::sleep(DRAIN_POLL_INTERVAL).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, (WorkflowId, CancellationToken)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningStep {
    fn drop(&mut self) {
        self.registry.lock().remove(&self.number);
    }
}
