//! The newest observed sequence of each workflow.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::ids::WorkflowId;

/// Maximum tracked workflows; when exceeded, the older half is evicted.
const MAX_TRACKED_WORKFLOWS: usize = 50_000;

/// The newest sequences that this process observed.
#[derive(Debug, Default)]
pub(crate) struct SequenceTracker(Mutex<Sequences>);

#[derive(Debug)]
struct Sequences {
    by_workflow: HashMap<WorkflowId, u64>,
    latest: u64,
    /// Transitions up to this sequence may have been missed or evicted.
    missed: u64,
    /// The view has every transition up to this sequence; `None` while it is incomplete or not writable.
    in_view: Option<u64>,
}

impl Default for Sequences {
    fn default() -> Self {
        Self { by_workflow: HashMap::new(), latest: 0, missed: u64::MAX, in_view: None }
    }
}

impl Sequences {
    fn is_newest(&self, id: WorkflowId, sequence: u64) -> bool {
        self.by_workflow.get(&id).is_none_or(|newest| sequence >= *newest)
    }
}

impl SequenceTracker {
    /// Records a transition; ignores an older one.
    pub(crate) fn note(&self, id: WorkflowId, sequence: u64) {
        let mut sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sequences = &mut *sequences;
        sequences.latest = sequence.max(sequences.latest);
        let known = &mut sequences.by_workflow;
        if known.len() >= MAX_TRACKED_WORKFLOWS && !known.contains_key(&id) {
            sequences.missed = evict_older_half(known).max(sequences.missed);
        }
        let newest = known.entry(id).or_insert(0);
        *newest = sequence.max(*newest);
    }

    /// Returns whether this is the workflow's newest known transition.
    pub(crate) fn is_at(&self, id: WorkflowId, sequence: u64) -> bool {
        let sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sequences.by_workflow.get(&id) == Some(&sequence)
    }

    /// Returns whether no newer transition of the workflow is known.
    pub(crate) fn is_newest(&self, id: WorkflowId, sequence: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_newest(id, sequence)
    }

    /// Returns whether a state in the view is the workflow's newest: no newer one is known, the log has reached it, and
    /// the view covers what this process missed.
    pub(crate) fn is_fresh(&self, id: WorkflowId, sequence: u64) -> bool {
        let sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(in_view) = sequences.in_view else { return false };
        let is_covered = sequence > sequences.missed || sequences.missed <= in_view;
        is_covered && sequence <= sequences.latest && sequences.is_newest(id, sequence)
    }

    /// Records that transitions up to `sequence` may have been missed.
    pub(crate) fn set_missed_up_to(&self, sequence: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).missed = sequence;
    }

    /// Returns the sequence up to which transitions may have been missed.
    pub(crate) fn missed(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).missed
    }

    /// Records whether the view is complete and writable.
    pub(crate) fn set_view_complete(&self, is_well: bool) {
        let mut sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sequences.in_view = is_well.then(|| sequences.in_view.unwrap_or(0));
    }

    /// Records that the view has every transition up to `sequence`.
    pub(crate) fn set_view_covers(&self, sequence: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).in_view = Some(sequence);
    }

    /// Returns whether the view is known to have every transition up to `sequence`.
    pub(crate) fn view_covers(&self, sequence: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).in_view >= Some(sequence)
    }

    /// Returns the newest sequence of all workflows.
    pub(crate) fn latest(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).latest
    }
}

/// Evicts the older half; returns the newest evicted sequence.
fn evict_older_half(known: &mut HashMap<WorkflowId, u64>) -> u64 {
    let mut sequences: Vec<u64> = known.values().copied().collect();
    let half = sequences.len() / 2;
    let (_, middle, _) = sequences.select_nth_unstable(half);
    let middle = *middle;
    known.retain(|_, sequence| *sequence > middle);
    middle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observed_sequences_never_decrease() {
        let (tracker, id) = (SequenceTracker::default(), WorkflowId::fresh());
        assert!(tracker.is_newest(id, 1), "nothing is known yet");
        tracker.set_missed_up_to(0);
        tracker.set_view_complete(true);
        tracker.note(id, 7);
        tracker.note(id, 5);
        assert!(!tracker.is_newest(id, 6));
        assert!(tracker.is_newest(id, 7) && tracker.is_newest(id, 8));
        assert!(tracker.is_newest(WorkflowId::fresh(), 1));
        assert!(tracker.is_at(id, 7) && !tracker.is_at(id, 5) && !tracker.is_at(WorkflowId::fresh(), 1));
        assert_eq!(tracker.latest(), 7);
        assert!(tracker.is_fresh(id, 7) && !tracker.is_fresh(id, 6), "older than known");
        assert!(!tracker.is_fresh(id, 8), "the log has not reached it");
    }

    #[test]
    fn the_view_is_fresh_where_the_log_was_observed_or_the_view_covers_it() {
        let (tracker, id, other) = (SequenceTracker::default(), WorkflowId::fresh(), WorkflowId::fresh());
        tracker.note(id, 9);
        assert!(!tracker.is_fresh(id, 9), "the start of the feed is unknown");
        tracker.set_missed_up_to(5);
        assert!(!tracker.is_fresh(id, 9), "the view was not checked");
        tracker.set_view_complete(true);
        assert!(tracker.is_fresh(id, 9) && !tracker.is_fresh(other, 4), "its newest may be the fifth");
        assert!(!tracker.view_covers(5));
        tracker.set_view_covers(5);
        assert!(tracker.view_covers(5) && tracker.is_fresh(other, 4));
        tracker.set_view_complete(true);
        assert!(tracker.is_fresh(other, 4), "it was complete before");
        tracker.set_view_complete(false);
        assert!(!tracker.is_fresh(other, 4) && !tracker.is_fresh(id, 9));
        tracker.set_view_complete(true);
        assert!(!tracker.is_fresh(other, 4), "it may have missed transitions meanwhile");
        tracker.set_view_covers(5);
        tracker.set_missed_up_to(7);
        assert!(!tracker.is_fresh(other, 4), "more was missed since");
    }

    #[test]
    fn memory_is_bounded_and_the_newest_are_kept() {
        let tracker = SequenceTracker::default();
        tracker.set_missed_up_to(0);
        tracker.set_view_complete(true);
        let ids: Vec<WorkflowId> = (0..=MAX_TRACKED_WORKFLOWS).map(|_| WorkflowId::fresh()).collect();
        for (sequence, id) in (1..).zip(&ids) {
            tracker.note(*id, sequence);
        }
        assert!(tracker.0.lock().unwrap().by_workflow.len() <= MAX_TRACKED_WORKFLOWS / 2 + 1);
        assert!(tracker.is_newest(ids[0], 0), "forgotten");
        assert!(!tracker.is_fresh(ids[0], 0), "the view must cover it");
        assert!(
            !tracker.is_newest(ids[MAX_TRACKED_WORKFLOWS], 1) && !tracker.is_newest(ids[MAX_TRACKED_WORKFLOWS - 1], 1)
        );
    }
}
