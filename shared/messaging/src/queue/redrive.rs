//! Returning a dead letter to its stream.

use std::time::Duration;

use crate::connection::broker::Broker;
use crate::log::raw_get::{Choice, raw_get};
use crate::log::{AppendError, ReadError, WorkflowLog};
use crate::queue::dead_letters::{Cause, DeadLetterError, DeadLetters, StoredDeadLetter, unavailable};
use crate::subjects;
use crate::timers::Timers;
use domain::Timestamp;
use domain::approval::Actor;
use domain::workflow::{EventKind, EventRecord, Workflow};
use service::failpoints;

/// A failure to redrive a dead letter.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    #[error("dead letter not found")]
    Unknown,
    /// The workflow no longer waits for this step.
    #[error("{0}")]
    MovedOn(String),
    /// This kind of message cannot be redriven.
    #[error("{0}")]
    Impossible(&'static str),
    #[error(transparent)]
    Unavailable(#[from] DeadLetterError),
}

/// Delay before a redriven notification is due. If it failed again before its dead letter is removed, its new dead letter
/// would collide with the old one and be dropped.
const NOT_BEFORE: Duration = Duration::from_secs(5);

/// Republishes a message and removes it from the dead letters; returns its new sequence in its stream.
///
/// Republishes the stream's own message, not the copy in the dead letter: processes that may write dead letters may not
/// write everything that an operator may. A step goes through the fence: its message must still be the newest of its
/// workflow, so an ended workflow stays ended. A timer fires once more; its handler checks the state first. An
/// undelivered notification is due once more, with no attempts counted. Nothing else can be redriven. A call repeated
/// after a lost answer finds the workflow superseded by the first call.
pub async fn redrive(broker: &Broker, id: u64, at: Timestamp) -> Result<u64, RedriveError> {
    let dead_letters = DeadLetters::new(broker);
    let kept = dead_letters.get(id).await?.ok_or(RedriveError::Unknown)?;
    let sequence = match kept.letter.stream.as_str() {
        _ if kept.letter.cause == Cause::Undelivered => notification(broker, &kept).await?,
        subjects::WORKFLOWS => step(&WorkflowLog::new(broker), &kept, at).await?,
        subjects::TIMERS => timer(broker, &kept).await?,
        subjects::ANALYSES => {
            return Err(RedriveError::Impossible("its caller has stopped waiting and must request it again"));
        }
        subjects::APPROVALS => {
            return Err(RedriveError::Impossible("a decision counts only from its sender; ask them to send it again"));
        }
        _ => return Err(RedriveError::Impossible("its stream does not take messages back")),
    };
    dead_letters.discard(id).await?;
    Ok(sequence)
}

async fn step(log: &WorkflowLog, kept: &StoredDeadLetter, at: Timestamp) -> Result<u64, RedriveError> {
    let letter = &kept.letter;
    let Some(id) = letter.workflow_id() else { return Err(RedriveError::Impossible("it names no workflow")) };
    let newest = match log.newest_from_leader(id).await {
        Ok(Some(newest)) => newest,
        Ok(None) => return Err(RedriveError::MovedOn("the workflow is no longer in the log".to_owned())),
        Err(ReadError::Decode(error)) => return Err(RedriveError::MovedOn(error.to_string())),
        Err(ReadError::Unavailable(reason)) => return Err(DeadLetterError(reason).into()),
    };
    if newest.sequence != letter.sequence || newest.workflow.status().is_terminal() {
        return Err(RedriveError::MovedOn(where_it_is(&newest.workflow)));
    }
    if newest.workflow.gate().is_some() {
        return Err(RedriveError::Impossible("it is a gate, which only the approver may write"));
    }
    let (operator, detail) = (Actor::Service("operator".to_owned()), format!("dead letter {}", kept.id));
    let happened = EventRecord::new(EventKind::Retried, operator, at, Some(detail));
    match log.append(newest.sequence, &newest.workflow, &happened, newest.trace.child()).await {
        Ok(sequence) => Ok(sequence),
        Err(AppendError::Lost) => Err(RedriveError::MovedOn("the workflow was changed concurrently".to_owned())),
        Err(AppendError::Unavailable(reason)) => Err(DeadLetterError(reason).into()),
    }
}

async fn notification(broker: &Broker, kept: &StoredDeadLetter) -> Result<u64, RedriveError> {
    let Some(id) = kept.letter.workflow_id() else { return Err(RedriveError::Impossible("it names no workflow")) };
    failpoints::reach("redrive.before").await;
    let timers = Timers::new(broker);
    let at = timers.now().await.map_err(unavailable)?.after(NOT_BEFORE);
    let sequence = timers.reschedule(id, at, 0).await.map_err(unavailable)?;
    failpoints::reach("redrive.after").await;
    Ok(sequence)
}

fn where_it_is(workflow: &Workflow) -> String {
    let code = workflow.failure().map(|failure| format!(" ({})", failure.code)).unwrap_or_default();
    let status = workflow.status();
    let hint =
        if status.is_terminal() { "an end is final; submit the goal again" } else { "nothing waits for this step" };
    format!("workflow {} is {}{code}: {hint}", workflow.id, status.as_str())
}

async fn timer(broker: &Broker, kept: &StoredDeadLetter) -> Result<u64, RedriveError> {
    let unavailable = |error: &dyn std::fmt::Display| RedriveError::Unavailable(DeadLetterError(error.to_string()));
    let context = broker.jetstream();
    let stream = context.get_stream_no_info(subjects::TIMERS).await.map_err(|error| unavailable(&error))?;
    let choice = Choice::Sequence { seq: kept.letter.sequence };
    let found = raw_get(context, subjects::TIMERS, choice).await.map_err(|error| unavailable(&error))?;
    let Some(message) = found else {
        return Err(RedriveError::MovedOn("the timer was removed because its purpose is over".to_owned()));
    };
    if !subjects::is_fired_timer(&message.subject) {
        return Err(RedriveError::Impossible("it is not a fired timer"));
    }
    failpoints::reach("redrive.before").await;
    let ack = context.publish(message.subject, message.payload).await.map_err(|error| unavailable(&error))?;
    let sequence = ack.await.map_err(|error| unavailable(&error))?.sequence;
    failpoints::reach("redrive.after").await;
    // The old message would fire once more without effect.
    if let Err(error) = stream.delete_message(message.sequence).await {
        tracing::debug!(%error, "Failed to remove the old message of a redriven timer");
    }
    Ok(sequence)
}
