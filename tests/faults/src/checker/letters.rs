//! Dead letters: one for each step that was given up, and no other.

use std::collections::HashSet;

use shared::ids::WorkflowId;
use shared::messaging::{Cause, KeptLetter};

use super::ends::EXHAUSTED;
use super::{Complaint, Logs};
use crate::evidence::Explained;

/// Workflows that ended because a step had all its attempts.
pub fn exhausted(logs: &Logs) -> impl Iterator<Item = WorkflowId> + '_ {
    logs.iter().filter_map(|(id, log)| {
        let failure = log.iter().find_map(|entry| entry.workflow.failure())?;
        (failure.code == EXHAUSTED).then_some(*id)
    })
}

pub(super) fn wrong(logs: &Logs, letters: &[KeptLetter], explained: Explained) -> Vec<Complaint> {
    let given_up = |kept: &&KeptLetter| kept.letter.cause == Cause::Exhausted;
    let known: HashSet<WorkflowId> =
        letters.iter().filter(given_up).filter_map(|kept| kept.letter.workflow_id()).collect();
    let lost = exhausted(logs).filter(|id| !known.contains(id));
    let lost = lost.map(|id| Complaint::of(id, "it was given up, and there is no dead letter"));
    let odd = letters.iter().filter(|kept| !(given_up(kept) && explained.exhausted));
    let odd = odd.map(|kept| Complaint {
        workflow: kept.letter.workflow_id(),
        what: format!("there is a letter that nothing explains: {}, {}", kept.letter.subject, kept.letter.reason),
    });
    lost.chain(odd).collect()
}
