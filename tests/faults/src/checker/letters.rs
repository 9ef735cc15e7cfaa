//! Dead letters: one for each abandoned step, and no other.

use std::collections::HashSet;

use domain::ids::WorkflowId;
use messaging::{Cause, StoredDeadLetter};

use super::ends::EXHAUSTED;
use super::{Anomaly, Logs};
use crate::evidence::AllowedOutcomes;

/// Returns workflows that ended because a step used up its attempts.
pub fn exhausted(logs: &Logs) -> impl Iterator<Item = WorkflowId> + '_ {
    logs.iter().filter_map(|(id, log)| {
        let failure = log.iter().find_map(|entry| entry.workflow.failure())?;
        (failure.code == EXHAUSTED).then_some(*id)
    })
}

pub(super) fn wrong(logs: &Logs, letters: &[StoredDeadLetter], allowed: AllowedOutcomes) -> Vec<Anomaly> {
    let given_up = |kept: &&StoredDeadLetter| kept.letter.cause == Cause::Exhausted;
    let known: HashSet<WorkflowId> =
        letters.iter().filter(given_up).filter_map(|kept| kept.letter.workflow_id()).collect();
    let lost = exhausted(logs).filter(|id| !known.contains(id));
    let lost = lost.map(|id| Anomaly::of(id, "a step used up its attempts, and there is no dead letter"));
    let odd = letters.iter().filter(|kept| !(given_up(kept) && allowed.exhausted));
    let odd = odd.map(|kept| Anomaly {
        workflow: kept.letter.workflow_id(),
        what: format!("unexpected dead letter: {}, {}", kept.letter.subject, kept.letter.reason),
    });
    lost.chain(odd).collect()
}
