//! Decisions of bots: the subject proves who speaks, everything else is read with suspicion, and every one is answered.

use std::sync::Arc;
use std::time::Duration;

use shared::approval::{Actor, COMMENT_CHARS, Channel, DecisionRequest, Refusal, read_help};
use shared::ids::WorkflowId;
use shared::messaging::{
    ApprovalDesk, AuditRecord, BotDecision, BotReply, Cause, Delivery, RawMessage, Received, Settlement,
};

use crate::decisions::service::{Desk, Outcome, recorded};

/// A decision that overtook its gate is kept this long at most.
const KEPT_DELIVERIES: u64 = 120;
const KEPT_DELAY: Duration = Duration::from_millis(500);
const MESSAGE_ID_BYTES: usize = 128;

/// Handles one message on a bot's decision subject and settles it.
pub(crate) async fn handle_decision(desk: Arc<Desk>, delivery: Delivery<RawMessage>) -> Settlement {
    let Some(received) = ApprovalDesk::read(delivery.body()) else {
        return delivery.dead_letter(&desk.letters, Cause::Unreadable, "its subject names no sender").await;
    };
    if desk.floods.is_flooding(&received.bot, desk.clock.now()) {
        return turn_away(&desk, &received, delivery).await;
    }
    let request = match read(&received) {
        Ok(request) => request,
        Err((id, reason)) => {
            let key = format!("malformed-{}", received.sequence);
            if let Err(error) = note(&desk, &received, key, id, format!("malformed: {reason}")).await {
                tracing::warn!(%error, "a refusal has to wait for the audit log");
                return delivery.retry_after(KEPT_DELAY).await;
            }
            return answer_refused(&desk, &received, None, &Refusal::Malformed(reason), delivery).await;
        }
    };
    match desk.decide(&request, None).await {
        Outcome::Applied(workflow) => {
            let status = workflow.status().as_str();
            desk.bots
                .reply(
                    &received,
                    &reply(&received, Some(&request), "applied", None, &recorded(&workflow), Some(status)),
                )
                .await;
            delivery.ack().await
        }
        Outcome::Refused(Refusal::NotYetParked) if delivery.delivered() < KEPT_DELIVERIES => {
            if delivery.delivered() == 1 {
                let text = "Kept: the approval is being prepared.";
                desk.bots.reply(&received, &reply(&received, Some(&request), "kept", None, text, None)).await;
            }
            delivery.retry_after(KEPT_DELAY).await
        }
        Outcome::Refused(Refusal::NotYetParked) => match desk.give_up(&request, Refusal::NotYetParked).await {
            Outcome::Unavailable(_) => delivery.retry_after(KEPT_DELAY).await,
            Outcome::Refused(_) | Outcome::Applied(_) => {
                answer_refused(&desk, &received, Some(&request), &Refusal::NotYetParked, delivery).await
            }
        },
        Outcome::Refused(refusal) => answer_refused(&desk, &received, Some(&request), &refusal, delivery).await,
        Outcome::Unavailable(reason) => {
            tracing::warn!(%reason, "a bot's decision has to wait");
            delivery.retry_after(KEPT_DELAY).await
        }
    }
}

async fn answer_refused(
    desk: &Desk,
    received: &Received,
    request: Option<&DecisionRequest>,
    refusal: &Refusal,
    delivery: Delivery<RawMessage>,
) -> Settlement {
    desk.floods.count(&received.bot, refusal.is_senders_fault(), desk.clock.now());
    desk.bots.reply(received, &refused(received, request, refusal)).await;
    delivery.ack().await
}

/// Refuses unread what a flooding bot sends; one record stands for all of a window.
async fn turn_away(desk: &Desk, received: &Received, delivery: Delivery<RawMessage>) -> Settlement {
    if let Some(window) = desk.floods.to_note(&received.bot, desk.clock.now()) {
        let key = format!("flood-{}-{window}", received.bot);
        let detail = "its decisions are refused unread: too many were refused before".to_owned();
        if let Err(error) = note(desk, received, key, None, detail).await {
            tracing::warn!(%error, "a refusal has to wait for the audit log");
            return delivery.retry_after(KEPT_DELAY).await;
        }
        desk.floods.noted(&received.bot, window);
    }
    desk.bots.reply(received, &refused(received, None, &Refusal::TooManyRefused)).await;
    delivery.ack().await
}

/// Reads a decision; an error says what is wrong in words that quote nothing of it.
fn read(received: &Received) -> Result<DecisionRequest, (Option<WorkflowId>, String)> {
    let id = received.workflow_id;
    let bad = |reason: &str| (id, reason.to_owned());
    let decision: BotDecision = serde_json::from_slice(&received.payload).map_err(|_| {
        bad("it must be a JSON object with workflow_id, approval_id, decision (approved, rejected or changes_requested) and digest")
    })?;
    if Some(decision.workflow_id) != id {
        return Err(bad("its workflow_id is not the one of its subject"));
    }
    if received.message_id.as_ref().is_some_and(|id| id.len() > MESSAGE_ID_BYTES) {
        return Err(bad("its Nats-Msg-Id is longer than 128 bytes"));
    }
    let is_bad = |comment: &String| comment.contains('\0') || comment.chars().nth(COMMENT_CHARS).is_some();
    if decision.comment.as_ref().is_some_and(is_bad) {
        return Err(bad("its comment must be at most 4000 characters without NUL"));
    }
    let input = read_help(decision.recipe, decision.code);
    let input = input.map_err(|wrong| bad(&format!("its {} {wrong}", wrong.field())))?;
    Ok(DecisionRequest {
        workflow_id: decision.workflow_id,
        approval_id: decision.approval_id,
        verdict: decision.decision,
        comment: decision.comment,
        digest: decision.digest,
        on_behalf_of: decision.decided_by.map(|claim| claim.chars().filter(|c| !c.is_control()).take(128).collect()),
        input,
        by: received.bot.clone(),
        channel: Channel::Nats,
        message_id: message_id(received),
    })
}

fn message_id(received: &Received) -> String {
    received.message_id.clone().unwrap_or_else(|| format!("seq-{}", received.sequence))
}

/// Writes down what was refused before it could be judged.
async fn note(
    desk: &Desk,
    received: &Received,
    key: String,
    id: Option<WorkflowId>,
    detail: String,
) -> Result<(), String> {
    let record = AuditRecord {
        key,
        at: desk.clock.now(),
        actor: Actor::Bot(received.bot.clone()),
        action: "refused".to_owned(),
        path: "nats".to_owned(),
        workflow_id: id,
        approval_id: None,
        digest: None,
        detail: Some(detail),
    };
    desk.audit.append(record).await
}

fn refused(received: &Received, request: Option<&DecisionRequest>, refusal: &Refusal) -> BotReply {
    reply(received, request, "refused", Some(refusal.code()), &refusal.to_string(), None)
}

fn reply(
    received: &Received,
    request: Option<&DecisionRequest>,
    status: &str,
    code: Option<&str>,
    reason: &str,
    workflow_status: Option<&str>,
) -> BotReply {
    BotReply {
        workflow_id: received.workflow_id,
        approval_id: request.map(|request| request.approval_id),
        status: status.to_owned(),
        code: code.map(str::to_owned),
        reason: reason.to_owned(),
        workflow_status: workflow_status.map(str::to_owned),
        message_id: received.message_id.clone(),
    }
}
