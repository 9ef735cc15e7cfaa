//! Which workflows run here, and the signal that kills one at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use shared::ids::WorkflowId;
use shared::messaging::CancelSignals;
use tokio_util::sync::CancellationToken;

/// The running steps of this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cancels {
    /// By a number of their own: a redelivered step may run beside the attempt that it is about to replace.
    running: Arc<Mutex<HashMap<u64, (WorkflowId, CancellationToken)>>>,
    entered: Arc<AtomicU64>,
    /// Ends every step at the end of a drain.
    hand_back: CancellationToken,
}

/// A step's place among the running ones; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Running {
    number: u64,
    cancels: Cancels,
    pub(crate) token: CancellationToken,
}

impl Cancels {
    /// Enters a step, so that a signal reaches it from now on.
    pub(crate) fn enter(&self, id: WorkflowId) -> Running {
        let token = self.hand_back.child_token();
        let number = self.entered.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, (id, token.clone()));
        Running { number, cancels: self.clone(), token }
    }

    /// Kills what runs for the workflow here; idempotent.
    pub(crate) fn cancel(&self, id: WorkflowId) {
        for (_, token) in self.lock().values().filter(|(running, _)| *running == id) {
            token.cancel();
        }
    }

    /// Ends every step, to be handed back.
    pub(crate) fn hand_back(&self) {
        self.hand_back.cancel();
    }

    /// How many steps run.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.lock().len()).unwrap_or(u32::MAX)
    }

    /// Obeys signals until they end, or until the life ends and nothing runs any more.
    pub(crate) async fn obey(self, mut signals: CancelSignals, stopping: CancellationToken) {
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

    /// During a drain steps still run, and can still be cancelled.
    async fn is_idle_after(&self, stopping: &CancellationToken) {
        stopping.cancelled().await;
        while self.count() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, (WorkflowId, CancellationToken)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancels.lock().remove(&self.number);
    }
}
