//! Decisions of bots over NATS. The subject authenticates the bot; the payload is untrusted. Every message is answered.

use std::sync::Arc;
use std::time::Duration;

use domain::approval::{Actor, COMMENT_CHARS, Channel, DecisionError, DecisionRequest, parse_supplied_input};
use domain::ids::WorkflowId;
use messaging::{
    AuditLog, AuditRecord, BotChannel, BotDecision, BotMessage, BotReply, Cause, DeadLetters, Delivery, RawMessage,
    Settlement,
};
use service::clock::Clock;

use crate::decisions::refusal_limiter::RefusalLimiter;
use crate::decisions::service::{DecisionOutcome, DecisionService, confirmation};
use crate::retry_error::RetryError;

/// Maximum deliveries of a decision whose gate has not been evaluated yet.
const MAX_DELIVERIES: u64 = 120;
const RETRY_DELAY: Duration = Duration::from_millis(500);
const MAX_MESSAGE_ID_BYTES: usize = 128;
/// Maximum characters of the name on whose behalf a bot decides.
const MAX_CLAIM_CHARS: usize = 128;

/// Handles decisions of bots.
#[derive(Debug)]
pub(crate) struct BotDecisions {
    pub(crate) service: Arc<DecisionService>,
    pub(crate) bots: BotChannel,
    pub(crate) audit: AuditLog,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) refusals: RefusalLimiter,
    pub(crate) clock: Clock,
}

/// Handles one message on a bot's decision subject and settles it.
pub(crate) async fn handle_bot_decision(decisions: Arc<BotDecisions>, delivery: Delivery<RawMessage>) -> Settlement {
    let Some(received) = BotChannel::read(delivery.body()) else {
        let reason = "the subject names no sender";
        return delivery.dead_letter(&decisions.dead_letters, Cause::Unreadable, reason).await;
    };
    if decisions.refusals.is_limited(&received.bot, decisions.clock.now()) {
        return decisions.refuse_unread(&received, delivery).await;
    }
    match parse(&received) {
        Ok(request) => decisions.decide(&received, &request, delivery).await,
        Err((id, reason)) => {
            let key = format!("malformed-{}", received.sequence);
            if let Err(error) = decisions.record_refusal(&received, key, id, format!("malformed: {reason}")).await {
                let bot = &received.bot;
                tracing::warn!(%bot, %error, "Retrying refusal of a malformed decision of bot {bot}: {error}");
                return delivery.retry_after(RETRY_DELAY).await;
            }
            decisions.reply_refused(&received, None, &DecisionError::Malformed(reason), delivery).await
        }
    }
}

impl BotDecisions {
    async fn decide(
        &self,
        received: &BotMessage,
        request: &DecisionRequest,
        delivery: Delivery<RawMessage>,
    ) -> Settlement {
        match self.service.decide(request, None).await {
            DecisionOutcome::Applied(state) => {
                let (status, text) = (state.workflow.status().as_str(), confirmation(&state.workflow));
                let reply = reply(received, Some(request), "applied", None, &text, Some(status));
                self.bots.reply(received, &reply).await;
                delivery.ack().await
            }
            DecisionOutcome::Refused(DecisionError::NotYetParked) if delivery.delivered() < MAX_DELIVERIES => {
                if delivery.delivered() == 1 {
                    let text = "Queued: the approval is not open yet.";
                    self.bots.reply(received, &reply(received, Some(request), "kept", None, text, None)).await;
                }
                delivery.retry_after(RETRY_DELAY).await
            }
            DecisionOutcome::Refused(DecisionError::NotYetParked) => {
                match self.service.refuse(request, DecisionError::NotYetParked).await {
                    DecisionOutcome::Unavailable(_) => delivery.retry_after(RETRY_DELAY).await,
                    DecisionOutcome::Refused(_) | DecisionOutcome::Applied(_) => {
                        self.reply_refused(received, Some(request), &DecisionError::NotYetParked, delivery).await
                    }
                }
            }
            DecisionOutcome::Refused(refusal) => self.reply_refused(received, Some(request), &refusal, delivery).await,
            DecisionOutcome::Unavailable(reason) => {
                let (id, bot) = (request.workflow_id, &received.bot);
                tracing::warn!(
                    workflow.id = %id,
                    %bot,
                    %reason,
                    "Workflow {id}: retrying decision of bot {bot}: {reason}"
                );
                delivery.retry_after(RETRY_DELAY).await
            }
        }
    }

