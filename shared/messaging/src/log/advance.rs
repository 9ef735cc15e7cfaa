//! Applies an event to a workflow and appends the result.

use super::{AppendError, Entry, WorkflowLog};
use crate::subjects;
use domain::Timestamp;
use domain::approval::Actor;
use domain::workflow::{Event, EventRecord, IllegalTransition, transition};

/// A reason why an event was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// The event is not possible in the workflow's phase.
    #[error(transparent)]
    IllegalTransition(#[from] IllegalTransition),
    /// The entry is no longer the workflow's newest.
    #[error("superseded by a newer transition")]
    Superseded,
    /// The log did not acknowledge the append in time.
    #[error("the log cannot be written: {0}")]
    Unavailable(String),
}

impl From<AppendError> for AdvanceError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Lost => Self::Superseded,
            AppendError::Unavailable(reason) => Self::Unavailable(reason),
        }
    }
}

impl WorkflowLog {
    /// Applies `event` to the workflow of `entry` and appends the result behind it; returns the new entry.
    ///
    /// Fenced and cancel safe as [`Self::append`] is. A repeated call returns [`AdvanceError::Superseded`].
    pub async fn advance(
        &self,
        entry: &Entry,
        event: Event,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Entry, AdvanceError> {
        let (kind, detail) = (event.kind(), event.detail(&entry.workflow));
        let workflow = transition(&entry.workflow, event, now)?;
        let happened = EventRecord::new(kind, actor, now, detail);
        let trace = entry.trace.child();
        let sequence = self.append(entry.sequence, &workflow, &happened, trace.clone()).await?;
        let (id, event, phase) = (workflow.id, kind.as_str(), workflow.phase.kind().as_str());
        tracing::info!(workflow.id = %id, event, phase, "Workflow {id}: {event} -> {phase}");
        let subject = subjects::transition(&workflow, &happened);
        Ok(Entry { sequence, workflow, happened, trace, subject })
    }
}
