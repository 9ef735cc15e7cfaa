//! Group commit of concurrent submissions.
//!
//! A broker that syncs always syncs once for each message, and a few times for an atomic batch of any size. So the
//! submissions that arrive during a write are written together next. No artificial delay: a lone submission is written
//! immediately.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::connection::broker::Broker;
use crate::log::{AppendError, FencedAppend, WorkflowLog};
use domain::workflow::{EventRecord, Workflow};
use service::failpoints;
use service::lifecycle::Lifecycle;
use service::telemetry::TraceContext;

/// Maximum members of a batch.
const MAX_BATCH: usize = 64;
/// Minimum members of a batch; below it, plain publishes reach the disk earlier.
const MIN_BATCH: usize = 8;
/// Time that the next batch waits for the current write; a hanging broker must not queue all submissions behind one.
const WRITE_TIMEOUT: Duration = Duration::from_millis(250);

const BATCH_ID: &str = "Nats-Batch-Id";
const BATCH_SEQUENCE: &str = "Nats-Batch-Sequence";
const BATCH_COMMIT: &str = "Nats-Batch-Commit";

/// Appends first transitions. Clones share one queue.
#[derive(Debug, Clone)]
pub struct SubmissionBatcher {
    broker: Broker,
    log: WorkflowLog,
    life: Lifecycle,
    /// The process's runtime: the thread that received a submission serves other requests as well.
    runtime: Handle,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// True while a task writes the queue.
    has_writer: bool,
}

/// A submission and the channel for its sequence.
#[derive(Debug)]
struct Waiting {
    append: FencedAppend,
    answer: oneshot::Sender<Result<u64, AppendError>>,
}

impl SubmissionBatcher {
    /// Creates a queue of submissions to the log on `broker`, written on the current runtime; a drain of `life` waits
    /// for writes in progress.
    pub fn new(broker: &Broker, life: &Lifecycle) -> Self {
        let log = WorkflowLog::new(broker);
        Self { broker: broker.clone(), log, life: life.clone(), runtime: Handle::current(), queue: Arc::default() }
    }

    /// Appends the first transition of a workflow; returns its sequence once it is on disk.
    ///
    /// As [`WorkflowLog::append`] with `expected` 0, and also idempotent by `happened.event_id`. If dropped, the
    /// submission is still written.
    pub async fn append(
        &self,
        workflow: &Workflow,
        happened: &EventRecord,
        trace: &TraceContext,
    ) -> Result<u64, AppendError> {
        let (answer, answered) = oneshot::channel();
        let append = FencedAppend::new(0, workflow, happened, trace);
        let needs_writer = {
            let mut queue = self.lock();
            queue.waiting.push_back(Waiting { append, answer });
            !std::mem::replace(&mut queue.has_writer, true)
        };
        if needs_writer {
            self.life.spawn_on(&self.runtime, self.clone().write_all());
        }
        answered.await.unwrap_or_else(|_| Err(AppendError::Unavailable("the writer stopped; retry".to_owned())))
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes until the queue is empty.
    async fn write_all(self) {
        while let Some(group) = self.next_group() {
            let written = self.life.spawn(self.clone().write(group));
            // Late writes continue on their own.
            drop(tokio::time::timeout(WRITE_TIMEOUT, written).await);
        }
    }

    /// Takes at most a batch from the queue, one submission of each workflow: a fence ignores earlier members of its
    /// batch.
    fn next_group(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.lock();
        let (mut group, mut seen, mut left) = (Vec::new(), HashSet::new(), VecDeque::new());
        while group.len() < MAX_BATCH
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
        let batch = if group.len() < MIN_BATCH { None } else { self.commit(&group).await };
        if let Some(first) = batch {
            for (sequence, waiting) in (first..).zip(group) {
                // The caller may have hung up.
                drop(waiting.answer.send(Ok(sequence)));
            }
            return;
        }
        // No batch, or one member conflicted and failed the whole batch: append each alone. If the batch was written
        // and only its answer lost, each append finds itself in the log.
        let singly = group.into_iter().map(async |waiting| {
            let outcome = self.log.send_fenced(&waiting.append).await;
            drop(waiting.answer.send(outcome));
        });
        join_all(singly).await;
    }

    /// Writes all or nothing; returns the sequence of the first, which the others follow in order.
    async fn commit(&self, group: &[Waiting]) -> Option<u64> {
        let id = Uuid::new_v4().to_string();
        let (last, others) = group.split_last()?;
        // One connection for all: members must arrive before the commit.
        let context = self.broker.direct().clone();
        let direct = context.client();
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
        let ack = context.send_publish(last.append.subject.clone(), message).await.ok()?;
        let ack = ack.await;
        failpoints::reach("append.after").await;
        match ack {
            Ok(ack) => ack.sequence.checked_sub(u64::try_from(others.len()).ok()?),
            Err(error) => {
                if !super::is_conflict(&error) {
                    self.broker.avoid_direct();
                }
                tracing::debug!(%error, members = group.len(), "Batch of submissions failed; appending singly");
                None
            }
        }
    }
}

fn member(append: &FencedAppend, batch: &str, number: usize) -> async_nats::HeaderMap {
    let mut headers = append.headers.clone();
    headers.insert(BATCH_ID, batch);
    headers.insert(BATCH_SEQUENCE, number.to_string().as_str());
    headers
}
