//! Time limits of workflows: running time counts, time spent waiting for a decision does not.

use std::time::Duration;

use domain::Timestamp;
use domain::approval::{Actor, GateDecision, Policy, RiskLevel};
use domain::ids::{EventId, WorkflowId};
use domain::samples;
use domain::workflow::{
    Artifacts, CodeFile, Content, Event, EventKind, EventRecord, RunCommand, StepUsage, SubmissionOptions, TestSummary,
    TestVerdict, Workflow, transition,
};
use messaging::WorkflowLog;
use rustix::process::Signal;
use service::clock::Clock;
use service::telemetry::TraceContext;
use tests::{Client, Stack, broker_as, eventually, history, question_of, raw_broker_as, writer_of};

fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_millis(Clock::system().now().as_millis() - 1_000 * seconds)
}

/// Returns a workflow of the demo's developer with a limit of one minute, submitted this many seconds ago.
pub(super) fn submitted_before(seconds: i64) -> Workflow {
    submitted_at(ago(seconds))
}

fn submitted_at(at: Timestamp) -> Workflow {
    let choices = SubmissionOptions { timeout_minutes: 1, ..samples::options() };
    let sample = samples::submitted("test_user", choices);
    Workflow::submitted(WorkflowId::fresh(), sample.owner, sample.submission, at)
}

fn usage(at: Timestamp) -> StepUsage {
    StepUsage { started_at: at, queue_ms: 0, sandbox_ms: 0, cost: 0.0 }
}

fn code() -> Artifacts {
    let content = Content::new("print(1)\n".to_owned());
    Artifacts {
        files: vec![CodeFile { path: "main.py".to_owned(), content, is_test: false, from_caller: false }],
        run: Some(RunCommand::Script { path: "main.py".to_owned() }),
        runtime: Some("python".to_owned()),
        ..Artifacts::default()
    }
}

/// Returns every state from the submission to the question, one second apart.
fn way_to_the_question(submitted: Workflow, begun: Timestamp) -> Vec<(Workflow, Event)> {
    let usage = usage(begun);
    let report = Content::new(r#"{"overall_score":100,"findings":[],"tools":[]}"#.to_owned());
    let tests = TestSummary { total: 1, passed: 1 };
    let results = Content::new(r#"{"success_rate":1.0,"total":1,"passed":1,"tests":[]}"#.to_owned());
    let events = [
        Event::Planned { usage: usage.clone() },
        Event::Generated { artifacts: Box::new(code()), usage: usage.clone() },
        Event::Analyzed { report, issues: 0, usage: usage.clone() },
        Event::Executed { results, tests, ran: Box::default(), rerun: TestVerdict::Passed, usage },
    ];
    let mut way: Vec<(Workflow, Event)> = Vec::new();
    let mut state = submitted;
    for (second, event) in (1..).zip(events) {
        let at = begun.after(Duration::from_secs(second));
        state = transition(&state, event.clone(), at).expect("legal");
        way.push((state.clone(), event));
    }
    let at = begun.after(Duration::from_secs(5));
    let Some(GateDecision::Park(park)) = Policy::default().rule(&state, RiskLevel::Low, at) else {
        panic!("it must park")
    };
    let event = Event::Parked { park: *park };
    way.push((transition(&state, event.clone(), at).expect("legal"), event));
    way
}

/// Appends a state as the process that may.
pub(super) async fn append(stack: &Stack, behind: u64, state: &Workflow, kind: EventKind) -> u64 {
    let user = writer_of(kind);
    let log = WorkflowLog::new(&broker_as(stack, user).await);
    let actor = Actor::Service(user.to_owned());
    let happened = EventRecord { event_id: EventId::fresh(), kind, actor, at: state.updated_at, detail: None };
    log.append(behind, state, &happened, TraceContext::root()).await.expect("appended")
}

#[tokio::test]
async fn a_workflow_that_stands_still_runs_out_of_its_time() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    stack.signal("worker-1", Signal::STOP);
    // All but two seconds of its minute have elapsed.
    let state = submitted_before(58);
    let id = state.id.to_string();
    append(&stack, 0, &state, EventKind::Submitted).await;
    let failed = client.until(&id, "failed").await;
    assert_eq!(failed["error"]["code"], "timeout");
    stack.signal("worker-1", Signal::CONT);
    // The worker is running again and has nothing to do there.
    let next = client.run("print('next')\n").await;
    client.until(&next, "completed").await;
    let log = WorkflowLog::new(&broker_as(&stack, "cli").await);
    assert_eq!(history(&log, &id).await.len(), 2, "an entry follows the end");
}

/// The approver delays setting a timer, because most workflows end before.
#[tokio::test]
async fn an_approver_that_dies_before_it_sets_a_timer_loses_none() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    stack.signal("worker-1", Signal::STOP);
    let state = submitted_before(58);
    append(&stack, 0, &state, EventKind::Submitted).await;
    eventually("the approver received it", Duration::from_secs(5), || async {
        let broker = async_nats::jetstream::new(raw_broker_as(&stack, "cli").await);
        let stream = broker.get_stream("WORKFLOWS").await.expect("a stream");
        let info = stream.consumer_info("schedules").await.expect("a queue");
        (info.delivered.stream_sequence > 0).then_some(())
    })
    .await;
    stack.kill("approver");
    let failed = client.until(&state.id.to_string(), "failed").await;
    assert_eq!(failed["error"]["code"], "timeout");
    stack.signal("worker-1", Signal::CONT);
}

#[tokio::test]
async fn the_time_that_humans_take_does_not_count() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    for component in ["worker-1", "approver"] {
        stack.signal(component, Signal::STOP);
    }
    // It worked for five seconds ten minutes ago and has been parked since.
    let begun = ago(600);
    let state = submitted_at(begun);
    let id = state.id.to_string();
    let mut sequence = append(&stack, 0, &state, EventKind::Submitted).await;
    for (state, event) in way_to_the_question(state, begun) {
        sequence = append(&stack, sequence, &state, event.kind()).await;
    }
    for component in ["worker-1", "approver"] {
        stack.signal(component, Signal::CONT);
    }
    // The timer of the submission is overdue.
    eventually("the timer is handled", Duration::from_secs(30), || async {
        timers_are_handled(&stack).await.then_some(())
    })
    .await;
    let parked = client.until(&id, "waiting_approval").await;
    let first = question_of(&parked);
    client.decide(&id, &first, "changes_requested").await.expect(200);
    until_it_asks_again(&client, &id, &first).await;
}

async fn until_it_asks_again(client: &Client, id: &str, first: &str) {
    eventually("it asks again", Duration::from_secs(50), || async {
        let data = client.status(id).await;
        assert_ne!(data["status"], "failed", "{data:#}");
        data["pending_approvals"][0]["approval_id"].as_str().is_some_and(|id| id != first).then_some(())
    })
    .await;
}

/// Returns whether a timer fired and none is pending for the approver.
async fn timers_are_handled(stack: &Stack) -> bool {
    let broker = async_nats::jetstream::new(raw_broker_as(stack, "cli").await);
    let stream = broker.get_stream("TIMERS").await.expect("a stream");
    let consumer: async_nats::jetstream::consumer::PullConsumer = stream.get_consumer("timers").await.expect("a queue");
    let info = consumer.cached_info();
    info.delivered.stream_sequence > 0 && info.num_pending == 0 && info.num_ack_pending == 0
}
