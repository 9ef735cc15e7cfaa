//! Appends the approver's transitions to the log and writes them into the read model.

use domain::approval::Actor;
use domain::workflow::{Event, EventKind};
use messaging::{AdvanceError, Cancellations, Entry, WorkflowLog};
use read_model::ReadModel;
use service::clock::Clock;
use service::telemetry::{Span, SpanKind};

/// Appends transitions to the log.
#[derive(Debug, Clone)]
pub(crate) struct TransitionAppender {
    pub(crate) log: WorkflowLog,
    pub(crate) view: ReadModel,
    pub(crate) cancellations: Cancellations,
    pub(crate) clock: Clock,
}

impl TransitionAppender {
    /// Applies `event` to the workflow of `entry`, appends it, and returns the new entry.
    ///
    /// The read model is updated at once; on failure the projector does it. A time-out also cancels the running step.
    pub(crate) async fn append(&self, entry: &Entry, event: Event, actor: Actor) -> Result<Entry, AdvanceError> {
        // Decisions and timers read the workflow's entry, so this span is in the workflow's trace.
        let span = Span::start(SpanKind::Producer, &format!("append {}", event.kind().as_str()), &entry.trace)
            .with("workflow.id", &entry.workflow.id.to_string());
        let entry = span.run_fallible("not_appended", self.log.advance(entry, event, actor, self.clock.now())).await?;
        let id = entry.workflow.id;
        if let Err(error) = self.view.project(entry.sequence, &entry.workflow).await {
            tracing::debug!(
                workflow.id = %id,
                %error,
                "Workflow {id}: read-model update failed; the projector will retry"
            );
        }
        if entry.happened.kind == EventKind::TimedOut {
            self.cancellations.send(id).await;
        }
        Ok(entry)
    }
}
