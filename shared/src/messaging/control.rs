//! Conversations without a stream: cancel signals, heartbeats, and decisions sent over HTTP.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{HeaderMap, Subscriber};
use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::envelope::{decode, encode};
use super::subjects;
use crate::approval::Verdict;
use crate::clock::Timestamp;
use crate::identity::Role;
use crate::ids::{ApprovalId, Digest, UserName, WorkflowId};
use crate::messaging::connection::broker::Broker;
use crate::messaging::trace_headers::{carried, carry};
use crate::telemetry::TraceContext;
use crate::workflow::NewInput;

/// Time between the deadline of a decision and the end of its caller's wait. Longer than an append whose direct
/// connection is stalled (2 s there, 2 s through the relay): a decision begun before the deadline is applied or has failed when the caller receives the
/// timeout.
const ANSWER_MARGIN: Duration = Duration::from_secs(5);

/// A worker's heartbeat, sent every second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerReport {
    pub instance: String,
    pub phases: Vec<String>,
    pub runtimes: Vec<String>,
    pub running: u32,
    /// The workflows whose steps run; empty from an older build.
    #[serde(default)]
    pub running_workflows: Vec<WorkflowId>,
    /// E.g. `docker` or `bubblewrap`.
    pub sandbox_backend: String,
    pub sandbox_ok: bool,
    pub sandbox_detail: String,
    /// Catalogue that the worker generates from, once published; see [`super::Catalogues`].
    #[serde(default)]
    pub catalogue: Option<Digest>,
    /// State of matching; `None` from a worker that generates nothing, or of an older build.
    #[serde(default)]
    pub generator: Option<GeneratorReport>,
}

/// The state of a worker's generator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratorReport {
    /// `embeddings`, `embeddings (loading)` or `keywords`.
    pub matching: String,
    /// The embedding model; `None` if only keywords are used.
    pub model: Option<String>,
    /// Number of recipes.
    pub recipes: usize,
    /// The reason why only keywords are used.
    pub detail: String,
}

/// An approver's heartbeat, sent every second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproverReport {
    pub instance: String,
}

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
    /// [`Control::deadline`]; an API of an older build sends none.
    #[serde(default)]
    pub deadline: Option<Timestamp>,
}

/// The approver's answer to a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalAnswer {
    /// Applied; with the workflow's resulting status.
    Applied { status: String, message: String },
    /// Refused, with the refusal's code.
    Refused { code: String, message: String },
    /// The log is unavailable; nothing changed.
    Unavailable { message: String },
}

/// Signals between processes.
#[derive(Debug, Clone)]
pub struct Control {
    broker: Broker,
}

/// A stream of workflows that were cancelled.
pub type CancelSignals = std::pin::Pin<Box<dyn Stream<Item = WorkflowId> + Send>>;

/// A stream of reports of one kind of process.
pub type Reports<T> = std::pin::Pin<Box<dyn Stream<Item = T> + Send>>;

impl Control {
    /// Creates the signals on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Signals every worker to kill the workflow's running jobs. Best effort: the fence rejects a late result in any
    /// case.
    pub async fn cancel(&self, id: WorkflowId) {
        if let Err(error) = self.broker.publish(subjects::cancel(id), Vec::new()).await {
            tracing::warn!(%error, workflow.id = %id, "Failed to send cancel signal of workflow {id}");
        }
        self.broker.flush().await;
    }

    /// Subscribes to cancel signals.
    pub async fn cancels(&self) -> Result<CancelSignals, String> {
        let signals = self.subscribe(subjects::ALL_CANCELS).await?;
        Ok(Box::pin(signals.filter_map(async |message| subjects::workflow_of(&message.subject))))
    }

    /// Sends this worker's heartbeat to the APIs.
    pub async fn report(&self, report: &WorkerReport) {
        self.tell(subjects::worker_presence(&report.instance), encode(report)).await;
    }

    /// Sends this approver's heartbeat to the APIs.
    pub async fn report_approver(&self, report: &ApproverReport) {
        self.tell(subjects::approver_presence(&report.instance), encode(report)).await;
    }

    async fn tell(&self, subject: String, report: Vec<u8>) {
        if let Err(error) = self.broker.publish(subject, report).await {
            tracing::debug!(%error, "Failed to send heartbeat");
        }
    }

    /// Subscribes to every worker's reports.
    pub async fn workers(&self) -> Result<Reports<WorkerReport>, String> {
        self.reports(subjects::ALL_WORKERS).await
    }

    /// Subscribes to every approver's reports.
    pub async fn approvers(&self) -> Result<Reports<ApproverReport>, String> {
        self.reports(subjects::ALL_APPROVERS).await
    }

    async fn reports<T: DeserializeOwned + Send + 'static>(&self, subject: &str) -> Result<Reports<T>, String> {
        let reports = self.subscribe(subject).await?;
        Ok(Box::pin(reports.filter_map(async |message| decode(&message.payload).ok())))
    }

    async fn subscribe(&self, subject: &str) -> Result<Subscriber, String> {
        self.broker.client().subscribe(subject.to_owned()).await.map_err(|error| error.to_string())
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
    pub async fn decide(
        &self,
        decision: &HttpDecision,
        trace: TraceContext,
        limit: Duration,
    ) -> Option<ApprovalAnswer> {
        decision.deadline?;
        let mut headers = HeaderMap::new();
        carry(&mut headers, &trace);
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
    pub async fn is_past(&self, deadline: Option<Timestamp>) -> Result<bool, String> {
        match deadline {
            Some(deadline) => Ok(self.broker.now().await? >= deadline),
            None => Ok(false),
        }
    }

    /// Subscribes to decisions sent over HTTP, shared among the approvers; each is answered through its [`Question`].
    pub async fn decisions(&self) -> Result<Questions, String> {
        let messages = self.broker.client().queue_subscribe(subjects::ALL_DECIDES, "approvers".to_owned()).await;
        Ok(Questions { messages: messages.map_err(|error| error.to_string())?, broker: self.broker.clone() })
    }
}

/// Decisions sent over HTTP.
#[derive(Debug)]
pub struct Questions {
    messages: Subscriber,
    broker: Broker,
}

impl Questions {
    /// Returns the next decision; `None` after [`Self::refuse`] once all received decisions are returned. A decision
    /// that this build cannot read is answered as unavailable, because another approver may be newer. Cancel safe
    /// except for that answer.
    pub async fn next(&mut self) -> Option<Question> {
        loop {
            let message = self.messages.next().await?;
            let Some(reply) = message.reply else { continue };
            let trace = carried(message.headers.as_ref());
            match decode(&message.payload) {
                Ok(decision) => {
                    return Some(Question { decision, trace, reply: reply.to_string(), broker: self.broker.clone() });
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
pub struct Question {
    pub decision: HttpDecision,
    pub trace: TraceContext,
    reply: String,
    broker: Broker,
}

impl Question {
    /// Answers the API.
    pub async fn answer(self, answer: &ApprovalAnswer) {
        send_answer(&self.broker, self.reply, answer).await;
    }
}
