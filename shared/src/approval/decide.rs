//! Who may decide what: one function for every path by which a decision comes.

use super::gate::{Channel, Decision, GateOutcome, Stage, Verdict};
use crate::clock::Timestamp;
use crate::identity::{Role, User};
use crate::ids::{ApprovalId, Digest, UserName, WorkflowId};
use crate::workflow::{NewInput, Workflow};

/// A decision as it was sent, before anything about it was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRequest {
    pub workflow_id: WorkflowId,
    pub approval_id: ApprovalId,
    pub verdict: Verdict,
    pub comment: Option<String>,
    /// Demanded of bots; where HTTP leaves it out, what is parked now is meant.
    pub digest: Option<Digest>,
    pub on_behalf_of: Option<String>,
    pub input: Option<NewInput>,
    pub by: UserName,
    pub channel: Channel,
    pub message_id: String,
}

/// Why a decision changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("There is no such workflow, or it is not for you to see.")]
    UnknownWorkflow,
    #[error("This workflow has no such approval.")]
    UnknownApproval,
    /// The gate is in the log, and nobody has judged it yet: keep the decision and try again.
    #[error("The approval is being prepared.")]
    NotYetParked,
    #[error("This approval was decided already.")]
    AlreadyDecided,
    #[error("This approval expired.")]
    Expired,
    #[error("The digest is not that of what is parked now.")]
    DigestMismatch,
    #[error("The digest is missing: name what you decide on.")]
    DigestMissing,
    #[error("You may not decide this approval.")]
    NotEntitled,
    /// The names that would do, so that the sender can choose.
    #[error("There is no such recipe; name one of {0}.")]
    UnknownRecipe(String),
    #[error("A recipe or code goes with the approval of needs_input only.")]
    InputNotAsked,
    #[error("This message id was used before for another decision; choose a new one.")]
    MessageReused,
    /// The bot met so many refusals that it is not listened to for a while.
    #[error("Too many of your decisions were refused; send this one again in a minute.")]
    TooManyRefused,
    #[error("The decision cannot be read: {0}")]
    Malformed(String),
}

impl Refusal {
    /// Whether a sender that means well would not have met it. Who only comes second, or late, meets the others.
    pub const fn is_senders_fault(&self) -> bool {
        match self {
            Self::UnknownWorkflow
            | Self::UnknownApproval
            | Self::DigestMissing
            | Self::NotEntitled
            | Self::UnknownRecipe(_)
            | Self::InputNotAsked
            | Self::MessageReused
            | Self::TooManyRefused
            | Self::Malformed(_) => true,
            Self::NotYetParked | Self::AlreadyDecided | Self::Expired | Self::DigestMismatch => false,
        }
    }

    /// The stable code of the refusal, as audited and answered.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownWorkflow => "unknown_workflow",
            Self::UnknownApproval => "unknown_approval",
            Self::NotYetParked => "not_yet_parked",
            Self::AlreadyDecided => "already_decided",
            Self::Expired => "expired",
            Self::DigestMismatch => "digest_mismatch",
            Self::DigestMissing => "digest_missing",
            Self::NotEntitled => "not_entitled",
            Self::UnknownRecipe(_) => "unknown_recipe",
            Self::InputNotAsked => "input_not_asked",
            Self::MessageReused => "message_reused",
            Self::TooManyRefused => "too_many_refused",
            Self::Malformed(_) => "malformed",
        }
    }
}

/// Whether `user` may decide what `workflow` asks: approvers and admins for others' work, owners of their own only with leave to.
pub fn may_decide(workflow: &Workflow, user: &User) -> bool {
    if user.disabled {
        return false;
    }
    if workflow.owner == user.name { user.self_approval } else { user.role >= Role::Approver }
}

