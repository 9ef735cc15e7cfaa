//! Heartbeats of workers and approvers.

use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::envelope::{decode, encode};
use super::subjects;
use crate::connection::broker::Broker;
use crate::error::MessagingError;
use domain::ids::{Digest, WorkflowId};

/// A worker's heartbeat, sent every second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerReport {
    pub instance: String,
    pub phases: Vec<String>,
    pub runtimes: Vec<String>,
    /// The same runtimes in detail; empty from an older build.
    #[serde(default)]
    pub runtime_details: Vec<RuntimeReport>,
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

/// A runtime of a worker's sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeReport {
    pub name: String,
    /// Version of the interpreter, if the sandbox knows it.
    pub version: Option<String>,
    /// Other names of the language.
    pub aliases: Vec<String>,
    /// Extensions of source files, with the dot.
    pub extensions: Vec<String>,
    pub runs_tests: bool,
    /// Libraries that programs can import, with their versions.
    pub packages: Vec<(String, String)>,
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

/// A stream of reports of one kind of process.
pub type Reports<T> = std::pin::Pin<Box<dyn Stream<Item = T> + Send>>;

/// Reports of running processes to the APIs.
#[derive(Debug, Clone)]
pub struct Heartbeats {
    broker: Broker,
}

impl Heartbeats {
    /// Creates them on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Sends this worker's heartbeat to the APIs.
    pub async fn send_worker(&self, report: &WorkerReport) {
        self.send(subjects::worker_presence(&report.instance), encode(report)).await;
    }

    /// Sends this approver's heartbeat to the APIs.
    pub async fn send_approver(&self, report: &ApproverReport) {
        self.send(subjects::approver_presence(&report.instance), encode(report)).await;
    }

    async fn send(&self, subject: String, report: Vec<u8>) {
        if let Err(error) = self.broker.publish(subject, report).await {
            tracing::debug!(%error, "Failed to send heartbeat");
        }
    }

    /// Subscribes to every worker's reports.
    pub async fn workers(&self) -> Result<Reports<WorkerReport>, MessagingError> {
        self.reports(subjects::ALL_WORKERS).await
    }

    /// Subscribes to every approver's reports.
    pub async fn approvers(&self) -> Result<Reports<ApproverReport>, MessagingError> {
        self.reports(subjects::ALL_APPROVERS).await
    }

    async fn reports<T: DeserializeOwned + Send + 'static>(&self, subject: &str) -> Result<Reports<T>, MessagingError> {
        let reports = self.broker.client().subscribe(subject.to_owned()).await.map_err(MessagingError::unavailable)?;
        Ok(Box::pin(reports.filter_map(async |message| decode(&message.payload).ok())))
    }
}
