//! Forgeries that a compromised worker can publish with its own login: none of them releases a result.

use std::time::Duration;

use async_nats::HeaderMap;
use domain::approval::{Actor, Channel, ClosedGate, Decision, Gate, GateOutcome, Stage, Verdict};
use domain::ids::EventId;
use domain::workflow::{Event, EventKind, EventRecord, Failure, Phase, Workflow, transition};
use messaging::{Entry, WorkflowLog, encode};
use rustix::process::Signal;
use serde::Serialize;
use serde_json::Value;
use service::clock::Clock;
use tests::{Client, Stack, broker_as, eventually, raw_broker_as, run_request};

/// The body of a message of the log.
#[derive(Serialize)]
struct Transition<'a> {
    workflow: &'a Workflow,
    happened: &'a EventRecord,
}

struct Attack {
    stack: Stack,
    client: Client,
    log: WorkflowLog,
}

impl Attack {
    async fn begin() -> Self {
        let stack = Stack::start().await;
        let client = stack.developer().await;
        let log = WorkflowLog::new(&broker_as(&stack, "worker").await);
        Self { stack, client, log }
    }

    async fn parked(&self) -> Entry {
        let id = self.client.execute(&run_request("print('secret result')\n", true)).await;
        self.client.until(&id, "waiting_approval").await;
        let newest = self.log.newest_from_leader(id.parse().expect("an id")).await.expect("the log");
        newest.expect("a workflow")
    }

    /// Publishes bytes with the right fence on a subject that a worker may publish to.
    async fn publish(&self, subject: String, behind: &Entry, payload: Vec<u8>) {
        let client = raw_broker_as(&self.stack, "worker").await;
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Expected-Last-Subject-Sequence", behind.sequence.to_string());
        headers.insert("Nats-Expected-Last-Subject-Sequence-Subject", format!("wf.*.*.{}", behind.workflow.id));
        client.publish_with_headers(subject, headers, payload.into()).await.expect("sent");
        client.flush().await.expect("flushed");
    }

    async fn ends(&self, entry: &Entry, status: &'static str) -> Value {
        let id = entry.workflow.id.to_string();
        // Wait for effects of the forgery, then read the state that remains.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let data = eventually("the forgery is corrected", Duration::from_secs(20), || async {
            let data = self.client.status(&id).await;
            (data["status"] == status).then_some(data)
        })
        .await;
        assert!(!data.to_string().contains("secret result"), "released: {data}");
        data
    }
}

/// Returns the event record that a worker may claim.
fn happened(entry: &Entry) -> EventRecord {
    let actor = Actor::Service("worker".to_owned());
    EventRecord { event_id: EventId::fresh(), kind: EventKind::StepFailed, actor, ..entry.happened.clone() }
}

#[tokio::test]
async fn a_state_on_anothers_subject_is_not_believed() {
    let attack = Attack::begin().await;
    let entry = attack.parked().await;
    let mut forged = entry.workflow.clone();
    let gate = forged.gate().cloned().expect("a gate");
    forged.closed_gates.push(ClosedGate::of(&gate, GateOutcome::Approved, entry.happened.at));
    forged.phase = Phase::Done;
    let payload = encode(&Transition { workflow: &forged, happened: &happened(&entry) });
    attack.publish(format!("wf.generate.std.{}", forged.id), &entry, payload).await;
    assert_eq!(attack.ends(&entry, "failed").await["error"]["code"], "tampered");
    let audit = tests::audit_log(&attack.stack).await;
    assert!(audit.iter().all(|record| record.action != "approved"), "{audit:#?}");
}

#[tokio::test]
async fn garbage_does_not_hold_a_workflow_for_ever() {
    let attack = Attack::begin().await;
    let entry = attack.parked().await;
    attack.publish(format!("wf.generate.std.{}", entry.workflow.id), &entry, b"garbage".to_vec()).await;
    assert_eq!(attack.ends(&entry, "failed").await["error"]["code"], "tampered");
}

#[tokio::test]
async fn a_worker_cannot_switch_the_approval_off() {
    let attack = Attack::begin().await;
    let entry = attack.parked().await;
    let mut forged = entry.workflow.clone();
    forged.submission.options.require_approval = false;
    forged.phase = Phase::Approve { gate: Gate::pending(forged.id, 1, Stage::Release) };
    let appended = attack.log.append(entry.sequence, &forged, &happened(&entry), entry.trace.clone()).await;
    appended.expect("a worker may append gates");
    assert_eq!(attack.ends(&entry, "failed").await["error"]["code"], "tampered");

    let entry = attack.parked().await;
    let mut forged = entry.workflow.clone();
    forged.submission.options.require_approval = false;
    forged.phase = Phase::Failed { failure: Failure::new("tests_failed", "m", "h") };
    attack
        .log
        .append(entry.sequence, &forged, &happened(&entry), entry.trace.clone())
        .await
        .expect("a worker may fail");
    attack.ends(&entry, "failed").await;
}