/// Judges a decision against the newest state.
///
/// `Ok(Some(_))` is to be appended as `Decided`; `Ok(None)` says that this very message was applied before.
pub fn judge(
    workflow: &Workflow,
    user: Option<&User>,
    request: &DecisionRequest,
    at: Timestamp,
) -> Result<Option<Decision>, Refusal> {
    if let Some(is_same) = earlier(workflow, request) {
        return if is_same { Ok(None) } else { Err(Refusal::MessageReused) };
    }
    let user = user.ok_or(Refusal::NotEntitled)?;
    if !may_decide(workflow, user) {
        return Err(Refusal::NotEntitled);
    }
    let gate = workflow.gate().filter(|gate| gate.approval_id == request.approval_id);
    let Some(gate) = gate else { return Err(closed_refusal(workflow, request.approval_id)) };
    let park = gate.park().ok_or(Refusal::NotYetParked)?;
    if at >= park.expires_at {
        return Err(Refusal::Expired);
    }
    match request.digest {
        Some(digest) if digest != park.digest => return Err(Refusal::DigestMismatch),
        None if request.channel == Channel::Nats => return Err(Refusal::DigestMissing),
        Some(_) | None => {}
    }
    if park.decisions.iter().any(|decision| decision.by == request.by) {
        return Err(Refusal::AlreadyDecided);
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
    }))
}

/// Nobody may put their own code in the place of what is decided on: help goes where it is asked for, and with a yes.
fn check_input(stage: &Stage, request: &DecisionRequest) -> Result<(), Refusal> {
    match (stage, &request.input) {
        (_, None) => Ok(()),
        (Stage::Input { .. }, Some(_)) if request.verdict != Verdict::Approved => Err(Refusal::InputNotAsked),
        (Stage::Input { recipes, .. }, Some(NewInput::Recipe { name }))
            if !recipes.is_empty() && !recipes.contains(name) =>
        {
            Err(Refusal::UnknownRecipe(recipes.join(", ")))
        }
        (Stage::Input { .. }, Some(_)) => Ok(()),
        (Stage::BeforeExecute | Stage::Release, Some(_)) => Err(Refusal::InputNotAsked),
    }
}

/// Whether this very message was applied before: `Some(false)` where its id was, for a decision that said something else.
fn earlier(workflow: &Workflow, request: &DecisionRequest) -> Option<bool> {
    let closed = workflow.closed_gates.iter().map(|gate| (gate.approval_id, gate.digest, gate.decisions.as_slice()));
    let open = workflow
        .gate()
        .and_then(|gate| gate.park().map(|park| (gate.approval_id, Some(park.digest), park.decisions.as_slice())));
    let (digest, applied) = closed
        .chain(open)
        .filter(|(id, _, _)| *id == request.approval_id)
        .flat_map(|(_, digest, decisions)| decisions.iter().map(move |decision| (digest, decision)))
        .find(|(_, decision)| decision.by == request.by && decision.message_id == request.message_id)?;
    let is_same = applied.verdict == request.verdict
        && applied.comment == request.comment
        && applied.input.as_ref().map(named) == request.input.as_ref().map(named)
        && (request.digest.is_none() || request.digest == digest);
    Some(is_same)
}

/// Supplied code by its digest: large code is inline in a message that has not been applied, and a blob in one that was.
fn named(input: &NewInput) -> (Option<Digest>, Option<&str>) {
    match input {
        NewInput::Code { content } => (Some(content.digest), None),
        NewInput::Recipe { name } => (None, Some(name)),
    }
}

fn closed_refusal(workflow: &Workflow, id: ApprovalId) -> Refusal {
    match workflow.closed_gates.iter().find(|gate| gate.approval_id == id).map(|gate| gate.outcome) {
        Some(GateOutcome::Expired) => Refusal::Expired,
        Some(
            GateOutcome::Released
            | GateOutcome::Approved
            | GateOutcome::Rejected
            | GateOutcome::ChangesRequested
            | GateOutcome::Abandoned,
        ) => Refusal::AlreadyDecided,
        None => Refusal::UnknownApproval,
    }
}
