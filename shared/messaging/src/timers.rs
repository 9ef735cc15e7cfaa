//! Durable timers: a scheduled message fires at its second and survives restarts. A stale one is harmless, because its
//! handler checks the state first.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::message::PublishMessage;

use super::envelope::{DecodeError, decode, encode};
use super::subjects;
use crate::connection::broker::Broker;
use crate::error::MessagingError;
use domain::Timestamp;
use domain::ids::WorkflowId;
use service::failpoints;

/// Minimum delay after which a timer that fired too early fires again.
const RETRY_DELAY: Duration = Duration::from_secs(5);

/// The purpose of a timer; a workflow has at most one of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimerKind {
    /// The workflow's time limit.
    Timeout,
    /// The next announcement of the parked question or its deadline, whichever comes first.
    Expiry,
}

impl TimerKind {
    const ALL: [Self; 2] = [Self::Timeout, Self::Expiry];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Expiry => "expiry",
        }
    }
}

/// Kinds that this version no longer sets. Timers of them set by an older version still fire once each.
const REMOVED_KINDS: [&str; 1] = ["repeat"];

/// The timer stream.
#[derive(Debug, Clone)]
pub struct Timers {
    broker: Broker,
}

impl Timers {
    /// Creates the client of the stream on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Sets the workflow's timer of this kind and replaces an earlier one. Fires up to 1 s late, never early.
    pub async fn set(&self, kind: TimerKind, id: WorkflowId, at: Timestamp) -> Result<(), MessagingError> {
        let target = subjects::fired(kind.as_str(), id);
        self.schedule(subjects::schedule(kind.as_str(), id), &target, at, Vec::new()).await.map(drop)
    }

    /// Sets a timer again as [`Self::set`] does, for a handler that received it too early. It fires after at least
    /// [`RETRY_DELAY`], and not at once, if the caller's clock is behind the broker's.
    pub async fn set_again(&self, kind: TimerKind, id: WorkflowId, at: Timestamp) -> Result<(), MessagingError> {
        let soonest = self.now().await?.after(RETRY_DELAY);
        self.set(kind, id, at.max(soonest)).await
    }

    /// Defers the workflow's notification, tried `tries` times, and replaces an earlier deferral. Fires as
    /// [`Self::set`] does. Returns its sequence among the timers.
    pub async fn reschedule(&self, id: WorkflowId, at: Timestamp, tries: u32) -> Result<u64, MessagingError> {
        let subject = subjects::schedule("notification", id);
        self.schedule(subject, &subjects::due_notification(id), at, encode(&tries)).await
    }

    /// Returns the time of the broker, whose clock fires the timers. Delays count from it: with a local clock that is
    /// ahead they would last longer.
    pub async fn now(&self) -> Result<Timestamp, MessagingError> {
        self.broker.now().await
    }

    async fn schedule(
        &self,
        subject: String,
        target: &str,
        at: Timestamp,
        payload: Vec<u8>,
    ) -> Result<u64, MessagingError> {
        // Schedules count whole seconds; rounding up keeps them from firing early.
        let second = Timestamp::from_millis((at.as_millis() + 999) / 1_000 * 1_000);
        let message = PublishMessage::build()
            .payload(payload.into())
            .header("Nats-Schedule", format!("@at {}", second.to_rfc3339()).as_str())
            .header("Nats-Schedule-Target", target);
        failpoints::reach("timer.before").await;
        let ack = self.broker.store(subject, message).await;
        failpoints::reach("timer.after").await;
        ack.map(|ack| ack.sequence).map_err(MessagingError::unavailable)
    }

    /// Cancels the workflow's timer of this kind; idempotent.
    pub async fn clear(&self, kind: TimerKind, id: WorkflowId) -> Result<(), MessagingError> {
        self.purge(subjects::schedule(kind.as_str(), id), None).await
    }

    /// Removes a fired timer after it was handled; one that fired again meanwhile stays.
    pub async fn forget_fired(&self, message: &Message) -> Result<(), MessagingError> {
        let sequence = message.info().map_err(MessagingError::unavailable)?.stream_sequence;
        self.purge(message.subject.to_string(), Some(sequence + 1)).await
    }

    async fn purge(&self, subject: String, before: Option<u64>) -> Result<(), MessagingError> {
        let stream =
            self.broker.jetstream().get_stream_no_info(subjects::TIMERS).await.map_err(MessagingError::unavailable)?;
        failpoints::reach("purge.before").await;
        let purge = stream.purge().filter(subject);
        let done = match before {
            Some(sequence) => purge.sequence(sequence).await,
            None => purge.await,
        };
        failpoints::reach("purge.after").await;
        done.map(|_| ()).map_err(MessagingError::unavailable)
    }

    /// Reads the workflow of a due notification and its number of tries; `None` if the subject names no workflow.
    pub fn read_put_off(message: &Message) -> Result<Option<(WorkflowId, u32)>, DecodeError> {
        let tries = decode(&message.payload)?;
        Ok(subjects::workflow_of(&message.subject).map(|id| (id, tries)))
    }

    /// Reads the kind and workflow of a fired timer.
    pub fn read(message: &Message) -> Option<(TimerKind, WorkflowId)> {
        let (kind, id) = kind_and_workflow(&message.subject)?;
        TimerKind::ALL.into_iter().find(|known| known.as_str() == kind).map(|kind| (kind, id))
    }

    /// Returns whether a delivery is a timer of a removed kind.
    pub fn is_of_removed_kind(message: &Message) -> bool {
        is_of_removed_kind(&message.subject)
    }
}

fn kind_and_workflow(subject: &str) -> Option<(&str, WorkflowId)> {
    let mut tokens = subject.strip_prefix("timers.fired.")?.split('.');
    Some((tokens.next()?, tokens.next()?.parse().ok()?))
}

fn is_of_removed_kind(subject: &str) -> bool {
    kind_and_workflow(subject).is_some_and(|(kind, _)| REMOVED_KINDS.contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kinds_of_older_versions_are_removed_ones() {
        let id = WorkflowId::fresh();
        let kinds = TimerKind::ALL.map(TimerKind::as_str).into_iter().chain(["repeat", "reminder"]);
        let removed: Vec<&str> = kinds.filter(|kind| is_of_removed_kind(&subjects::fired(kind, id))).collect();
        assert_eq!(removed, ["repeat"]);
        assert!(!is_of_removed_kind("timers.fired.repeat.nothing"));
        assert!(!is_of_removed_kind(&subjects::schedule("repeat", id)));
    }
}
