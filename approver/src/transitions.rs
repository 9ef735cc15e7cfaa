//! Appends the approver's transitions to the log and writes them into the read model.

use domain::approval::Actor;
use domain::workflow::{Event, EventKind, Workflow};
use messaging::{AdvanceError, Cancellations, Entry, WorkflowLog};
use read_model::ReadModel;
use service::clock::Clock;

/// Appends transitions to the log.
#[derive(Debug, Clone)]
pub(crate) struct TransitionAppender {
    pub(crate) log: WorkflowLog,
    pub(crate) view: ReadModel,
    pub(crate) cancellations: Cancellations,
    pub(crate) clock: Clock,
}

impl TransitionAppender {
    /// Applies `event` to the workflow of `entry`, appends it, and returns the state after it.
    ///
    /// The read model is updated at once; on failure the projector does it. A time-out also cancels the running step.
    pub(crate) async fn append(&self, entry: &Entry, event: Event, actor: Actor) -> Result<Workflow, AdvanceError> {
        let Entry { sequence, workflow, happened, .. } =
            self.log.advance(entry, event, actor, self.clock.now()).await?;
        let id = workflow.id;
        if let Err(error) = self.view.project(sequence, &workflow).await {
            tracing::debug!(
                workflow.id = %id,
                %error,
                "Workflow {id}: read-model update failed; the projector will retry"
            );
        }
        if happened.kind == EventKind::TimedOut {
            self.cancellations.send(id).await;
        }
        Ok(workflow)
    }
}
