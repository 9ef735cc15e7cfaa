//! Judgement of a decision: one function for all channels.

use super::decision_error::DecisionError;
use super::entitlement::{has_voted, is_eligible, is_theirs, may_decide};
use super::gate::{Channel, Decision, GateOutcome, Stage, Verdict};
use crate::Timestamp;
use crate::identity::User;
use crate::ids::{ApprovalId, Digest, UserName, WorkflowId};
use crate::nearest::nearest_names;
use crate::workflow::{NewInput, Phase, Workflow};

/// A decision as it was sent, unchecked.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRequest {
    pub workflow_id: WorkflowId,
    pub approval_id: ApprovalId,
    pub verdict: Verdict,
    pub comment: Option<String>,
    /// Required from bots; without it, a decision over HTTP means the parked content.
    pub digest: Option<Digest>,
    pub on_behalf_of: Option<String>,
    pub input: Option<NewInput>,
    pub by: UserName,
    pub channel: Channel,
    pub message_id: String,
}

/// Judges a decision against the newest state.
///
/// `Ok(Some(_))` is to be appended as `Decided`; `Ok(None)` means that this message was already applied.
pub fn validate_decision(
    workflow: &Workflow,
    user: Option<&User>,
    request: &DecisionRequest,
    at: Timestamp,
) -> Result<Option<Decision>, DecisionError> {
    if let Some(is_same) = earlier(workflow, user, request) {
        return if is_same { Ok(None) } else { Err(DecisionError::MessageReused) };
    }
    let user = user.ok_or(DecisionError::NotEntitled)?;
    if !is_eligible(workflow, user) {
        return Err(if workflow.owner == user.name && !user.disabled {
            DecisionError::OwnWork
        } else {
            DecisionError::NotEntitled
        });
    }
    let gate = workflow.gate().filter(|gate| gate.approval_id == request.approval_id);
    let Some(gate) = gate else { return Err(closed_refusal(workflow, request.approval_id)) };
    if !may_decide(workflow, user) {
        return Err(DecisionError::OwnWork);
    }
    let park = gate.park().ok_or(DecisionError::NotYetParked)?;
    if at >= park.expires_at {
        return Err(DecisionError::Expired);
    }
    match request.digest {
        Some(digest) if digest != park.digest => return Err(DecisionError::DigestMismatch),
        None if request.channel == Channel::Nats => return Err(DecisionError::DigestMissing),
        Some(_) | None => {}
    }
    if has_voted(workflow, user) {
        return Err(DecisionError::AlreadyVoted { approvals: park.approvals(), required: park.required_approvers });
    }
    check_input(&gate.stage, request)?;
    Ok(Some(Decision {
        verdict: request.verdict,
        by: request.by.clone(),
        channel: request.channel,
        on_behalf_of: request.on_behalf_of.clone(),
        comment: request.comment.clone(),
        input: request.input.clone(),
        message_id: request.message_id.clone(),
        at,
        lapsed: false,
    }))
}

/// Checks that input is part of an approval of an input gate, so that no approver replaces the content they decide on.
fn check_input(stage: &Stage, request: &DecisionRequest) -> Result<(), DecisionError> {
    match (stage, &request.input) {
        (_, None) => Ok(()),
        (Stage::Input { .. }, Some(_)) if request.verdict != Verdict::Approved => Err(DecisionError::InputNotAsked),
        (Stage::Input { recipes, .. }, Some(NewInput::Recipe { name }))
            if !recipes.is_empty() && !recipes.contains(name) =>
        {
            let near = nearest_names(name, recipes.iter().map(String::as_str));
            Err(DecisionError::UnknownRecipe(if near.is_empty() { recipes.join(", ") } else { near.join(", ") }))
        }
        (Stage::Input { .. }, Some(_)) => Ok(()),
        (Stage::BeforeExecute | Stage::Release, Some(_)) => Err(DecisionError::InputNotAsked),
    }
}

/// Returns `Some(true)` if this message was already applied, and `Some(false)` if its id was used for a different
/// decision.
fn earlier(workflow: &Workflow, user: Option<&User>, request: &DecisionRequest) -> Option<bool> {
    let is_current = |decision: &Decision| !decision.lapsed && user.is_none_or(|user| is_theirs(decision, user));
    let closed = workflow.closed_gates.iter().map(|gate| (gate.approval_id, gate.digest, gate.decisions.as_slice()));
    let open = workflow
        .gate()
        .and_then(|gate| gate.park().map(|park| (gate.approval_id, Some(park.digest), park.decisions.as_slice())));
    let (digest, applied) = closed
        .chain(open)
        .filter(|(id, _, _)| *id == request.approval_id)
        .flat_map(|(_, digest, decisions)| decisions.iter().map(move |decision| (digest, decision)))
        .filter(|(_, decision)| is_current(decision))
        .find(|(_, decision)| decision.by == request.by && decision.message_id == request.message_id)?;
    let is_same = applied.verdict == request.verdict
        && applied.comment == request.comment
        && applied.input.as_ref().map(named) == request.input.as_ref().map(named)
        && (request.digest.is_none() || request.digest == digest);
    Some(is_same)
}

/// Returns supplied code by its digest: large code is inline in a message before it is applied, and a blob after.
fn named(input: &NewInput) -> (Option<Digest>, Option<&str>) {
    match input {
        NewInput::Code { content } => (Some(content.digest), None),
        NewInput::Recipe { name } => (None, Some(name)),
    }
}

fn closed_refusal(workflow: &Workflow, id: ApprovalId) -> DecisionError {
    let Some(gate) = workflow.closed_gates.iter().find(|gate| gate.approval_id == id) else {
        return DecisionError::UnknownApproval;
    };
    match gate.outcome {
        GateOutcome::Expired => DecisionError::Expired,
        GateOutcome::Released => DecisionError::AlreadyDecided("no human was asked"),
        GateOutcome::Approved => DecisionError::AlreadyDecided("it was approved"),
        GateOutcome::Rejected => DecisionError::AlreadyDecided("it was rejected"),
        GateOutcome::ChangesRequested => DecisionError::AlreadyDecided("changes were requested or supplied"),
        GateOutcome::Abandoned => match &workflow.phase {
            Phase::Cancelled { .. } => DecisionError::Cancelled,
            Phase::Failed { failure } => DecisionError::WorkflowEnded(failure.code.clone()),
            Phase::Plan
            | Phase::Generate { .. }
            | Phase::Analyze
            | Phase::Execute { .. }
            | Phase::Approve { .. }
            | Phase::Done => DecisionError::WorkflowEnded(workflow.phase.kind().as_str().to_owned()),
        },
    }
}
