//! Delays timer creation for 250 ms: most workflows finish before that, which saves the two synced writes of a timer.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ids::WorkflowId;
use tokio::sync::oneshot;

const DEBOUNCE: Duration = Duration::from_millis(250);
/// Maximum workflows delayed at once. Each holds a delivery slot of the timer queue.
pub(crate) const MAX_PENDING: usize = 64;

/// Workflows whose timers are delayed.
#[derive(Debug, Default)]
pub(crate) struct TimerDebounce(Mutex<HashMap<WorkflowId, oneshot::Sender<()>>>);

impl TimerDebounce {
    /// Waits up to [`DEBOUNCE`] for the workflow's end; false if it does not come, and at once if too many are delayed.
    pub(crate) async fn ends_within_delay(&self, id: WorkflowId) -> bool {
        let (sender, ended) = oneshot::channel();
        {
            let mut pending = self.lock();
            if pending.len() >= MAX_PENDING {
                return false;
            }
            pending.insert(id, sender);
        }
        let has_ended = matches!(tokio::time::timeout(DEBOUNCE, ended).await, Ok(Ok(())));
        self.lock().remove(&id);
        has_ended
    }

    /// Cancels the delayed timer of a workflow that has ended; false if none was pending, so that one may be set.
    pub(crate) fn cancel(&self, id: WorkflowId) -> bool {
        self.lock().remove(&id).is_some_and(|sender| sender.send(()).is_ok())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<WorkflowId, oneshot::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_timer_is_delayed_until_the_workflow_ends_or_the_delay_passes() {
        let (debounce, id) = (TimerDebounce::default(), WorkflowId::fresh());
        assert!(!debounce.cancel(id), "nothing is pending yet");
        let (has_ended, was_cancelled) = tokio::join!(debounce.ends_within_delay(id), async {
            tokio::time::sleep(DEBOUNCE / 2).await;
            debounce.cancel(id)
        });
        assert!(has_ended && was_cancelled);
        assert!(!debounce.ends_within_delay(id).await, "the delay passes");
        assert!(!debounce.cancel(id), "nothing is pending any more");
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_maximum_no_timer_is_delayed() {
        let debounce = TimerDebounce::default();
        let pending = (0..MAX_PENDING).map(|_| debounce.ends_within_delay(WorkflowId::fresh()));
        let (_, waited) = tokio::join!(futures_util::future::join_all(pending), async {
            tokio::task::yield_now().await;
            let begun = tokio::time::Instant::now();
            assert!(!debounce.ends_within_delay(WorkflowId::fresh()).await);
            begun.elapsed()
        });
        assert_eq!(waited, Duration::ZERO);
        assert!(debounce.lock().is_empty());
    }
}
