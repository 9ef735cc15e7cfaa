//! Queues: durable consumers that return messages as deliveries, at most one for each free slot.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connection::broker::Broker;
use crate::envelope::DecodeError;
use crate::error::MessagingError;
use crate::log::scan::unavailable;
use crate::log::{Entry, ReadError, decode_entry};
use crate::queue::dead_letters::{Cause, DeadLetters};
use crate::queue::delivery::Delivery;
use crate::subjects;
use domain::ids::WorkflowId;
use domain::workflow::PhaseKind;
use service::lifecycle::Lifecycle;
use service::telemetry::{ReadinessRequirement, RunningTask};

/// Time that a pull waits for messages; also the maximum time until a restarted broker's loss of the pull is noticed.
const PULL_TIMEOUT: Duration = Duration::from_secs(2);

/// A durable consumer by purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consumer {
    /// Steps of a phase on the standard lane.
    Steps(PhaseKind),
    /// `execute` steps of one runtime.
    Execute(String),
    /// Every gate, parked or not.
    Gates,
    /// Every transition, for the read model.
    Projector,
    /// Judgements, releases and cancels of the approver and the API, for the audit log.
    Audit,
    /// Every end, for notifications.
    Webhooks,
    /// Every transition, for timers.
    Schedules,
    /// Decisions of bots.
    Decisions,
    /// Interactive analyses.
    Analyses,
    /// Timers that fired.
    Timers,
    /// Deferred notifications that are due.
    Notifications,
}

impl Consumer {
    /// Returns every consumer of a stack with these runtimes.
    pub fn all(lanes: &[String]) -> Vec<Self> {
        let steps = [PhaseKind::Plan, PhaseKind::Generate, PhaseKind::Analyze].map(Self::Steps);
        let others = [
            Self::Gates,
            Self::Projector,
            Self::Audit,
            Self::Webhooks,
            Self::Schedules,
            Self::Decisions,
            Self::Analyses,
            Self::Timers,
            Self::Notifications,
        ];
        steps.into_iter().chain(lanes.iter().cloned().map(Self::Execute)).chain(others).collect()
    }

    /// Returns the durable name.
    pub fn name(&self) -> String {
        match self {
            Self::Steps(phase) => phase.as_str().to_owned(),
            Self::Execute(lane) => format!("execute-{lane}"),
            Self::Gates => "approve".to_owned(),
            Self::Projector => "projector".to_owned(),
            Self::Audit => "audit".to_owned(),
            Self::Webhooks => "webhooks".to_owned(),
            Self::Schedules => "schedules".to_owned(),
            Self::Decisions => "decisions".to_owned(),
            Self::Analyses => "analyses".to_owned(),
            Self::Timers => "timers".to_owned(),
            Self::Notifications => "notifications".to_owned(),
        }
    }

    pub(crate) fn stream(&self) -> &'static str {
        match self {
            Self::Decisions => subjects::APPROVALS,
            Self::Analyses => subjects::ANALYSES,
            Self::Timers | Self::Notifications => subjects::TIMERS,
            Self::Steps(_)
            | Self::Execute(_)
            | Self::Gates
            | Self::Projector
            | Self::Audit
            | Self::Webhooks
            | Self::Schedules => subjects::WORKFLOWS,
        }
    }

    pub(crate) fn filters(&self) -> Vec<String> {
        let lane = |phase, lane: &str| vec![subjects::phase_lane(phase, lane), subjects::judged_lane(phase, lane)];
        match self {
            Self::Steps(PhaseKind::Generate) => lane(PhaseKind::Generate, "std"),
            Self::Steps(phase) => vec![subjects::phase_lane(*phase, "std")],
            Self::Execute(runtime) => lane(PhaseKind::Execute, runtime),
            Self::Gates => lane(PhaseKind::Approve, "std"),
            Self::Projector | Self::Schedules => vec![subjects::ALL_TRANSITIONS.to_owned()],
            Self::Audit => subjects::ALL_ANSWERED_FOR.map(str::to_owned).to_vec(),
            Self::Webhooks => subjects::ALL_ENDS.map(str::to_owned).to_vec(),
            Self::Decisions => vec![subjects::ALL_DECISIONS.to_owned()],
            Self::Analyses => vec![subjects::ALL_ANALYSES.to_owned()],
            Self::Timers => vec![subjects::FIRED_TIMERS.to_owned()],
            Self::Notifications => vec![subjects::DUE_NOTIFICATIONS.to_owned()],
        }
    }

    /// Returns the time without a heartbeat after which a message is redelivered.
    pub(crate) fn ack_wait(&self) -> Duration {
        Duration::from_secs(3)
    }
}

/// A durable consumer that messages are pulled from.
#[derive(Debug, Clone)]
pub struct Queue {
    broker: Broker,
    consumer: Consumer,
    letters: DeadLetters,
}

/// A delivery that this build cannot read, with the error.
#[derive(Debug)]
pub struct Unreadable {
    pub delivery: Delivery<Message>,
    pub error: DecodeError,
}

impl Queue {
    /// Creates the queue of `consumer`, which [`crate::provision`] has created.
    pub fn new(broker: &Broker, consumer: Consumer) -> Self {
        Self { broker: broker.clone(), consumer, letters: DeadLetters::new(broker) }
    }

    /// Returns whether every message up to this sequence of the stream is settled.
    pub async fn is_settled_up_to(&self, sequence: u64) -> Result<bool, ReadError> {
        let stream = self.broker.jetstream().get_stream_no_info(self.consumer.stream()).await.map_err(unavailable)?;
        let info = stream.consumer_info(self.consumer.name()).await.map_err(unavailable)?;
        let is_idle = info.num_pending == 0 && info.num_ack_pending == 0;
        let handled = if is_idle { info.delivered } else { info.ack_floor };
        Ok(handled.stream_sequence >= sequence)
    }