    async fn reply_refused(
        &self,
        received: &BotMessage,
        request: Option<&DecisionRequest>,
        refusal: &DecisionError,
        delivery: Delivery<RawMessage>,
    ) -> Settlement {
        self.refusals.record(&received.bot, refusal.is_client_error(), self.clock.now());
        self.bots.reply(received, &refused(received, request, refusal)).await;
        delivery.ack().await
    }

    /// Refuses a message of a limited bot without reading it; writes one audit record per window.
    async fn refuse_unread(&self, received: &BotMessage, delivery: Delivery<RawMessage>) -> Settlement {
        let bot = &received.bot;
        if let Some(window) = self.refusals.unrecorded_window(bot, self.clock.now()) {
            let key = format!("flood-{bot}-{window}");
            let detail = "its decisions are refused unread: too many were refused before".to_owned();
            if let Err(error) = self.record_refusal(received, key, None, detail).await {
                tracing::warn!(%bot, %error, "Retrying refusal of decisions of bot {bot}: {error}");
                return delivery.retry_after(RETRY_DELAY).await;
            }
            self.refusals.mark_recorded(bot, window);
        }
        self.bots.reply(received, &refused(received, None, &DecisionError::TooManyRefused)).await;
        delivery.ack().await
    }

    /// Writes an audit record of a message that was refused before its decision was validated.
    async fn record_refusal(
        &self,
        received: &BotMessage,
        key: String,
        id: Option<WorkflowId>,
        detail: String,
    ) -> Result<(), RetryError> {
        let record = AuditRecord {
            key,
            at: self.clock.now(),
            actor: Actor::Bot(received.bot.clone()),
            action: "refused".to_owned(),
            path: Channel::Nats.as_str().to_owned(),
            workflow_id: id,
            approval_id: None,
            digest: None,
            detail: Some(detail),
        };
        Ok(self.audit.append(record).await?)
    }
}

/// Parses a decision; the error quotes nothing of the message.
fn parse(received: &BotMessage) -> Result<DecisionRequest, (Option<WorkflowId>, String)> {
    let id = received.workflow_id;
    let bad = |reason: &str| (id, reason.to_owned());
    let decision: BotDecision = serde_json::from_slice(&received.payload).map_err(|_| {
        bad("it must be a JSON object with workflow_id, approval_id, decision (approved, rejected or \
             changes_requested) and digest")
    })?;
    if Some(decision.workflow_id) != id {
        return Err(bad("its workflow_id is not the one of its subject"));
    }
    if received.message_id.as_ref().is_some_and(|id| id.len() > MAX_MESSAGE_ID_BYTES) {
        return Err(bad("its Nats-Msg-Id is longer than 128 bytes"));
    }
    let is_bad = |comment: &String| comment.contains('\0') || comment.chars().nth(COMMENT_CHARS).is_some();
    if decision.comment.as_ref().is_some_and(is_bad) {
        return Err(bad("its comment must be at most 4000 characters without NUL"));
    }
    let input = parse_supplied_input(decision.recipe, decision.code);
    let input = input.map_err(|wrong| bad(&format!("its {} {wrong}", wrong.field())))?;
    let without_controls = |claim: String| claim.chars().filter(|c| !c.is_control()).take(MAX_CLAIM_CHARS).collect();
    Ok(DecisionRequest {
        workflow_id: decision.workflow_id,
        approval_id: decision.approval_id,
        verdict: decision.decision,
        comment: decision.comment,
        digest: decision.digest,
        on_behalf_of: decision.decided_by.map(without_controls),
        input,
        by: received.bot.clone(),
        channel: Channel::Nats,
        message_id: received.message_id.clone().unwrap_or_else(|| format!("seq-{}", received.sequence)),
    })
}

fn refused(received: &BotMessage, request: Option<&DecisionRequest>, refusal: &DecisionError) -> BotReply {
    reply(received, request, "refused", Some(refusal.code()), &refusal.to_string(), None)
}

fn reply(
    received: &BotMessage,
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