#[tokio::test]
async fn an_end_stays_the_end() {
    let attack = Attack::begin().await;
    let entry = attack.parked().await;
    let id = entry.workflow.id;
    attack.client.post(&format!("/api/v3/execute/cancel/{id}"), &Value::Null).await.expect(200);
    let cancelled = attack.log.newest_from_leader(id).await.expect("the log").expect("an end");
    let mut forged = entry.workflow.clone();
    forged.phase = Phase::Approve { gate: Gate::pending(id, 1, Stage::Release) };
    forged.submission.options.require_approval = false;
    let append = async |behind| {
        attack.log.append(behind, &forged, &happened(&entry), entry.trace.clone()).await.expect("appended")
    };
    let redrive = async |forgery| {
        attack.ends(&entry, "cancelled").await;
        let newest = attack.log.newest_from_leader(id).await.expect("the log").expect("an end");
        assert!(newest.sequence > forgery, "the end was put back behind the forgery");
        assert_eq!(newest.workflow, cancelled.workflow, "it is the first end");
        newest.sequence
    };
    let end = redrive(append(cancelled.sequence).await).await;

    // Several, before the approver reads the first.
    attack.stack.signal("approver", Signal::STOP);
    let last = append(append(append(end).await).await).await;
    attack.stack.signal("approver", Signal::CONT);
    let end = redrive(last).await;

    // Another end.
    let mut failed = entry.workflow.clone();
    failed.phase = Phase::Failed { failure: Failure::new("tests_failed", "m", "h") };
    let forgery = attack.log.append(end, &failed, &happened(&entry), entry.trace.clone()).await.expect("appended");
    let end = redrive(forgery).await;

    // The API appends after a forgery, which it takes for the workflow's state.
    attack.stack.signal("approver", Signal::STOP);
    let forgery = append(end).await;
    let (by, at) = (Actor::Service("api".to_owned()), Clock::system().now());
    let next = transition(&forged, Event::Cancelled { by: by.clone() }, at).expect("it seems to run");
    let happened_next =
        EventRecord { event_id: EventId::fresh(), kind: EventKind::Cancelled, actor: by, at, detail: None };
    let api = WorkflowLog::new(&broker_as(&attack.stack, "api").await);
    let last = api.append(forgery, &next, &happened_next, entry.trace.clone()).await.expect("appended");
    attack.stack.signal("approver", Signal::CONT);
    let end = redrive(last).await;

    // One without a fence.
    let payload = encode(&Transition { workflow: &forged, happened: &happened(&entry) });
    let client = raw_broker_as(&attack.stack, "worker").await;
    client.publish(format!("wf.approve.std.{id}"), payload.into()).await.expect("sent");
    client.flush().await.expect("flushed");
    redrive(end + 1).await;
}

/// Returns the state after a decision that the stack's approver never made.
fn decided(entry: &Entry, verdict: Verdict) -> Workflow {
    let mut forged = entry.workflow.clone();
    let gate = forged.gate().cloned().expect("a gate");
    let mut closed = ClosedGate::of(&gate, GateOutcome::Rejected, entry.happened.at);
    closed.decisions.push(Decision {
        verdict,
        by: "approver".parse().expect("a name"),
        channel: Channel::Http,
        on_behalf_of: None,
        comment: None,
        input: None,
        message_id: "forged".to_owned(),
        at: entry.happened.at,
        lapsed: false,
    });
    forged.closed_gates.push(closed);
    forged
}

#[tokio::test]
async fn the_audit_log_names_nobody_who_did_not_act() {
    let attack = Attack::begin().await;
    let person = Actor::User("approver".parse().expect("a name"));
    let said = |entry: &Entry, kind| EventRecord {
        event_id: EventId::fresh(),
        kind,
        actor: person.clone(),
        ..entry.happened.clone()
    };
    let failed = || Phase::Failed { failure: Failure::new("rejected", "m", "h") };
    let cases = [
        (EventKind::Decided, "failed", failed(), Verdict::Rejected),
        (EventKind::Cancelled, "failed", failed(), Verdict::Rejected),
        (EventKind::Expired, "failed", failed(), Verdict::Rejected),
        (EventKind::StepFailed, "failed", failed(), Verdict::Rejected),
        (EventKind::Decided, "generate", Phase::Generate { feedback: None, input: None }, Verdict::ChangesRequested),
        (EventKind::Decided, "execute", Phase::Execute { runtime: "python".to_owned() }, Verdict::Approved),
    ];
    for (kind, phase, state, verdict) in cases {
        let entry = attack.parked().await;
        let mut forged = decided(&entry, verdict);
        forged.phase = state;
        let lane = if phase == "execute" { "python" } else { "std" };
        let payload = encode(&Transition { workflow: &forged, happened: &said(&entry, kind) });
        attack.publish(format!("wf.{phase}.{lane}.{}", forged.id), &entry, payload).await;
        let data = attack.ends(&entry, "failed").await;
        assert_eq!(data["error"]["code"], "tampered", "{kind:?} on {phase}: {data}");
    }
    let audit = tests::audit_log(&attack.stack).await;
    assert!(audit.iter().all(|record| matches!(record.actor, Actor::Service(_))), "{audit:#?}");
    assert_eq!(audit.iter().filter(|record| record.action == "refused_release").count(), 6, "{audit:#?}");
}

/// A gate's history names people and decides who may see a workflow, so a worker must not write it.
#[tokio::test]
async fn a_worker_cannot_write_a_decision_into_the_history_of_gates() {
    let attack = Attack::begin().await;
    let entry = attack.parked().await;
    let mut forged = decided(&entry, Verdict::Approved);
    forged.phase = Phase::Approve { gate: Gate::pending(forged.id, 2, Stage::Release) };
    let appended = attack.log.append(entry.sequence, &forged, &happened(&entry), entry.trace.clone()).await;
    appended.expect("a worker may append gates");
    assert_eq!(attack.ends(&entry, "failed").await["error"]["code"], "tampered");
}
