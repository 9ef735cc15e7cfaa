//! Workflows that are over before a timer of theirs is worth its two synced writes, one to set and one to clear it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::ids::WorkflowId;
use tokio::sync::oneshot;

/// How long it is waited whether a workflow ends; far shorter than any time limit.
const BRIEFLY: Duration = Duration::from_millis(250);
/// So many are waited for at once. Each holds a delivery, and the others must get through.
pub(crate) const PLACES: usize = 64;

/// Workflows whose timers wait whether they are needed.
#[derive(Debug, Default)]
pub(crate) struct Brief(Mutex<HashMap<WorkflowId, oneshot::Sender<()>>>);

impl Brief {
    /// Waits a moment whether the workflow ends; false where it does not, and at once where too many are waited for.
    pub(crate) async fn ends(&self, id: WorkflowId) -> bool {
        let (sender, ended) = oneshot::channel();
        {
            let mut waiting = self.lock();
            if waiting.len() >= PLACES {
                return false;
            }
            waiting.insert(id, sender);
        }
        let is_over = matches!(tokio::time::timeout(BRIEFLY, ended).await, Ok(Ok(())));
        self.lock().remove(&id);
        is_over
    }

    /// Tells whoever waits that the workflow ended; true where no timer will be set that is not taken back.
    pub(crate) fn ended(&self, id: WorkflowId) -> bool {
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
    async fn an_end_is_waited_for_a_moment() {
        let (brief, id) = (Brief::default(), WorkflowId::fresh());
        assert!(!brief.ended(id), "nobody waits");
        let (is_over, told) = tokio::join!(brief.ends(id), async {
            tokio::time::sleep(BRIEFLY / 2).await;
            brief.ended(id)
        });
        assert!(is_over && told);
        assert!(!brief.ends(id).await, "it goes on");
        assert!(!brief.ended(id), "nobody waits any more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_let_through() {
        let brief = Brief::default();
        let crowd = (0..PLACES).map(|_| brief.ends(WorkflowId::fresh()));
        let (_, began) = tokio::join!(futures_util::future::join_all(crowd), async {
            tokio::task::yield_now().await;
            let began = tokio::time::Instant::now();
            assert!(!brief.ends(WorkflowId::fresh()).await);
            began.elapsed()
        });
        assert_eq!(began, Duration::ZERO);
        assert!(brief.lock().is_empty());
    }
}
