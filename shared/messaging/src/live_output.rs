//! Output of running jobs, from workers to the APIs. It is not stored: a job's result holds all of it.

use std::pin::Pin;

use domain::ids::WorkflowId;
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};

use super::envelope::{decode, encode};
use super::subjects;
use crate::connection::broker::Broker;
use crate::error::MessagingError;

/// The next output of a running job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveOutput {
    pub workflow_id: WorkflowId,
    /// Sequence of the log entry whose step runs the job.
    pub sequence: u64,
    /// Grows with each output of the entry; over its attempts as far as the clocks of their workers agree.
    pub number: u64,
    pub stream: LiveStream,
    pub text: String,
}

/// A stream of a job, or the end of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveStream {
    Stdout,
    Stderr,
    /// No output of this job follows.
    End,
}

/// A stream of output of all running jobs.
pub type LiveOutputs = Pin<Box<dyn Stream<Item = LiveOutput> + Send>>;

/// The channel of live output.
#[derive(Debug, Clone)]
pub struct LiveOutputChannel {
    broker: Broker,
}

impl LiveOutputChannel {
    /// Creates the channel on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Sends output to every API. Best effort.
    pub async fn send(&self, output: &LiveOutput) {
        let subject = subjects::live_output(output.workflow_id);
        if let Err(error) = self.broker.publish(subject, encode(output)).await {
            tracing::debug!(%error, "Failed to send output of a running job");
        }
    }

    /// Subscribes to the output of all running jobs.
    pub async fn subscribe(&self) -> Result<LiveOutputs, MessagingError> {
        let messages = self.broker.client().subscribe(subjects::ALL_LIVE_OUTPUT.to_owned()).await;
        let messages = messages.map_err(MessagingError::unavailable)?;
        Ok(Box::pin(messages.filter_map(async |message| {
            let output: LiveOutput = decode(&message.payload).ok()?;
            (subjects::workflow_of(&message.subject) == Some(output.workflow_id)).then_some(output)
        })))
    }
}
