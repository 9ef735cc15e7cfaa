//! Decisions sent over HTTP: a request of an API that one approver answers.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{HeaderMap, Subscriber};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

use super::envelope::{decode, encode};
use super::subjects;
use crate::connection::broker::Broker;
use crate::error::MessagingError;
use crate::trace_headers::{extract, inject};
use domain::Timestamp;
use domain::approval::Verdict;
use domain::identity::Role;
use domain::ids::{ApprovalId, Digest, UserName, WorkflowId};
use domain::workflow::NewInput;
use service::telemetry::TraceContext;

/// Time between the deadline of a decision and the end of its caller's wait. Longer than approvers try to append a
/// decision, [`DECISION_APPEND_TIMEOUT`]: one begun before the deadline is not tried again after its caller's timeout.
const ANSWER_MARGIN: Duration = Duration::from_secs(5);
/// Time after which an approver gives up the append of a decision that has a deadline.
pub const DECISION_APPEND_TIMEOUT: Duration = Duration::from_millis(4_500);

/// A decision sent over HTTP by an authenticated caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpDecision {
    pub workflow_id: WorkflowId,
    pub approval_id: ApprovalId,
    pub verdict: Verdict,
    pub comment: Option<String>,
    pub digest: Option<Digest>,
    pub input: Option<NewInput>,
    pub by: UserName,
    pub role: Role,
    /// Equal for a repeat of the same request.
    pub message_id: String,
    /// By the broker's clock; afterwards the caller has received a timeout and the decision is dropped. From
    /// [`DecisionRpc::deadline`]; an API of an older build sends none.
    #[serde(default)]
    pub deadline: Option<Timestamp>,
    /// The API has refused it already: it is recorded in the audit log and never applied, also if the approver knows of a
    /// newer role. An API of an older build does not send it.
    #[serde(default)]
    pub is_refused: bool,
}

/// The approver's answer to a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalAnswer {
    /// Applied; with the workflow's resulting status and the sequence of that state in the log, which an approver of an
    /// older build leaves out.
    Applied {
        status: String,
        message: String,
        #[serde(default)]
        sequence: Option<u64>,
    },
    /// Refused, with the refusal's code.
    Refused { code: String, message: String },
    /// The log is unavailable; nothing changed.
    Unavailable { message: String },
}

/// Requests of decisions, and the approvers that answer them.
#[derive(Debug, Clone)]
pub struct DecisionRpc {
    broker: Broker,
}

impl DecisionRpc {
    /// Creates them on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Returns the time, by the broker's clock, after which approvers drop a decision whose sender waits for `limit`
    /// from now: [`ANSWER_MARGIN`] before the end. `None` if the clock cannot be read.
    pub async fn deadline(&self, limit: Duration) -> Option<Timestamp> {
        let now = self.broker.approximate_now().await;
        let now = now.inspect_err(|error| tracing::warn!(%error, "Failed to read the broker's clock")).ok()?;
        Some(now.after(limit.saturating_sub(ANSWER_MARGIN)))
    }

    /// Sends a decision to an approver and waits at most `limit` for its answer; `None` if no approver answers, and for
    /// a decision without a deadline.
    pub async fn request(
        &self,
        decision: &HttpDecision,
        trace: TraceContext,
        limit: Duration,
    ) -> Option<ApprovalAnswer> {
        decision.deadline?;
        let mut headers = HeaderMap::new();
        inject(&mut headers, &trace);
        let payload = encode(decision).into();
        let request = async_nats::Request::new().payload(payload).headers(headers).timeout(Some(limit));
        // Only services answer, so this needs no relay.
        let client = self.broker.direct().client();
        let answer = client.send_request(subjects::decide(decision.workflow_id), request).await;
        match answer {
            Ok(message) => decode(&message.payload).ok(),
            Err(error) => {
                if error.kind() != RequestErrorKind::NoResponders {
                    self.broker.avoid_direct();
                }
                tracing::warn!(%error, workflow.id = %decision.workflow_id, "No approver answered the decision");
                None
            }
        }
    }

    /// Returns whether a deadline has passed; false without one.
    pub async fn is_past(&self, deadline: Option<Timestamp>) -> Result<bool, MessagingError> {
        match deadline {
            Some(deadline) => Ok(self.broker.now().await? >= deadline),
            None => Ok(false),
        }
    }

    /// Subscribes to decisions sent over HTTP, shared among the approvers; each is answered through its [`PendingDecision`].
    pub async fn subscribe(&self) -> Result<DecisionRequests, MessagingError> {
        let messages = self.broker.client().queue_subscribe(subjects::ALL_DECIDES, "approvers".to_owned()).await;
        Ok(DecisionRequests { messages: messages.map_err(MessagingError::unavailable)?, broker: self.broker.clone() })
    }
}

/// Decisions sent over HTTP.
#[derive(Debug)]
pub struct DecisionRequests {
    messages: Subscriber,
    broker: Broker,
}

impl DecisionRequests {
    /// Returns the next decision; `None` after [`Self::refuse`] once all received decisions are returned. A decision
    /// that this build cannot read is answered as unavailable, because another approver may be newer. Cancel safe
    /// except for that answer.
    pub async fn next(&mut self) -> Option<PendingDecision> {
        loop {
            let message = self.messages.next().await?;
            let Some(reply) = message.reply else { continue };
            let trace = extract(message.headers.as_ref());
            match decode(&message.payload) {
                Ok(decision) => {
                    return Some(PendingDecision {
                        decision,
                        trace,
                        reply: reply.to_string(),
                        broker: self.broker.clone(),
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "Failed to read decision");
                    let message = "The decision reached an approver of another version. Retry.".to_owned();
                    send_answer(&self.broker, reply.to_string(), &ApprovalAnswer::Unavailable { message }).await;
                }
            }
        }
    }

    /// Stops receiving: from now on the other approvers receive the decisions.
    pub async fn refuse(&mut self) {
        if let Err(error) = self.messages.drain().await {
            tracing::debug!(%error, "Failed to drain decisions: the broker is unavailable");
        }
    }
}

async fn send_answer(broker: &Broker, reply: String, answer: &ApprovalAnswer) {
    if let Err(error) = broker.publish(reply, encode(answer)).await {
        tracing::warn!(%error, "Failed to send answer");
    }
}

/// A decision sent over HTTP that waits for its answer.
#[derive(Debug)]
pub struct PendingDecision {
    pub decision: HttpDecision,
    pub trace: TraceContext,
    reply: String,
    broker: Broker,
}

impl PendingDecision {
    /// Answers the API.
    pub async fn answer(self, answer: &ApprovalAnswer) {
        send_answer(&self.broker, self.reply, answer).await;
    }
}
