//! Interactive analyses: a job in a work queue, whose caller waits on its own reply subject.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::message::PublishMessage;
use async_nats::{HeaderMap, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use super::envelope::{DecodeError, decode, encode};
use super::subjects;
use crate::connection::broker::Broker;
use crate::error::MessagingError;
use crate::trace_headers::{extract, inject};
use domain::Timestamp;
use domain::analysis::{AnalysisReport, AnalysisTask};
use service::failpoints;
use service::lifecycle::Lifecycle;
use service::telemetry::{Span, SpanKind, TraceContext};

const REPLY_TO: &str = "Promptcraft-Reply-To";
/// Delay before an ended subscription to answers is renewed.
const RESUBSCRIBE_DELAY: Duration = Duration::from_millis(500);
/// Interval of checks for callers that wait during a drain.
const DRAIN_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A failure to get an analysis.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    #[error("no worker answered in time")]
    NoWorker,
    #[error("cannot queue the analysis: {0}")]
    Unavailable(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct AnalysisJob {
    task: AnalysisTask,
    user: String,
    deadline: Timestamp,
}

/// A worker's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisAnswer {
    pub report: AnalysisReport,
    pub worker: String,
    pub cpu_ms: u64,
}

/// Analyses that wait for their answers, by the random token of their reply subject.
type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Bytes>>>>;

/// Queues analyses and waits for their answers, which arrive in one inbox of the process.
#[derive(Debug, Clone)]
pub struct AnalysisRequests {
    broker: Broker,
    inbox: String,
    waiting: Waiting,
}

/// A waiting analysis; dropping it forgets it.
struct WaitingAnalysis<'a> {
    waiting: &'a Waiting,
    token: String,
    answer: oneshot::Receiver<Bytes>,
}

impl AnalysisRequests {
    /// Creates the queue on `broker`, and receives answers until the life ends and none is awaited.
    pub async fn open(broker: &Broker, life: &Lifecycle) -> Result<Self, MessagingError> {
        let requests = Self { broker: broker.clone(), inbox: Uuid::new_v4().to_string(), waiting: Waiting::default() };
        let answers = requests.subscribe().await?;
        let (receive, idle) = (requests.clone().receive(answers), requests.clone().wait_until_idle(life.stopping()));
        life.spawn(async move {
            tokio::select! {
                () = receive => {}
                () = idle => {}
            }
        });
        Ok(requests)
    }

    /// Not the process's own inbox: a process that may answer there could also answer its requests to the broker.
    async fn subscribe(&self) -> Result<Subscriber, MessagingError> {
        let subject = subjects::answer(&self.inbox, "*");
        self.broker.client().subscribe(subject).await.map_err(MessagingError::unavailable)
    }

    /// Hands each answer to its caller. The client renews the subscription with its connection.
    async fn receive(self, mut answers: Subscriber) {
        loop {
            while let Some(answer) = answers.next().await {
                let token = answer.subject.rsplit('.').next().unwrap_or_default();
                let caller = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
                if caller.is_none_or(|caller| caller.send(answer.payload).is_err()) {
                    tracing::debug!("Dropped the answer of an analysis without a caller");
                }
            }
            tokio::time::sleep(RESUBSCRIBE_DELAY).await;
            match self.subscribe().await {
                Ok(again) => answers = again,
                Err(error) => tracing::warn!(%error, "Failed to receive answers of analyses; retrying: {error}"),
            }
        }
    }

    /// Waits for the stop, and then for the callers that still wait.
    async fn wait_until_idle(self, stopping: CancellationToken) {
        stopping.cancelled().await;
        while !self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            tokio::time::sleep(DRAIN_POLL_INTERVAL).await;
        }
    }

    fn wait(&self) -> WaitingAnalysis<'_> {
        let (sender, answer) = oneshot::channel();
        let token = Uuid::new_v4().to_string();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), sender);
        WaitingAnalysis { waiting: &self.waiting, token, answer }
    }

    /// Has a worker analyse a task. Waits at most `limit`; afterwards the job is dropped unread.
    pub async fn ask(
        &self,
        task: AnalysisTask,
        user: &str,
        now: Timestamp,
        limit: Duration,
        trace: TraceContext,
    ) -> Result<AnalysisAnswer, AnalysisError> {
        let unavailable = |error: &dyn std::fmt::Display| AnalysisError::Unavailable(error.to_string());
        let mut waiting = self.wait();
        let job = AnalysisJob { task, user: user.to_owned(), deadline: now.after(limit) };
        let mut headers = HeaderMap::new();
        headers.insert(REPLY_TO, subjects::answer(&self.inbox, &waiting.token).as_str());
        inject(&mut headers, &trace);
        let message = PublishMessage::build().payload(encode(&job).into()).headers(headers);
        failpoints::reach("analyse.before").await;
        let wait = async {
            let stored = self.broker.store(subjects::ANALYSIS_TASK.to_owned(), message).await;
            stored.map_err(|error| unavailable(&error))?;
            failpoints::reach("analyse.after").await;
            (&mut waiting.answer).await.map_err(|_| AnalysisError::NoWorker)
        };
        let answer = tokio::time::timeout(limit, wait).await.map_err(|_| AnalysisError::NoWorker)??;
        decode(&answer).map_err(|error| unavailable(&error))
    }
}

impl Drop for WaitingAnalysis<'_> {
    fn drop(&mut self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.token);
    }
}

/// Reads an analysis job, runs `work` unless the job's deadline has passed, and sends the answer to the caller.
///
/// The caller of this function settles the delivery: acknowledge it after `Ok`.
pub async fn answer_analysis<F>(broker: &Broker, message: &Message, now: Timestamp, work: F) -> Result<(), DecodeError>
where
    F: AsyncFnOnce(AnalysisTask) -> Option<AnalysisAnswer>,
{
    let job: AnalysisJob = decode(&message.payload)?;
    let header = message.headers.as_ref().and_then(|headers| headers.get(REPLY_TO));
    let Some(reply) = header.map(|value| value.as_str().to_owned()) else {
        return Err(DecodeError::Unanswerable);
    };
    if now > job.deadline {
        tracing::info!("Dropped analysis: its deadline has passed");
        return Ok(());
    }
    let trace = extract(message.headers.as_ref());
    let span = tracing::info_span!("analysis", trace.id = trace.trace_id(), request.id = trace.request_id());
    let answer = async {
        let Some(answer) = work(job.task).await else {
            return Span::current().fail("no report");
        };
        if let Err(error) = broker.publish(reply, encode(&answer)).await {
            tracing::warn!(%error, "Failed to answer analysis");
        }
    };
    Span::start(SpanKind::Consumer, "run analysis", &trace).run(answer.instrument(span)).await;
    Ok(())
}
