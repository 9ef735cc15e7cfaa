//! Submissions that come while others are being written share their way to the disk.
//!
//! A broker that syncs always syncs once for each message, and a few times for an atomic batch of whatever size. So what comes
//! while something is being written is written together next. Nothing ever waits for company: a submission that comes alone
//! goes alone.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::broker::Broker;
use super::log::{AppendError, Fenced, WorkflowLog};
use crate::failpoints;
use crate::lifecycle::Lifecycle;
use crate::telemetry::TraceContext;
use crate::workflow::{Happened, Workflow};

/// Members of a batch at most.
const LARGEST_BATCH: usize = 64;
/// Below so many, plain publishes are on the disk earlier than a batch.
const SMALLEST_BATCH: usize = 8;
/// So long what comes next waits for what is being written; a broker that hangs must not line up everybody behind one.
const PATIENCE: Duration = Duration::from_millis(250);

const BATCH_ID: &str = "Nats-Batch-Id";
const BATCH_SEQUENCE: &str = "Nats-Batch-Sequence";
const BATCH_COMMIT: &str = "Nats-Batch-Commit";

/// Appends first transitions. Clones share one queue.
#[derive(Debug, Clone)]
pub struct Submissions {
    broker: Broker,
    log: WorkflowLog,
    life: Lifecycle,
    /// Of the process: the thread that a submission came on serves others as well.
    runtime: Handle,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether a task writes what waits.
    has_writer: bool,
}

/// A submission and who waits for its place in the log.
#[derive(Debug)]
struct Waiting {
    append: Fenced,
    answer: oneshot::Sender<Result<u64, AppendError>>,
}

impl Submissions {
    /// A queue of submissions to the log behind `broker`, written on the runtime that this is called on; a drain of `life` waits
    /// for what is being written.
    pub fn new(broker: &Broker, life: &Lifecycle) -> Self {
        let log = WorkflowLog::new(broker);
        Self { broker: broker.clone(), log, life: life.clone(), runtime: Handle::current(), queue: Arc::default() }
    }

    /// Appends the first transition of a workflow; returns its place in the log once it is on disk.
    ///
    /// As [`WorkflowLog::append`] behind nothing, also in that it is idempotent by `happened.event_id`. Dropped, it is written
    /// all the same.
    pub async fn append(
        &self,
        workflow: &Workflow,
        happened: &Happened,
        trace: &TraceContext,
    ) -> Result<u64, AppendError> {
        let (answer, answered) = oneshot::channel();
        let append = Fenced::new(0, workflow, happened, trace);
        let needs_writer = {
            let mut queue = self.lock();
            queue.waiting.push_back(Waiting { append, answer });
            !std::mem::replace(&mut queue.has_writer, true)
        };
        if needs_writer {
            self.life.spawn_on(&self.runtime, self.clone().write_all());
        }
        answered.await.unwrap_or_else(|_| Err(AppendError::Unavailable("nobody wrote it".to_owned())))
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes until nothing waits any more.
    async fn write_all(self) {
        while let Some(group) = self.next_group() {
            let written = self.life.spawn(self.clone().write(group));
            // Late ones go on by themselves.
            drop(tokio::time::timeout(PATIENCE, written).await);
        }
    }

    /// What waits now, at most a batch of it and of each workflow one: a fence does not see earlier members of its batch.
    fn next_group(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.lock();
        let (mut group, mut seen, mut left) = (Vec::new(), HashSet::new(), VecDeque::new());
        while group.len() < LARGEST_BATCH
            && let Some(next) = queue.waiting.pop_front()
        {
            if seen.insert(next.append.id) {
                group.push(next);
            } else {
                left.push_back(next);
            }
        }
        left.append(&mut queue.waiting);
        queue.waiting = left;
        queue.has_writer = !group.is_empty();
        queue.has_writer.then_some(group)
    }

    async fn write(self, group: Vec<Waiting>) {
        let batch = if group.len() < SMALLEST_BATCH { None } else { self.commit(&group).await };
        if let Some(first) = batch {
            for (sequence, waiting) in (first..).zip(group) {
                // Who hung up does not want to know.
                drop(waiting.answer.send(Ok(sequence)));
            }
            return;
        }
        // Alone, or one of them met another of its workflow and took all down: each for itself then. Where the batch was written
        // and only its answer lost, each finds itself in the log.
        let singly = group.into_iter().map(async |waiting| {
            let outcome = self.log.send_fenced(&waiting.append).await;
            drop(waiting.answer.send(outcome));
        });
        join_all(singly).await;
    }

    /// Writes all or nothing; returns the place of the first, behind which the others stand in order.
    async fn commit(&self, group: &[Waiting]) -> Option<u64> {
        let id = Uuid::new_v4().to_string();
        let (last, others) = group.split_last()?;
        let direct = self.broker.direct().client();
        for (number, waiting) in (1..).zip(others) {
            let headers = member(&waiting.append, &id, number);
            let (subject, payload) = (waiting.append.subject.clone(), waiting.append.payload.clone());
            direct.publish_with_headers(subject, headers, payload).await.ok()?;
        }
        let mut headers = member(&last.append, &id, group.len());
        headers.insert(BATCH_COMMIT, "1");
        let message = async_nats::jetstream::message::PublishMessage::build()
            .payload(last.append.payload.clone())
            .headers(headers);
        failpoints::reach("append.before").await;
        let ack = self.broker.direct().send_publish(last.append.subject.clone(), message).await.ok()?;
        let ack = ack.await;
        failpoints::reach("append.after").await;
        match ack {
            Ok(ack) => ack.sequence.checked_sub(u64::try_from(others.len()).ok()?),
            Err(error) => {
                tracing::debug!(%error, members = group.len(), "a batch of submissions was refused; each goes for itself");
                None
            }
        }
    }
}

fn member(append: &Fenced, batch: &str, number: usize) -> async_nats::HeaderMap {
    let mut headers = append.headers.clone();
    headers.insert(BATCH_ID, batch);
    headers.insert(BATCH_SEQUENCE, number.to_string().as_str());
    headers
}
