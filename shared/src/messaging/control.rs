//! Conversations without a stream: cancel signals, signs of life, and decisions that came over HTTP.

use std::time::Duration;

use async_nats::{HeaderMap, Subscriber};
use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::broker::Broker;
use super::carried::{carried, carry};
use super::envelope::{decode, encode};
use super::subjects;
use crate::approval::Verdict;
use crate::clock::Timestamp;
use crate::identity::Role;
use crate::ids::{ApprovalId, Digest, UserName, WorkflowId};
use crate::telemetry::TraceContext;
use crate::workflow::NewInput;

/// Time between the deadline of a decision and the end of its caller's wait. Longer than the acknowledgement timeout of an append
/// (2 s), so that a decision begun before the deadline is applied or has failed when the caller receives that it was dropped.
const ANSWER_MARGIN: Duration = Duration::from_secs(3);

/// What a worker says of itself every second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerReport {
    pub instance: String,
    pub phases: Vec<String>,
    pub runtimes: Vec<String>,
    pub running: u32,
    /// E.g. `docker` or `bubblewrap`.
    pub sandbox_backend: String,
    pub sandbox_ok: bool,
    pub sandbox_detail: String,
    /// The catalogue that the worker generates from, once it is published; see [`super::Catalogues`].
    #[serde(default)]
    pub catalogue: Option<Digest>,
    /// The state of matching; none from a worker that generates nothing, or of an older build.
    #[serde(default)]
    pub generator: Option<GeneratorReport>,
}

/// The state of a worker's generator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratorReport {
    /// `embeddings`, `embeddings (loading)` or `keywords`.
    pub matching: String,
    /// The embedding model; none where keywords serve alone.
    pub model: Option<String>,
    /// Number of recipes.
    pub recipes: usize,
    /// The reason for which keywords serve alone.
    pub detail: String,
}

/// What an approver says of itself every second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproverReport {
    pub instance: String,
}

/// A decision that came over HTTP, with the caller already authenticated.
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
    /// The same for a repeat of the same request.
    pub message_id: String,
    /// By the broker's clock; afterwards the caller has been answered that nothing was decided. From [`Control::deadline`];
    /// an API of an older build sends none.
    #[serde(default)]
    pub deadline: Option<Timestamp>,
}

/// What the approver answers to a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalAnswer {
    /// Applied; the workflow's status after it.
    Applied { status: String, message: String },
    /// Refused, by the refusal's code.
    Refused { code: String, message: String },
    /// The log could not be written; nothing changed.
    Unavailable { message: String },
}

/// Signals between processes.
#[derive(Debug, Clone)]
pub struct Control {
    broker: Broker,
}

/// A stream of workflows that were cancelled.
pub type CancelSignals = std::pin::Pin<Box<dyn Stream<Item = WorkflowId> + Send>>;

/// Reports of one kind of process as they come.
pub type Reports<T> = std::pin::Pin<Box<dyn Stream<Item = T> + Send>>;

impl Control {
    /// The signals behind `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Tells every worker to kill what runs for the workflow. Best effort: the fence keeps a late result out all the same.
    pub async fn cancel(&self, id: WorkflowId) {
        let client = self.broker.client();
        if let Err(error) = client.publish(subjects::cancel(id), bytes::Bytes::new()).await {
            tracing::warn!(%error, workflow.id = %id, "a cancel signal could not be sent");
        }
        self.broker.flush().await;
    }

    /// Every cancel signal from now on.
    pub async fn cancels(&self) -> Result<CancelSignals, String> {
        let signals = self.subscribe(subjects::ALL_CANCELS).await?;
        Ok(Box::pin(signals.filter_map(async |message| subjects::workflow_of(&message.subject))))
    }

    /// Tells the APIs that this worker lives.
    pub async fn report(&self, report: &WorkerReport) {
        self.tell(subjects::worker_presence(&report.instance), encode(report)).await;
    }

    /// Tells the APIs that this approver lives.
    pub async fn report_approver(&self, report: &ApproverReport) {
        self.tell(subjects::approver_presence(&report.instance), encode(report)).await;
    }

    async fn tell(&self, subject: String, report: Vec<u8>) {
        if let Err(error) = self.broker.client().publish(subject, report.into()).await {
            tracing::debug!(%error, "a sign of life could not be sent");
        }
    }

    /// Every worker's reports from now on.
    pub async fn workers(&self) -> Result<Reports<WorkerReport>, String> {
        self.reports(subjects::ALL_WORKERS).await
    }

    /// Every approver's reports from now on.
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

    /// Returns the time, by the broker's clock, after which approvers drop a decision whose sender waits for `limit` from
    /// now: [`ANSWER_MARGIN`] before the end. `None` where the clock cannot be read.
    pub async fn deadline(&self, limit: Duration) -> Option<Timestamp> {
        let now = self.broker.approximate_now().await;
        let now = now.inspect_err(|error| tracing::warn!(%error, "the broker's clock cannot be read")).ok()?;
        Some(now.after(limit.saturating_sub(ANSWER_MARGIN)))
    }

    /// Puts a decision to an approver and waits at most `limit` for its answer; `None` where no approver answers, and
    /// for a decision without a deadline.
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
        let answer = self.broker.client().send_request(subjects::decide(decision.workflow_id), request).await;
        match answer {
            Ok(message) => decode(&message.payload).ok(),
            Err(error) => {
                tracing::warn!(%error, workflow.id = %decision.workflow_id, "no approver answered");
                None
            }
        }
    }

    /// Returns whether a deadline has passed; never without one.
    pub async fn is_past(&self, deadline: Option<Timestamp>) -> Result<bool, String> {
        match deadline {
            Some(deadline) => Ok(self.broker.approximate_now().await? >= deadline),
            None => Ok(false),
        }
    }

    /// Every decision that comes over HTTP, shared among the approvers; each is answered through its [`Question`].
    pub async fn decisions(&self) -> Result<Questions, String> {
        let messages = self.broker.client().queue_subscribe(subjects::ALL_DECIDES, "approvers".to_owned()).await;
        Ok(Questions { messages: messages.map_err(|error| error.to_string())?, broker: self.broker.clone() })
    }
}

/// Decisions that come over HTTP.
#[derive(Debug)]
pub struct Questions {
    messages: Subscriber,
    broker: Broker,
}

impl Questions {
    /// The next one; `None` once they were refused and the last that had come is handed out. One that this build cannot read is
    /// answered: another approver may be newer. Cancel safe but for that answer.
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
                    tracing::warn!(%error, "a decision cannot be read");
                    let message = "An approver of another version has it; try again.".to_owned();
                    send_answer(&self.broker, reply.to_string(), &ApprovalAnswer::Unavailable { message }).await;
                }
            }
        }
    }

    /// Takes no more: from now on the other approvers are asked.
    pub async fn refuse(&mut self) {
        if let Err(error) = self.messages.drain().await {
            tracing::debug!(%error, "the broker is away; nobody is asked any more");
        }
    }
}

async fn send_answer(broker: &Broker, reply: String, answer: &ApprovalAnswer) {
    if let Err(error) = broker.client().publish(reply, encode(answer).into()).await {
        tracing::warn!(%error, "an answer could not be sent");
    }
}

/// A decision that came over HTTP and waits for its answer.
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
