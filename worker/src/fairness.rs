//! Fairness: at most so many steps of one user at once; the rest wait without holding others back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use shared::lifecycle::Lifecycle;
use shared::messaging::{Delivery, Entry};
use shared::read_model::StepLeases;

/// Steps that wait in this process, holding no slot; beyond it they wait in the queue.
const WAITING: usize = 64;
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const COME_AGAIN: Duration = Duration::from_secs(1);

/// Hands out turns.
#[derive(Debug, Clone)]
pub(crate) struct Fairness {
    leases: StepLeases,
    waiting: Arc<AtomicUsize>,
}

impl Fairness {
    pub(crate) fn new(leases: StepLeases) -> Self {
        Self { leases, waiting: Arc::default() }
    }

    /// Takes or renews the step's turn.
    pub(crate) async fn hold(&self, entry: &Entry) -> bool {
        self.leases.hold(entry.workflow.owner.as_str(), &entry.sequence.to_string()).await
    }

    /// Gives the turn back.
    pub(crate) async fn release(&self, entry: &Entry) {
        self.leases.release(entry.workflow.owner.as_str(), &entry.sequence.to_string()).await;
    }

    /// Lets a step wait for its turn outside the slots, then puts it back into the queue with the turn held for it.
    pub(crate) async fn wait(&self, delivery: Delivery<Entry>, life: &Lifecycle) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            delivery.retry_after(COME_AGAIN).await;
            return;
        }
        let (fairness, stopping) = (self.clone(), life.stopping());
        drop(life.spawn(async move {
            while !stopping.is_cancelled() && !fairness.hold(delivery.body()).await {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            fairness.waiting.fetch_sub(1, Ordering::Relaxed);
            delivery.retry_after(Duration::ZERO).await;
        }));
    }
}
