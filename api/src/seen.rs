//! How new each workflow was when this process last saw it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use shared::ids::WorkflowId;

/// Of so many workflows it is remembered; when there are more, the half that was seen longest ago is forgotten.
const REMEMBERED: usize = 50_000;

/// The newest sequences that this process has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Sequences>);

#[derive(Debug, Default)]
struct Sequences {
    by_workflow: HashMap<WorkflowId, u64>,
    latest: u64,
}

impl Seen {
    /// Notes a transition; an older one than known changes nothing.
    pub(crate) fn note(&self, id: WorkflowId, sequence: u64) {
        let mut sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sequences.latest = sequence.max(sequences.latest);
        let known = &mut sequences.by_workflow;
        if known.len() >= REMEMBERED && !known.contains_key(&id) {
            forget_older_half(known);
        }
        let newest = known.entry(id).or_insert(0);
        *newest = sequence.max(*newest);
    }

    /// Whether this is the newest transition of the workflow that is known.
    pub(crate) fn is_at(&self, id: WorkflowId, sequence: u64) -> bool {
        let sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sequences.by_workflow.get(&id) == Some(&sequence)
    }

    /// Whether nothing newer of the workflow is known than `sequence`.
    pub(crate) fn is_newest(&self, id: WorkflowId, sequence: u64) -> bool {
        let sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sequences.by_workflow.get(&id).is_none_or(|newest| sequence >= *newest)
    }

    /// Whether `sequence` may be the workflow's newest: nothing newer of it is known, and the log has come that far.
    pub(crate) fn is_believable(&self, id: WorkflowId, sequence: u64) -> bool {
        sequence <= self.latest() && self.is_newest(id, sequence)
    }

    /// The newest sequence of all.
    pub(crate) fn latest(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).latest
    }
}

fn forget_older_half(known: &mut HashMap<WorkflowId, u64>) {
    let mut sequences: Vec<u64> = known.values().copied().collect();
    let half = sequences.len() / 2;
    let (_, middle, _) = sequences.select_nth_unstable(half);
    let middle = *middle;
    known.retain(|_, sequence| *sequence > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_does_not_get_older() {
        let (seen, id) = (Seen::default(), WorkflowId::fresh());
        assert!(seen.is_newest(id, 1), "nothing is known yet");
        seen.note(id, 7);
        seen.note(id, 5);
        assert!(!seen.is_newest(id, 6));
        assert!(seen.is_newest(id, 7) && seen.is_newest(id, 8));
        assert!(seen.is_newest(WorkflowId::fresh(), 1));
        assert!(seen.is_at(id, 7) && !seen.is_at(id, 5) && !seen.is_at(WorkflowId::fresh(), 1));
        assert_eq!(seen.latest(), 7);
        assert!(seen.is_believable(id, 7) && !seen.is_believable(id, 6), "older than known");
        assert!(!seen.is_believable(id, 8), "the log has not come that far");
    }

    #[test]
    fn memory_is_bounded_and_the_newest_stay() {
        let seen = Seen::default();
        let ids: Vec<WorkflowId> = (0..=REMEMBERED).map(|_| WorkflowId::fresh()).collect();
        for (sequence, id) in (1..).zip(&ids) {
            seen.note(*id, sequence);
        }
        assert!(seen.0.lock().unwrap().by_workflow.len() <= REMEMBERED / 2 + 1);
        assert!(seen.is_newest(ids[0], 0), "forgotten");
        assert!(!seen.is_newest(ids[REMEMBERED], 1) && !seen.is_newest(ids[REMEMBERED - 1], 1));
    }
}
