//! Signals to kill the running jobs of a cancelled workflow.

use futures_util::{Stream, StreamExt};

use super::subjects;
use crate::connection::broker::Broker;
use crate::error::MessagingError;
use domain::ids::WorkflowId;

/// A stream of workflows that were cancelled.
pub type CancelSignals = std::pin::Pin<Box<dyn Stream<Item = WorkflowId> + Send>>;

/// Signals that workflows were cancelled.
#[derive(Debug, Clone)]
pub struct Cancellations {
    broker: Broker,
}

impl Cancellations {
    /// Creates them on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Signals every worker to kill the workflow's running jobs. Best effort: the fence rejects a late result in any
    /// case.
    pub async fn send(&self, id: WorkflowId) {
        if let Err(error) = self.broker.publish(subjects::cancel(id), Vec::new()).await {
            tracing::warn!(%error, workflow.id = %id, "Failed to send cancel signal of workflow {id}");
        }
        self.broker.flush().await;
    }

    /// Subscribes to cancel signals.
    pub async fn subscribe(&self) -> Result<CancelSignals, MessagingError> {
        let signals = self
            .broker
            .client()
            .subscribe(subjects::ALL_CANCELS.to_owned())
            .await
            .map_err(MessagingError::unavailable)?;
        Ok(Box::pin(signals.filter_map(async |message| subjects::workflow_of(&message.subject))))
    }
}
