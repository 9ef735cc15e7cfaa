//! Fair slots: a free slot goes to the waiting user with the fewest running steps, and to the oldest step of that user.
//! The last slots are reserved for users without a running step, so that long steps of some users do not delay others.
//!
//! A worker prefetches a few messages beyond its slots and chooses among them. A step that waits too long is returned
//! to the queue, so that later messages are seen and an idle worker can take it; its next wait is longer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// Messages that are pulled beyond the slots.
pub(crate) const PREFETCH: usize = 16;
/// Maximum wait of a step for a slot: on its first delivery, and on any.
const SLOT_TIMEOUT: Duration = Duration::from_millis(500);
const MAX_SLOT_TIMEOUT: Duration = Duration::from_secs(2);

/// The slots of one queue, or of several. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct FairSlots {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    free: usize,
    running: HashMap<String, usize>,
    waiting: Vec<WaitingStep>,
    slots: usize,
    /// The slots that are free only for users without a running step.
    reserved: usize,
}

#[derive(Debug)]
struct WaitingStep {
    user: String,
    /// The step's sequence in the log; the lowest has waited longest.
    sequence: u64,
    grant: oneshot::Sender<SlotPermit>,
}

/// A slot in use; dropping it frees the slot.
#[derive(Debug)]
pub(crate) struct SlotPermit {
    user: String,
    /// `None` if the slot is free already.
    slots: Option<FairSlots>,
}

impl FairSlots {
    pub(crate) fn new(slots: usize) -> Self {
        Self::with_reserve(slots, 0)
    }

