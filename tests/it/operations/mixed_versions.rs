//! Builds of two versions side by side: messages that only the newer one can read wait for it.

use std::sync::Arc;
use std::time::Duration;

use domain::approval::Actor;
use domain::ids::EventId;
use domain::workflow::{
    Artifacts, CodeFile, Content, Event, EventRecord, PhaseKind, RunCommand, StepUsage, Workflow, transition,
};
use messaging::{Consumer, Entry, Queue, WorkflowLog, consume, decode, encode_state};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use service::clock::Clock;
use service::lifecycle::Lifecycle;
use service::telemetry::TraceContext;
use tests::{Stack, broker_as, dead_letters, eventually, history, raw_broker_as, run_request};

#[derive(Serialize, Deserialize)]
struct Transition {
    workflow: Workflow,
    happened: EventRecord,
}

/// Returns the envelope as the next version writes it: a map whose first entry is `v`.
fn in_next_version(mut bytes: Vec<u8>) -> Vec<u8> {
    assert_eq!(bytes[..3], [0x82, 0xa1, b'v'], "the envelope begins with its version");
    bytes[3] += 1;
    bytes
}

/// Returns an envelope of the next version in this one.
fn in_this_version(mut bytes: Vec<u8>) -> Vec<u8> {
    assert_eq!(bytes[..3], [0x82, 0xa1, b'v'], "the envelope begins with its version");
    bytes[3] -= 1;
    bytes
}

/// Returns the transition that a worker appends after `workflow`.
fn step(workflow: &Workflow, event: Event) -> Transition {
    let (kind, at) = (event.kind(), Clock::system().now());
    let actor = Actor::Service("worker".to_owned());
    let happened = EventRecord { event_id: EventId::fresh(), kind, actor, at, detail: None };
    Transition { workflow: transition(workflow, event, at).expect("legal"), happened }
}

fn usage() -> StepUsage {
    StepUsage { started_at: Clock::system().now(), queue_ms: 0, sandbox_ms: 0, cost: 0.0 }
}

fn generated() -> Event {
    let content = Content::new("print('by the newer reader')\n".to_owned());
    let file = CodeFile { path: "main.py".to_owned(), content, is_test: false, from_caller: true };
    let artifacts = Artifacts {
        files: vec![file],
        run: Some(RunCommand::Script { path: "main.py".to_owned() }),
        runtime: Some("python".to_owned()),
        ..Artifacts::default()
    };
    Event::Generated { artifacts: Box::new(artifacts), usage: usage() }
}

/// Plans the workflow as a worker of the next version, whose messages this version cannot read.
async fn plan_in_a_newer_version(stack: &Stack, submitted: &Entry) {
    let planned = step(&submitted.workflow, Event::Planned { usage: usage() });
    let client = raw_broker_as(stack, "worker").await;
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Expected-Last-Subject-Sequence", submitted.sequence.to_string());
    headers.insert("Nats-Expected-Last-Subject-Sequence-Subject", format!("wf.*.*.{}", planned.workflow.id));
    let subject = format!("wf.generate.std.{}", planned.workflow.id);
    // Waits for the acknowledgement: the worker that goes on afterwards must lose.
    let payload = in_next_version(encode_state(&planned)).into();
    let ack = client.request_with_headers(subject, headers, payload).await.expect("an acknowledgement");
    assert!(!String::from_utf8_lossy(&ack.payload).contains("error"), "{ack:?}");
}

/// Handles `generate` steps as a worker of the next version.
async fn serve_generate_in_a_newer_version(stack: &Stack, life: &Lifecycle) {
    let broker = broker_as(stack, "worker").await;
    let log = Arc::new(WorkflowLog::new(&broker));
    let queue = Queue::new(&broker, Consumer::Steps(PhaseKind::Generate));
    life.spawn(consume(queue, 1, life.clone(), move |delivery| {
        let log = log.clone();
        async move {
            let payload = in_this_version(delivery.body().payload.to_vec());
            let Transition { workflow, .. } = decode(&payload).expect("the newer reader knows it");
            let sequence = delivery.body().info().expect("a place in the log").stream_sequence;
            let next = step(&workflow, generated());
            log.append(sequence, &next.workflow, &next.happened, TraceContext::root()).await.expect("appended");
            delivery.ack().await;
        }
    }));
}

#[tokio::test]
async fn a_message_of_a_newer_version_waits_for_a_reader_that_knows_it() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    // The stopped worker plans nothing.
    stack.signal("worker-1", Signal::STOP);
    let id = client.execute(&run_request("print('never')\n", false)).await;
    let log = WorkflowLog::new(&broker_as(&stack, "cli").await);
    let submitted = history(&log, &id).await;
    assert_eq!(submitted.len(), 1);
    plan_in_a_newer_version(&stack, &submitted[0]).await;
    stack.signal("worker-1", Signal::CONT);
    for component in ["worker-1", "approver", "api"] {
        eventually("the older build reads it", Duration::from_secs(30), || async {
            stack.log(component).contains("newer than this build").then_some(())
        })
        .await;
    }
    assert!(dead_letters(&stack).await.is_empty(), "a message for a newer build was dead-lettered");

    let life = Lifecycle::new();
    serve_generate_in_a_newer_version(&stack, &life).await;
    let done = client.until(&id, "completed").await;
    assert_eq!(done["artifacts"]["test_results"]["stdout"], "by the newer reader\n");
    assert!(dead_letters(&stack).await.is_empty());
    life.stop();
}
