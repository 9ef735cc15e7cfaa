//! Interactive analyses: a job in a work queue, whose caller waits on its own reply subject.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::Message;
use async_nats::jetstream::message::PublishMessage;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tracing::Instrument;
use uuid::Uuid;

use super::envelope::{DecodeError, decode, encode};
use super::subjects;
use crate::connection::broker::Broker;
use crate::trace_headers::{extract, inject};
use domain::Timestamp;
use domain::analysis::{AnalysisReport, AnalysisTask};
use service::failpoints;
use service::telemetry::TraceContext;

const REPLY_TO: &str = "Promptcraft-Reply-To";

/// A failure to get an analysis.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    #[error("no worker answered in time")]
    NoWorker,
    #[error("cannot queue the analysis: {0}")]
    Unavailable(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Job {
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

/// Queues analyses and waits for their answers.
#[derive(Debug, Clone)]
pub struct AnalysisRequests {
    broker: Broker,
}

impl AnalysisRequests {
    /// Creates the queue on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
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
        let client = self.broker.client();
        // Not the inbox: a process that may answer there could also answer this process's broker requests.
        let reply = subjects::answer(&Uuid::new_v4().to_string());
        let mut answers = client.subscribe(reply.clone()).await.map_err(|error| unavailable(&error))?;
        let job = Job { task, user: user.to_owned(), deadline: now.after(limit) };
        let mut headers = HeaderMap::new();
        headers.insert(REPLY_TO, reply.as_str());
        inject(&mut headers, &trace);
        let message = PublishMessage::build().payload(encode(&job).into()).headers(headers);
        failpoints::reach("analyse.before").await;
        let ack = self
            .broker
            .jetstream()
            .send_publish(subjects::ANALYSIS_TASK, message)
            .await
            .map_err(|error| unavailable(&error))?;
        let wait = async {
            ack.await.map_err(|error| unavailable(&error))?;
            failpoints::reach("analyse.after").await;
            answers.next().await.ok_or(AnalysisError::NoWorker)
        };
        let answer = tokio::time::timeout(limit, wait).await.map_err(|_| AnalysisError::NoWorker)??;
        decode(&answer.payload).map_err(|error| unavailable(&error))
    }
}

/// Reads an analysis job, runs `work` unless the job's deadline has passed, and sends the answer to the caller.
///
/// The caller of this function settles the delivery: acknowledge it after `Ok`.
pub async fn answer_analysis<F>(broker: &Broker, message: &Message, now: Timestamp, work: F) -> Result<(), DecodeError>
where
    F: AsyncFnOnce(AnalysisTask) -> Option<AnalysisAnswer>,
{
    let job: Job = decode(&message.payload)?;
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
    if let Some(answer) = work(job.task).instrument(span).await
        && let Err(error) = broker.publish(reply, encode(&answer)).await
    {
        tracing::warn!(%error, "Failed to answer analysis");
    }
    Ok(())
}
