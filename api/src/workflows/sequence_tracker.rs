//! How new each workflow was when this process last saw it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use shared::ids::WorkflowId;

/// Of so many workflows it is remembered; when there are more, the half that was seen longest ago is forgotten.
const REMEMBERED: usize = 50_000;

/// The newest sequences that this process has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Sequences>);

#[derive(Debug)]
struct Sequences {
    by_workflow: HashMap<WorkflowId, u64>,
    latest: u64,
    /// Transitions up to here may have happened without us, or were forgotten.
    missed: u64,
    /// The view has every transition up to here; `None` while it is not whole or cannot be written.
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

impl Seen {
    /// Notes a transition; an older one than known changes nothing.
    pub(crate) fn note(&self, id: WorkflowId, sequence: u64) {
        let mut sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sequences = &mut *sequences;
        sequences.latest = sequence.max(sequences.latest);
        let known = &mut sequences.by_workflow;
        if known.len() >= REMEMBERED && !known.contains_key(&id) {
            sequences.missed = forget_older_half(known).max(sequences.missed);
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_newest(id, sequence)
    }

    /// Whether what the view says is the workflow's newest: nothing newer of it is known, the log has come that far, and what this
    /// process missed of it the view has.
    pub(crate) fn is_believable(&self, id: WorkflowId, sequence: u64) -> bool {
        let sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(in_view) = sequences.in_view else { return false };
        let is_covered = sequence > sequences.missed || sequences.missed <= in_view;
        is_covered && sequence <= sequences.latest && sequences.is_newest(id, sequence)
    }

    /// Notes that transitions up to `sequence` may have happened unseen.
    pub(crate) fn misses_up_to(&self, sequence: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).missed = sequence;
    }

    /// Up to where transitions may have happened unseen.
    pub(crate) fn missed(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).missed
    }

    /// Notes whether the view is whole and written to.
    pub(crate) fn view_is_well(&self, is_well: bool) {
        let mut sequences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sequences.in_view = is_well.then(|| sequences.in_view.unwrap_or(0));
    }

    /// Notes that the view has every transition up to `sequence`.
    pub(crate) fn view_has_all_up_to(&self, sequence: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).in_view = Some(sequence);
    }

    /// Whether the view is known to have every transition up to `sequence`.
    pub(crate) fn view_has(&self, sequence: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).in_view >= Some(sequence)
    }

    /// The newest sequence of all.
    pub(crate) fn latest(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).latest
    }
}

/// Returns up to where they were forgotten.
fn forget_older_half(known: &mut HashMap<WorkflowId, u64>) -> u64 {
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
    fn what_was_seen_does_not_get_older() {
        let (seen, id) = (Seen::default(), WorkflowId::fresh());
        assert!(seen.is_newest(id, 1), "nothing is known yet");
        seen.misses_up_to(0);
        seen.view_is_well(true);
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
    fn the_view_is_believed_where_the_log_was_heard_or_the_view_has_what_was_not() {
        let (seen, id, other) = (Seen::default(), WorkflowId::fresh(), WorkflowId::fresh());
        seen.note(id, 9);
        assert!(!seen.is_believable(id, 9), "nobody knows yet from where on the log is heard");
        seen.misses_up_to(5);
        assert!(!seen.is_believable(id, 9), "nobody has looked at the view");
        seen.view_is_well(true);
        assert!(seen.is_believable(id, 9) && !seen.is_believable(other, 4), "its newest may be the fifth");
        assert!(!seen.view_has(5));
        seen.view_has_all_up_to(5);
        assert!(seen.view_has(5) && seen.is_believable(other, 4));
        seen.view_is_well(true);
        assert!(seen.is_believable(other, 4), "it was well before");
        seen.view_is_well(false);
        assert!(!seen.is_believable(other, 4) && !seen.is_believable(id, 9));
        seen.view_is_well(true);
        assert!(!seen.is_believable(other, 4), "who knows what it missed meanwhile");
        seen.view_has_all_up_to(5);
        seen.misses_up_to(7);
        assert!(!seen.is_believable(other, 4), "more was missed since");
    }

    #[test]
    fn memory_is_bounded_and_the_newest_stay() {
        let seen = Seen::default();
        seen.misses_up_to(0);
        seen.view_is_well(true);
        let ids: Vec<WorkflowId> = (0..=REMEMBERED).map(|_| WorkflowId::fresh()).collect();
        for (sequence, id) in (1..).zip(&ids) {
            seen.note(*id, sequence);
        }
        assert!(seen.0.lock().unwrap().by_workflow.len() <= REMEMBERED / 2 + 1);
        assert!(seen.is_newest(ids[0], 0), "forgotten");
        assert!(!seen.is_believable(ids[0], 0), "and so the view has to know of it");
        assert!(!seen.is_newest(ids[REMEMBERED], 1) && !seen.is_newest(ids[REMEMBERED - 1], 1));
    }
}
