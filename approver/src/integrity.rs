//! What the approver believes: the submission as the API wrote it, gates that the approver itself parked, and that ends are final.
//!
//! The broker lets only the API publish on the submission's subject, and only the approver on those of its judgements. A state
//! that claims otherwise was made by someone who may not, and fails its workflow.

use shared::approval::Actor;
use shared::ids::{ApprovalId, EventId, WorkflowId};
use shared::messaging::{AppendError, Entry, ReadError};
use shared::workflow::{Event, EventKind, Failure, Happened, PhaseKind, Workflow, transition};

use crate::decisions::service::Desk;

/// Checks an entry of the approve phase against what its author could not forge.
///
/// `Ok(Some(_))` is the failure to append for a forged one. A parked entry was published where only the approver may, or it could
/// not have been read: an approver checked the rest then.
pub(crate) async fn distrust(desk: &Desk, entry: &Entry) -> Result<Option<Failure>, ReadError> {
    let workflow = &entry.workflow;
    if workflow.park().is_some() {
        return Ok(None);
    }
    let looks = (desk.log.submission(workflow.id), desk.log.newest_judgement(workflow.id));
    let (submitted, judged) = tokio::try_join!(looks.0, looks.1)?;
    let is_same = submitted.is_some_and(|submitted| {
        submitted.workflow.owner == workflow.owner && submitted.workflow.submission == workflow.submission
    });
    let judged = judged.map(|judged| judged.workflow);
    Ok((!is_same || !names_its_gate(workflow) || !goes_on_from(workflow, judged.as_ref())).then(forged))
}

/// An approval's id follows from the number of its gate: an old question cannot be asked again for other code.
fn names_its_gate(workflow: &Workflow) -> bool {
    let number = u32::try_from(workflow.closed_gates.len()).unwrap_or(u32::MAX).saturating_add(1);
    workflow.gate().is_some_and(|gate| gate.approval_id == ApprovalId::for_gate(workflow.id, number))
}

/// The approver alone closes gates, so their history is as its newest judgement left it, and an open question is still open.
fn goes_on_from(workflow: &Workflow, judged: Option<&Workflow>) -> bool {
    match judged {
        Some(judged) => judged.park().is_none() && workflow.closed_gates == judged.closed_gates,
        None => workflow.closed_gates.is_empty(),
    }
}

/// Puts a workflow's first end back where something was appended behind it.
pub(crate) async fn keep_ended(desk: &Desk, entry: &Entry) -> Result<(), String> {
    if !may_follow_an_end(desk, entry).await.map_err(|error| error.to_string())? {
        return Ok(());
    }
    let id = entry.workflow.id;
    let end = desk.log.end(id).await.map_err(|error| error.to_string())?;
    let Some(end) = end.filter(|end| end.sequence < entry.sequence && end.workflow != entry.workflow) else {
        return Ok(());
    };
    tracing::error!(workflow.id = %id, "something was appended behind the workflow's end; the end is put back");
    restore(desk, entry.sequence, &end.workflow, &end).await
}

/// Ends a workflow whose newest message, at `sequence`, nobody can read: with its first end, or as tampered with.
pub(crate) async fn condemn(desk: &Desk, sequence: u64, id: WorkflowId) -> Result<(), String> {
    let end = desk.log.end(id).await.map_err(|error| error.to_string())?;
    if let Some(end) = end.filter(|end| end.sequence < sequence) {
        return restore(desk, sequence, &end.workflow, &end).await;
    }
    let submitted = match desk.log.submission(id).await {
        // Nothing of it was ever readable, so there is no state to end.
        Ok(None) => return Ok(()),
        Err(error) if error.is_hopeless() => return Ok(()),
        Ok(Some(submitted)) => submitted,
        Err(error) => return Err(error.to_string()),
    };
    let event = Event::failed(forged());
    match transition(&submitted.workflow, event, desk.clock.now()) {
        Ok(failed) => restore(desk, sequence, &failed, &submitted).await,
        Err(illegal) => Err(illegal.to_string()),
    }
}

/// Whether it takes a closer look to say that no end stands before `entry`.
///
/// Also of what the API and the approver wrote: they may have gone by a forgery behind the end. Only the API publishes plans, and
/// nothing stands before a submission. On several nodes a replica that is behind would not know of the end.
async fn may_follow_an_end(desk: &Desk, entry: &Entry) -> Result<bool, ReadError> {
    let workflow = &entry.workflow;
    if desk.is_replicated || workflow.status().is_terminal() {
        return Ok(true);
    }
    Ok(workflow.phase.kind() != PhaseKind::Plan && desk.log.has_end(workflow.id).await?)
}

async fn restore(desk: &Desk, behind: u64, state: &Workflow, source: &Entry) -> Result<(), String> {
    let happened = Happened {
        event_id: EventId::fresh(),
        kind: EventKind::StepFailed,
        actor: Actor::approver(),
        at: desk.clock.now(),
        detail: Some("tampered".to_owned()),
    };
    match desk.log.append(behind, state, &happened, source.trace.child()).await {
        Ok(_) | Err(AppendError::Lost) => Ok(()),
        Err(AppendError::Unavailable(reason)) => Err(reason),
    }
}

fn forged() -> Failure {
    Failure::new(
        "tampered",
        "The workflow's state does not agree with its submission.",
        "Tell the operator: a worker may be compromised.",
    )
}

#[cfg(test)]
mod tests {
    use shared::approval::{Gate, Stage};
    use shared::samples::{options, submitted};

    use super::*;

    #[test]
    fn a_gate_is_named_by_its_number() {
        let mut workflow = submitted("ann", options());
        workflow.phase = shared::workflow::Phase::Approve { gate: Gate::pending(workflow.id, 1, Stage::Release) };
        assert!(names_its_gate(&workflow));
        workflow.phase = shared::workflow::Phase::Approve { gate: Gate::pending(workflow.id, 2, Stage::Release) };
        assert!(!names_its_gate(&workflow));
    }
}