    /// Creates `slots` slots; when only `reserved` are left, they are for users without a running step.
    pub(crate) fn with_reserve(slots: usize, reserved: usize) -> Self {
        let state = State { free: slots, running: HashMap::new(), waiting: Vec::new(), slots, reserved };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Returns the number of slots, free or in use.
    pub(crate) fn count(&self) -> usize {
        self.lock().slots
    }

    /// Waits for a slot; longer after more deliveries. `None` after the timeout.
    ///
    /// `None` at once for the youngest step of a user with more waiting steps than slots, so that later messages are
    /// seen.
    pub(crate) async fn acquire(&self, user: &str, sequence: u64, delivered: u64) -> Option<SlotPermit> {
        let (grant, granted) = oneshot::channel();
        self.lock().enqueue(WaitingStep { user: user.to_owned(), sequence, grant });
        self.grant_free();
        let deliveries = u32::try_from(delivered).unwrap_or(u32::MAX).clamp(1, 100);
        tokio::time::timeout((SLOT_TIMEOUT * deliveries).min(MAX_SLOT_TIMEOUT), granted).await.ok()?.ok()
    }

    /// Grants free slots to waiting steps: those of the user with the fewest running steps first, oldest first.
    fn grant_free(&self) {
        let mut state = self.lock();
        while state.free > 0 {
            let Some(WaitingStep { user, grant, .. }) = state.next() else { return };
            state.free -= 1;
            *state.running.entry(user.clone()).or_default() += 1;
            let permit = SlotPermit { user: user.clone(), slots: Some(self.clone()) };
            if let Err(mut permit) = grant.send(permit) {
                // The step timed out meanwhile. Freed here, because dropping the permit would lock again.
                permit.slots = None;
                state.free_slot(&user);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enqueue(&mut self, step: WaitingStep) {
        self.remove_timed_out();
        let user = step.user.clone();
        self.waiting.push(step);
        let own = self.waiting.iter().enumerate().filter(|(_, waiting)| waiting.user == user);
        if own.clone().count() > self.slots
            && let Some((youngest, _)) = own.max_by_key(|(_, waiting)| waiting.sequence)
        {
            self.waiting.remove(youngest);
        }
    }

    fn next(&mut self) -> Option<WaitingStep> {
        self.remove_timed_out();
        let running = |waiting: &WaitingStep| self.running.get(&waiting.user).copied().unwrap_or(0);
        let may_start = |waiting: &WaitingStep| self.free > self.reserved || running(waiting) == 0;
        let candidates = self.waiting.iter().enumerate().filter(|(_, waiting)| may_start(waiting));
        let next =
            candidates.min_by_key(|(_, waiting)| (running(waiting), waiting.sequence)).map(|(index, _)| index)?;
        Some(self.waiting.remove(next))
    }

    fn remove_timed_out(&mut self) {
        self.waiting.retain(|waiting| !waiting.grant.is_closed());
    }

    fn free_slot(&mut self, user: &str) {
        self.free += 1;
        if let Some(count) = self.running.get_mut(user) {
            *count -= 1;
            if *count == 0 {
                self.running.remove(user);
            }
        }
    }
}

impl Drop for SlotPermit {
    fn drop(&mut self) {
        if let Some(slots) = self.slots.take() {
            slots.lock().free_slot(&self.user);
            slots.grant_free();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_next_slot_goes_to_the_user_with_the_fewest_running_steps() {
        let slots = FairSlots::new(2);
        let first = slots.acquire("greedy", 1, 1).await.expect("a free slot");
        let _second = slots.acquire("greedy", 2, 1).await.expect("a free slot");
        let (greedy, patient, _) = tokio::join!(slots.acquire("greedy", 3, 1), slots.acquire("patient", 4, 1), async {
            tokio::task::yield_now().await;
            drop(first);
        });
        assert!(patient.is_some() && greedy.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn reserved_slots_are_for_users_without_a_running_step() {
        let slots = FairSlots::with_reserve(3, 2);
        let held = slots.acquire("greedy", 1, 1).await.expect("a free slot");
        assert!(slots.acquire("greedy", 2, 1).await.is_none(), "the other slots are reserved");
        let second = slots.acquire("patient", 3, 1).await.expect("a reserved slot");
        assert!(slots.acquire("patient", 4, 1).await.is_none(), "the last slot is reserved");
        let _third = slots.acquire("late", 5, 1).await.expect("a reserved slot");
        assert!(slots.acquire("latest", 6, 1).await.is_none(), "no slot is left");
        drop((held, second));
        assert!(slots.acquire("late", 7, 1).await.is_none(), "two slots are free, and reserved");
        assert!(slots.acquire("greedy", 8, 1).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_is_never_lost() {
        let slots = FairSlots::new(1);
        let held = slots.acquire("ann", 1, 1).await.expect("a free slot");
        assert!(slots.acquire("bob", 2, 1).await.is_none(), "it times out");
        drop(held);
        for user in ["ann", "bob", "ann"] {
            drop(slots.acquire(user, 3, 1).await.expect("the slot is free again"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_users_step_beyond_the_slots_is_returned_at_once() {
        let slots = FairSlots::new(1);
        let _held = slots.acquire("greedy", 1, 1).await.expect("a free slot");
        let begun = Instant::now();
        let (waiting, (rejected, waited)) = tokio::join!(slots.acquire("greedy", 2, 1), async {
            tokio::task::yield_now().await;
            (slots.acquire("greedy", 3, 1).await, begun.elapsed())
        });
        assert!(waiting.is_none() && rejected.is_none());
        assert!(waited < SLOT_TIMEOUT, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_younger_step_is_returned_in_favour_of_an_older_one() {
        let slots = FairSlots::new(1);
        let held = slots.acquire("busy", 1, 1).await.expect("a free slot");
        let begun = Instant::now();
        let young = async { (slots.acquire("busy", 9, 1).await.is_some(), begun.elapsed()) };
        let old = async {
            tokio::task::yield_now().await;
            slots.acquire("busy", 2, 5).await
        };
        let ((is_granted, waited), old, ()) = tokio::join!(young, old, async {
            tokio::time::sleep(MAX_SLOT_TIMEOUT - Duration::from_millis(1)).await;
            drop(held);
        });
        assert!(!is_granted && waited < SLOT_TIMEOUT, "the younger step waited for {waited:?}");
        assert!(old.is_some(), "the older one did not wait for the slot");
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_timed_out_receives_no_slot() {
        let slots = FairSlots::new(1);
        let held = slots.acquire("ann", 1, 1).await.expect("a free slot");
        assert!(slots.acquire("ann", 2, 1).await.is_none(), "it times out");
        let (next, ()) = tokio::join!(slots.acquire("ann", 3, 1), async {
            tokio::time::sleep(SLOT_TIMEOUT / 2).await;
            drop(held);
        });
        assert!(next.is_some());
    }
}
