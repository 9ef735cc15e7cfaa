//! Fairness: a free slot goes to the user who has the fewest, and one user runs at most so many steps over all workers.
//!
//! A worker looks a few messages ahead of its slots. Among those that wait it serves the user with the fewest running steps
//! first; what waits too long goes back to the queue, so that the messages behind it come into sight and an idle worker can
//! take it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::messaging::Entry;
use shared::read_model::StepLeases;
use tokio::sync::oneshot;

/// How many messages are looked at ahead of the slots.
pub(crate) const LOOK_AHEAD: usize = 16;
/// How long a step waits in sight for a slot.
pub(crate) const WAIT: Duration = Duration::from_millis(500);

/// The slots of one queue.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    free: usize,
    running: HashMap<String, usize>,
    waiting: Vec<(String, oneshot::Sender<Slot>)>,
    slots: usize,
}

/// A slot in use; dropping it hands it on.
#[derive(Debug)]
pub(crate) struct Slot {
    user: String,
    /// `None` once it is given up.
    of: Option<Slots>,
}

impl Slots {
    pub(crate) fn new(slots: usize) -> Self {
        let inner = Inner { free: slots, running: HashMap::new(), waiting: Vec::new(), slots };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Waits for a slot, at most [`WAIT`]. `None` at once where this user has as many waiting as there are slots: the queue
    /// behind them is to come into sight.
    pub(crate) async fn take(&self, user: &str) -> Option<Slot> {
        let granted = {
            let mut inner = self.lock();
            if inner.waiting.iter().filter(|(waiting, _)| waiting == user).count() >= inner.slots {
                return None;
            }
            let (grant, granted) = oneshot::channel();
            inner.waiting.push((user.to_owned(), grant));
            granted
        };
        self.hand_out();
        tokio::time::timeout(WAIT, granted).await.ok()?.ok()
    }

    /// Gives free slots to those who wait, fewest running first, then first come.
    fn hand_out(&self) {
        let mut inner = self.lock();
        while inner.free > 0 {
            // Who gave up waiting has dropped the other end.
            inner.waiting.retain(|(_, grant)| !grant.is_closed());
            let running = &inner.running;
            let next =
                inner.waiting.iter().enumerate().min_by_key(|(_, (user, _))| running.get(user).copied().unwrap_or(0));
            let Some(index) = next.map(|(index, _)| index) else { return };
            let (user, grant) = inner.waiting.remove(index);
            inner.free -= 1;
            *inner.running.entry(user.clone()).or_default() += 1;
            let slot = Slot { user: user.clone(), of: Some(self.clone()) };
            if let Err(mut slot) = grant.send(slot) {
                // Too late after all: taken back here, because dropping it would lock again.
                slot.of = None;
                inner.give_back(&user);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn give_back(&mut self, user: &str) {
        self.free += 1;
        if let Some(count) = self.running.get_mut(user) {
            *count -= 1;
            if *count == 0 {
                self.running.remove(user);
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(slots) = self.of.take() {
            slots.lock().give_back(&self.user);
            slots.hand_out();
        }
    }
}

/// The turns of a user's steps over all workers.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    leases: StepLeases,
}

impl Turns {
    pub(crate) fn new(leases: StepLeases) -> Self {
        Self { leases }
    }

    /// Takes or renews the step's turn; false where the user has all of theirs in use.
    pub(crate) async fn hold(&self, entry: &Entry) -> bool {
        self.leases.hold(entry.workflow.owner.as_str(), &entry.sequence.to_string()).await
    }

    /// Gives the turn back.
    pub(crate) async fn release(&self, entry: &Entry) {
        self.leases.release(entry.workflow.owner.as_str(), &entry.sequence.to_string()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_next_slot_goes_to_whoever_has_the_fewest() {
        let slots = Slots::new(2);
        let first = slots.take("greedy").await.expect("a free slot");
        let _second = slots.take("greedy").await.expect("a free slot");
        let (greedy, patient, _) = tokio::join!(slots.take("greedy"), slots.take("patient"), async {
            tokio::task::yield_now().await;
            drop(first);
        });
        assert!(patient.is_some() && greedy.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_is_never_lost() {
        let slots = Slots::new(1);
        let held = slots.take("ann").await.expect("a free slot");
        assert!(slots.take("bob").await.is_none(), "it waits, and gives up");
        drop(held);
        for user in ["ann", "bob", "ann"] {
            drop(slots.take(user).await.expect("the slot is free again"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_sent_away_at_once() {
        let slots = Slots::new(1);
        let _held = slots.take("greedy").await.expect("a free slot");
        let begun = tokio::time::Instant::now();
        let (waits, sent_away) = tokio::join!(slots.take("greedy"), async {
            tokio::task::yield_now().await;
            (slots.take("greedy").await, begun.elapsed())
        });
        assert!(waits.is_none() && sent_away.0.is_none());
        assert!(sent_away.1 < WAIT, "{:?}", sent_away.1);
    }
}
