//! Fairness: a free slot goes to the user who has the fewest, and one user runs at most so many steps over all workers.
//!
//! A worker looks a few messages ahead of its slots. Among those that wait it serves the user with the fewest running steps
//! first, and of each user the oldest step: what came later makes room for it. What waits too long goes back to the queue, so
//! that the messages behind it come into sight and an idle worker can take it; the oftener it was there, the longer it waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::messaging::Entry;
use shared::read_model::StepLeases;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How many messages are looked at ahead of the slots.
pub(crate) const LOOK_AHEAD: usize = 16;
/// How long a step waits in sight for a slot the first time, and at most.
const WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// A user's steps that wait for their turn ask so far apart, the last of a long line after so long: a hundred a second for each worker, and
/// of 100,000 that wait some 330 a second in all.
const APART: Duration = Duration::from_millis(10);
const LONGEST_LINE: Duration = Duration::from_secs(300);

/// The slots of one queue.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    free: usize,
    running: HashMap<String, usize>,
    waiting: Vec<Waiting>,
    slots: usize,
}

#[derive(Debug)]
struct Waiting {
    user: String,
    /// The step's place in the log: a lower one has waited longer.
    sequence: u64,
    grant: oneshot::Sender<Slot>,
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

    /// Waits for a slot; not as long the first `time` as later. `None` at once for the youngest of a user who has more waiting than
    /// there are slots: the queue behind them is to come into sight.
    pub(crate) async fn take(&self, user: &str, sequence: u64, time: u64) -> Option<Slot> {
        let (grant, granted) = oneshot::channel();
        self.lock().line_up(Waiting { user: user.to_owned(), sequence, grant });
        self.hand_out();
        let patience = (WAIT * u32::try_from(time).unwrap_or(u32::MAX).clamp(1, 100)).min(LONGEST_WAIT);
        tokio::time::timeout(patience, granted).await.ok()?.ok()
    }

    /// Gives free slots to those who wait: fewest running first, then oldest first.
    fn hand_out(&self) {
        let mut inner = self.lock();
        while inner.free > 0 {
            let Some(Waiting { user, grant, .. }) = inner.next() else { return };
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
    fn line_up(&mut self, step: Waiting) {
        // Who gave up waiting has dropped the other end.
        self.waiting.retain(|waiting| !waiting.grant.is_closed());
        let user = step.user.clone();
        self.waiting.push(step);
        let theirs = self.waiting.iter().enumerate().filter(|(_, waiting)| waiting.user == user);
        if theirs.clone().count() > self.slots
            && let Some((youngest, _)) = theirs.max_by_key(|(_, waiting)| waiting.sequence)
        {
            self.waiting.remove(youngest);
        }
    }

    fn next(&mut self) -> Option<Waiting> {
        self.waiting.retain(|waiting| !waiting.grant.is_closed());
        let running = |waiting: &Waiting| self.running.get(&waiting.user).copied().unwrap_or(0);
        let places = self.waiting.iter().enumerate();
        let next = places.min_by_key(|(_, waiting)| (running(waiting), waiting.sequence)).map(|(place, _)| place)?;
        Some(self.waiting.remove(next))
    }

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

/// A user's steps that wait for their turn, as far as this worker hands them back: when each is to ask again.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// When the last of each user's line asks.
    last: Mutex<HashMap<String, Instant>>,
}

impl Line {
    /// How long the next step of the user is to wait, so that not all of a long line ask at once.
    pub(crate) fn delay(&self, user: &str) -> Duration {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, last| *last >= now);
        let asks = last.get(user).map_or(now, |last| (*last + APART).min(now + LONGEST_LINE));
        last.insert(user.to_owned(), asks);
        asks - now
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
        let first = slots.take("greedy", 1, 1).await.expect("a free slot");
        let _second = slots.take("greedy", 2, 1).await.expect("a free slot");
        let (greedy, patient, _) = tokio::join!(slots.take("greedy", 3, 1), slots.take("patient", 4, 1), async {
            tokio::task::yield_now().await;
            drop(first);
        });
        assert!(patient.is_some() && greedy.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_line_asks_one_after_the_other_and_holds_nobody_else_up() {
        let line = Line::default();
        let delays: Vec<Duration> = (0..100_000).map(|_| line.delay("greedy")).collect();
        assert_eq!((delays[0], delays[1], delays[100]), (Duration::ZERO, APART, APART * 100));
        assert_eq!(delays.last(), Some(&LONGEST_LINE));
        assert_eq!(line.delay("patient"), Duration::ZERO);
        tokio::time::sleep(LONGEST_LINE + APART).await;
        assert_eq!(line.delay("greedy"), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_is_never_lost() {
        let slots = Slots::new(1);
        let held = slots.take("ann", 1, 1).await.expect("a free slot");
        assert!(slots.take("bob", 2, 1).await.is_none(), "it waits, and gives up");
        drop(held);
        for user in ["ann", "bob", "ann"] {
            drop(slots.take(user, 3, 1).await.expect("the slot is free again"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_sent_away_at_once() {
        let slots = Slots::new(1);
        let _held = slots.take("greedy", 1, 1).await.expect("a free slot");
        let begun = tokio::time::Instant::now();
        let (waits, sent_away) = tokio::join!(slots.take("greedy", 2, 1), async {
            tokio::task::yield_now().await;
            (slots.take("greedy", 3, 1).await, begun.elapsed())
        });
        assert!(waits.is_none() && sent_away.0.is_none());
        assert!(sent_away.1 < WAIT, "{:?}", sent_away.1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_later_makes_room_for_what_has_waited_longest() {
        let slots = Slots::new(1);
        let held = slots.take("busy", 1, 1).await.expect("a free slot");
        let begun = tokio::time::Instant::now();
        let young = async { (slots.take("busy", 9, 1).await.is_some(), begun.elapsed()) };
        let old = async {
            tokio::task::yield_now().await;
            slots.take("busy", 2, 5).await
        };
        let ((is_served, sent_away), old, ()) = tokio::join!(young, old, async {
            tokio::time::sleep(LONGEST_WAIT - Duration::from_millis(1)).await;
            drop(held);
        });
        assert!(!is_served && sent_away < WAIT, "the younger one kept its place for {sent_away:?}");
        assert!(old.is_some(), "the older one did not wait for the slot");
    }

    #[tokio::test(start_paused = true)]
    async fn who_gave_up_waiting_takes_nobodys_place() {
        let slots = Slots::new(1);
        let held = slots.take("ann", 1, 1).await.expect("a free slot");
        assert!(slots.take("ann", 2, 1).await.is_none(), "it waits, and gives up");
        let (next, ()) = tokio::join!(slots.take("ann", 3, 1), async {
            tokio::time::sleep(WAIT / 2).await;
            drop(held);
        });
        assert!(next.is_some());
    }
}
