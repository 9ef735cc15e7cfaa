//! Tamper detection on the log: gates must agree with their submission and with the approver's own transitions, and
//! terminal states are final.
//!
//! The broker lets only the API publish on the submission's subject, and only the approver on the judged subjects. An
//! entry that contradicts them was forged by another process; its workflow fails with the code `tampered`.

use std::time::Duration;

use domain::approval::Actor;
use domain::ids::{ApprovalId, WorkflowId};
use domain::workflow::{Event, EventKind, EventRecord, Failure, PhaseKind, Workflow};
use messaging::{AdvanceError, AppendError, Consumer, DecodeError, Entry, Queue, ReadError, Unreadable, WorkflowLog};
use service::clock::Clock;

use crate::retry_error::RetryError;

/// The stable code of a workflow that failed because of a forged entry.
const TAMPERED: &str = "tampered";
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Checks entries and appends corrections.
#[derive(Debug, Clone)]
pub(crate) struct Integrity {
    pub(crate) log: WorkflowLog,
    /// True if the log has several replicas, some of which may be behind.
    pub(crate) is_replicated: bool,
    pub(crate) clock: Clock,
}

impl Integrity {
    /// Checks an entry of the approve phase; returns the failure to append if it is forged.
    ///
    /// A parked entry passes: only an approver can publish one, and it has checked the unparked entry before.
    pub(crate) async fn verify_gate_entry(&self, entry: &Entry) -> Result<Option<Failure>, ReadError> {
        let workflow = &entry.workflow;
        if workflow.park().is_some() {
            return Ok(None);
        }
        let reads = (self.log.submission(workflow.id), self.log.newest_judgement(workflow.id));
        let (submitted, judged) = tokio::try_join!(reads.0, reads.1)?;
        let is_same = submitted.is_some_and(|submitted| {
            submitted.workflow.owner == workflow.owner && submitted.workflow.submission == workflow.submission
        });
        let judged = judged.map(|judged| judged.workflow);
        let is_genuine = is_same && has_derived_approval_id(workflow) && continues_gates(workflow, judged.as_ref());
        Ok((!is_genuine).then(tampered))
    }

    /// Re-appends the workflow's first terminal state if `entry` follows it.
    pub(crate) async fn enforce_terminal_state(&self, entry: &Entry) -> Result<(), RetryError> {
        if !self.may_follow_end(entry).await? {
            return Ok(());
        }
        let (id, sequence) = (entry.workflow.id, entry.sequence);
        let end = self.log.end(id).await?;
        let Some(end) = end.filter(|end| end.sequence < sequence && end.workflow != entry.workflow) else {
            return Ok(());
        };
        tracing::error!(
            workflow.id = %id,
            sequence,
            "Workflow {id}: re-appending the terminal state before entry {sequence}. A worker may be compromised"
        );
        self.append_correction(sequence, &end).await
    }

    /// Settles a delivery that cannot be decoded. If no build can ever decode it, the timer queue, which receives every
    /// transition, fails its workflow first.
    pub(crate) async fn settle_unreadable(&self, queue: &Queue, unreadable: Unreadable) {
        let Unreadable { delivery, error } = unreadable;
        let is_permanent = !matches!(error, DecodeError::Newer(_));
        if is_permanent
            && *queue.consumer() == Consumer::Schedules
            && let Some((sequence, id)) = Queue::place_of(delivery.body())
            && let Err(reason) = self.fail_unreadable(sequence, id).await
        {
            tracing::warn!(
                workflow.id = %id,
                sequence,
                %reason,
                "Workflow {id}: retrying to fail it because of unreadable entry {sequence}: {reason}"
            );
            delivery.retry_after(RETRY_DELAY).await;
            return;
        }
        queue.settle_unreadable(delivery, &error).await;
    }

    /// Ends a workflow whose newest entry, at `sequence`, is unreadable: by its first terminal state, or as tampered.
    async fn fail_unreadable(&self, sequence: u64, id: WorkflowId) -> Result<(), RetryError> {
        let end = self.log.end(id).await?;
        if let Some(end) = end.filter(|end| end.sequence < sequence) {
            return self.append_correction(sequence, &end).await;
        }
        let submitted = match self.log.submission(id).await {
            // Without a readable submission there is no state to end.
            Ok(None) => return Ok(()),
            Err(error) if error.is_hopeless() => return Ok(()),
            Ok(Some(submitted)) => submitted,
            Err(error) => return Err(error.into()),
        };
        let unreadable = Entry { sequence, ..submitted };
        let event = Event::failed(tampered());
        match self.log.advance(&unreadable, event, Actor::approver(), self.clock.now()).await {
            Ok(_) | Err(AdvanceError::Superseded) => Ok(()),
            Err(error @ (AdvanceError::IllegalTransition(_) | AdvanceError::Unavailable(_))) => Err(error.into()),
        }
    }

    /// Returns whether a terminal state may precede `entry`, by one cheap read.
    async fn may_follow_end(&self, entry: &Entry) -> Result<bool, ReadError> {
        let workflow = &entry.workflow;
        // A replica may not have the terminal state yet.
        if self.is_replicated || workflow.status().is_terminal() {
            return Ok(true);
        }
        // Check entries of trusted writers too: they may be based on a forged entry. Plans are always first, and only
        // the API publishes them.
        Ok(workflow.phase.kind() != PhaseKind::Plan && self.log.has_end(workflow.id).await?)
    }

    /// Appends the state of `end` once more, behind `sequence`.
    async fn append_correction(&self, sequence: u64, end: &Entry) -> Result<(), RetryError> {
        let (at, detail) = (self.clock.now(), Some(TAMPERED.to_owned()));
        let happened = EventRecord::new(EventKind::StepFailed, Actor::approver(), at, detail);
        match self.log.append(sequence, &end.workflow, &happened, end.trace.child()).await {
            Ok(_) | Err(AppendError::Lost) => Ok(()),
            Err(error @ AppendError::Unavailable(_)) => Err(AdvanceError::from(error).into()),
        }
    }
}

/// Returns whether the approval id derives from the gate's number, so that no old approval is reopened for other code.
fn has_derived_approval_id(workflow: &Workflow) -> bool {
    let number = u32::try_from(workflow.closed_gates.len()).unwrap_or(u32::MAX).saturating_add(1);
    workflow.gate().is_some_and(|gate| gate.approval_id == ApprovalId::for_gate(workflow.id, number))
}

/// Returns whether the closed gates are those of the approver's newest transition, which must not have left one open.
///
/// Only the approver closes gates.
fn continues_gates(workflow: &Workflow, judged: Option<&Workflow>) -> bool {
    match judged {
        Some(judged) => judged.park().is_none() && workflow.closed_gates == judged.closed_gates,
        None => workflow.closed_gates.is_empty(),
    }
}

fn tampered() -> Failure {
    Failure::new(
        TAMPERED,
        "The workflow's state does not agree with its submission.",
        "Tell the operator: a worker may be compromised.",
    )
}

#[cfg(test)]
mod tests {
    use domain::approval::{Gate, Stage};
    use domain::samples::{options, submitted};
    use domain::workflow::Phase;

    use super::*;

    #[test]
    fn an_approval_id_derives_from_the_number_of_its_gate() {
        let mut workflow = submitted("ann", options());
        workflow.phase = Phase::Approve { gate: Gate::pending(workflow.id, 1, Stage::Release) };
        assert!(has_derived_approval_id(&workflow));
        workflow.phase = Phase::Approve { gate: Gate::pending(workflow.id, 2, Stage::Release) };
        assert!(!has_derived_approval_id(&workflow));
    }
}
