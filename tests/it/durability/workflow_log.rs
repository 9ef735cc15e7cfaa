//! The workflow log on a real broker: its fence, its leader, and its tail.

use std::time::Duration;

use async_nats::jetstream;
use domain::approval::Actor;
use domain::ids::{EventId, WorkflowId};
use domain::samples;
use domain::workflow::{EventKind, EventRecord, Workflow};
use futures_util::StreamExt;
use messaging::{AppendError, Entry, ReadError, WorkflowLog};
use rustix::process::Signal;
use service::clock::Clock;
use service::telemetry::TraceContext;
use tests::{Stack, broker_as, raw_broker_as};

/// Starts a stack in which no process advances a workflow, with its log as the API writes it.
async fn still() -> (Stack, WorkflowLog) {
    let stack = Stack::start().await;
    stack.signal("worker-1", Signal::STOP);
    let log = WorkflowLog::new(&broker_as(&stack, "api").await);
    (stack, log)
}

async fn append(log: &WorkflowLog, expected: u64, workflow: &Workflow) -> Result<u64, AppendError> {
    let kind = EventKind::Submitted;
    let (actor, at) = (Actor::Service("api".to_owned()), workflow.updated_at);
    let happened = EventRecord { event_id: EventId::fresh(), kind, actor, at, detail: None };
    log.append(expected, workflow, &happened, TraceContext::root()).await
}

fn submitted() -> Workflow {
    let sample = samples::submitted("test_user", samples::options());
    Workflow::submitted(WorkflowId::fresh(), sample.owner, sample.submission, Clock::system().now())
}

#[tokio::test]
async fn a_leader_that_is_behind_settles_nothing() {
    let (stack, log) = still().await;
    let workflow = submitted();
    let sequence = append(&log, 0, &workflow).await.expect("appended");
    let newest = log.newest_from_leader(workflow.id).await.expect("the log").expect("an entry");
    assert!(log.is_newest(&newest).await.expect("an answer"));
    // Like a replica that is ahead of the leader.
    let ahead = Entry { sequence: sequence + 1, ..newest.clone() };
    assert!(matches!(log.is_newest(&ahead).await, Err(ReadError::Unavailable(_))));
    append(&log, sequence, &workflow).await.expect("appended");
    assert!(!log.is_newest(&newest).await.expect("an answer"));
    stack.signal("worker-1", Signal::CONT);
}

#[tokio::test]
async fn a_conflict_with_nothing_newer_takes_nobodys_step_away() {
    let (stack, log) = still().await;
    let workflow = submitted();
    let sequence = append(&log, 0, &workflow).await.expect("appended");
    // The broker rejects this like a conflict with an append in flight that may never commit.
    let refused = append(&log, sequence + 1, &workflow).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    let lost = append(&log, 0, &workflow).await;
    assert!(matches!(lost, Err(AppendError::Lost)), "{lost:?}");
    stack.signal("worker-1", Signal::CONT);
}

#[tokio::test]
async fn a_follower_whose_consumer_is_lost_ends_with_an_error() {
    let (stack, log) = still().await;
    append(&log, 0, &submitted()).await.expect("appended");
    let (since, entries) = log.follow().await.expect("the log");
    let mut entries = Box::pin(entries);
    let workflow = submitted();
    let sequence = append(&log, 0, &workflow).await.expect("appended");
    let first = entries.next().await.expect("an entry").expect("it can be read");
    assert_eq!((first.workflow.id, first.sequence, since + 1), (workflow.id, sequence, sequence));

    let stream = jetstream::new(raw_broker_as(&stack, "cli").await).get_stream("WORKFLOWS").await.expect("the log");
    let mut names = stream.consumer_names();
    while let Some(name) = names.next().await {
        let name = name.expect("a name");
        if name.starts_with("reader-") {
            stream.delete_consumer(&name).await.expect("there was one");
        }
    }
    append(&log, 0, &submitted()).await.expect("appended");
    let end = tokio::time::timeout(Duration::from_secs(5), entries.next()).await.expect("within 5 s");
    assert!(matches!(end, Some(Err(ReadError::Unavailable(_)))), "{end:?}");
    assert!(entries.next().await.is_none());
    stack.signal("worker-1", Signal::CONT);
}