    pub(crate) fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Returns the consumer.
    pub fn consumer(&self) -> &Consumer {
        &self.consumer
    }

    async fn open(&self) -> Result<PullConsumer, MessagingError> {
        let name = self.consumer.name();
        self.broker
            .jetstream()
            .get_consumer_from_stream::<pull::Config, _, _>(name.as_str(), self.consumer.stream())
            .await
            .map_err(|error| MessagingError::unavailable(format_args!("cannot open consumer {name}: {error}")))
    }

    fn deliver(&self, message: Message) -> Delivery<Message> {
        Delivery::new(message.clone(), message, self.consumer.ack_wait())
    }

    /// Reads a delivery as a transition. Unreadable ones are settled here: newer forms are left to a newer reader,
    /// broken and forged ones become dead letters.
    pub async fn read_entry(&self, delivery: Delivery<Message>) -> Option<Delivery<Entry>> {
        match self.try_read_entry(delivery) {
            Ok(delivery) => Some(delivery),
            Err(unreadable) => {
                let Unreadable { delivery, error } = *unreadable;
                // Boxed to keep the common future small.
                Box::pin(self.settle_unreadable(delivery, &error)).await;
                None
            }
        }
    }

    /// Reads a delivery as a transition; the caller settles an unreadable one.
    pub fn try_read_entry(&self, delivery: Delivery<Message>) -> Result<Delivery<Entry>, Box<Unreadable>> {
        let sequence = delivery.body().info().map(|info| info.stream_sequence).unwrap_or_default();
        match decode_entry(delivery.body(), sequence) {
            Ok(entry) => Ok(delivery.map(|_| entry)),
            Err(error) => Err(Box::new(Unreadable { delivery, error })),
        }
    }

    /// Returns the log sequence of an unreadable message, and the workflow that its subject names.
    pub fn place_of(message: &Message) -> Option<(u64, WorkflowId)> {
        Some((message.info().ok()?.stream_sequence, subjects::workflow_of(&message.subject)?))
    }

    /// Settles a delivery whose body this build cannot read.
    pub async fn settle_unreadable(&self, delivery: Delivery<Message>, error: &DecodeError) {
        tracing::warn!(%error, subject = %delivery.body().subject, "Failed to read message");
        let cause = match error {
            DecodeError::Newer(_) => {
                delivery.retry_after(Duration::from_secs(5)).await;
                return;
            }
            DecodeError::Malformed(_) | DecodeError::Unanswerable => Cause::Unreadable,
            DecodeError::Forged => Cause::Forged,
        };
        delivery.dead_letter(&self.letters, cause, &error.to_string()).await;
    }
}

/// Pulls from `queue` and runs `handle` for each delivery, at most `slots` at once, until the life ends.
///
/// Connection errors are logged and retried. A drain stops pulling at once; the lifecycle waits for running handlers,
/// and pulled messages without a handler are redelivered after `ack_wait`. While pulls fail, the process is not ready.
pub async fn consume<H, F>(queue: Queue, slots: usize, life: Lifecycle, handle: H)
where
    H: Fn(Delivery<Message>) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (free, stopping) = (Arc::new(Semaphore::new(slots)), life.stopping());
    let name = format!("queue {}", queue.consumer.name());
    let (task, pulling) = (life.health().task(name.clone()), life.health().requirement(name));
    while !stopping.is_cancelled() {
        let pulled = tokio::select! {
            () = stopping.cancelled() => return,
            pulled = pull_batch(&queue, &free, &life, &handle, &task, &pulling) => pulled,
        };
        if let Err(reason) = pulled {
            task.beat();
            pulling.report(Some(reason.to_string()));
            tracing::warn!(consumer = %queue.consumer.name(), %reason, "Pull failed; retrying");
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

/// Makes pull requests sized to the free slots: `stream()` with a small batch can stall for seconds, `batch()` does
/// not.
///
/// Without a heartbeat: async-nats 0.51 forgets to wake a batch after an idle one, and steps waited 6 s.
async fn pull_batch<H, F>(
    queue: &Queue,
    free: &Arc<Semaphore>,
    life: &Lifecycle,
    handle: &H,
    task: &RunningTask,
    pulling: &ReadinessRequirement,
) -> Result<(), MessagingError>
where
    H: Fn(Delivery<Message>) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let consumer = queue.open().await?;
    pulling.report(None);
    let mut strikes = 0;
    while strikes < 3 {
        // While all slots are in use, e.g. by long jobs, the wait has no bound.
        let mut permits = task.beat_during(free_slots(free)).await;
        let mut batch = consumer
            .batch()
            .max_messages(permits.len())
            .expires(PULL_TIMEOUT)
            .messages()
            .await
            .map_err(MessagingError::unavailable)?;
        while let Some(message) = batch.next().await {
            task.beat();
            let message = match message {
                Ok(message) => message,
                Err(error) => {
                    tracing::debug!(%error, "Pull ended early");
                    strikes += 1;
                    break;
                }
            };
            strikes = 0;
            let permit = permits.pop();
            let work = handle(queue.deliver(message));
            life.spawn(async move {
                work.await;
                drop(permit);
            });
        }
    }
    Err(MessagingError::unavailable("the consumer keeps failing"))
}

/// Waits for one free slot and takes all other free ones, at most 256.
async fn free_slots(free: &Arc<Semaphore>) -> Vec<OwnedSemaphorePermit> {
    let mut permits: Vec<_> = free.clone().acquire_owned().await.into_iter().collect();
    while let Ok(permit) = free.clone().try_acquire_owned() {
        permits.push(permit);
        if permits.len() >= 256 {
            break;
        }
    }
    permits
}
