//! The log can be truncated anywhere and resumed, and every action repeated, with the same end.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::consumer::Config;
use async_nats::jetstream::stream::Stream;
use domain::ids::{EventId, WorkflowId};
use domain::workflow::{EventKind, EventRecord, Workflow};
use futures_util::TryStreamExt;
use messaging::{Entry, WorkflowLog};
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::{
    Client, Options, Stack, audit_log, broker_as, differences, eventually, history, raw_broker_as, run_request,
    writer_of,
};

/// The log with the login of each process.
struct Logs(BTreeMap<&'static str, WorkflowLog>);

impl Logs {
    async fn open(stack: &Stack) -> Self {
        let mut logs = BTreeMap::new();
        for user in ["api", "worker", "approver"] {
            logs.insert(user, WorkflowLog::new(&broker_as(stack, user).await));
        }
        Self(logs)
    }

    async fn history(&self, id: &str) -> Vec<Entry> {
        history(&self.0["approver"], id).await
    }

    /// Appends these transitions under another workflow id and returns that id.
    async fn record_anew(&self, prefix: &[Entry]) -> String {
        let id = WorkflowId::fresh();
        let mut sequence = 0;
        for entry in prefix {
            let workflow = renamed(&entry.workflow, id);
            let happened = EventRecord { event_id: EventId::fresh(), ..entry.happened.clone() };
            let log = &self.0[writer_of(happened.kind)];
            sequence = log.append(sequence, &workflow, &happened, entry.trace.child()).await.expect("appended");
        }
        id.to_string()
    }
}

/// Returns the same state under another id, with its gates' ids derived from it.
fn renamed(workflow: &Workflow, id: WorkflowId) -> Workflow {
    let mut text = serde_json::to_string(workflow).expect("JSON");
    for number in 1..=8 {
        let gate = |id| domain::ids::ApprovalId::for_gate(id, number).to_string();
        text = text.replace(&gate(workflow.id), &gate(id));
    }
    let text = text.replace(&workflow.id.to_string(), &id.to_string());
    serde_json::from_str(&text).expect("the same state")
}

const CODE: &str = "print('the same')\n";

/// Decides like the human of this scenario: approves the run, requests changes to the first result, supplies code, and
/// approves the second result.
async fn decide(client: &Client, id: &str, data: &Value) {
    let approval = &data["pending_approvals"][0];
    let mut body = json!({"workflow_id": id, "approval_id": approval["approval_id"], "decision": "approved"});
    match approval["approval_type"].as_str() {
        Some("code_deployment") if data["metrics"]["iterations"] == 1 => body["decision"] = json!("changes_requested"),
        Some("needs_input") => body["code"] = json!(CODE),
        Some(_) => {}
        None => return,
    }
    let answer = client.post(&format!("/api/v3/execute/approve/{id}"), &body).await;
    assert!(matches!(answer.status, 200 | 409 | 503), "{}", answer.text);
}

/// Decides every question of the workflow until it is completed.
async fn to_the_end(client: &Client, id: &str) -> Value {
    eventually("the workflow ends", Duration::from_secs(90), || async {
        let data = client.status(id).await;
        match data["status"].as_str() {
            Some("waiting_approval") => decide(client, id, &data).await,
            Some("failed" | "cancelled") => panic!("{id} did not end like the recorded one: {data:#}"),
            _ => {}
        }
        (data["status"] == "completed").then_some(data)
    })
    .await
}

/// Returns the parts of a status that interruptions must not change.
fn outcome(data: &Value) -> Vec<Value> {
    let results = &data["artifacts"]["test_results"];
    [
        &results["stdout"],
        &results["exit_code"],
        &results["total"],
        &data["current_step"],
        &data["metrics"]["iterations"],
    ]
    .map(Value::clone)
    .into()
}

fn kinds(entries: &[Entry]) -> Vec<(&'static str, &'static str)> {
    entries.iter().map(|entry| (entry.happened.kind.as_str(), entry.workflow.phase.kind().as_str())).collect()
}

/// Recreates every durable consumer of the log at its first message.
async fn deliver_all_again(log: &Stream) {
    let consumers: Vec<(String, Config)> =
        log.consumers().map_ok(|info| (info.name, info.config)).try_collect().await.expect("a list");
    for (name, config) in consumers.into_iter().filter(|(_, config)| config.durable_name.is_some()) {
        log.delete_consumer(&name).await.expect("deleted");
        log.create_consumer(config).await.expect("made anew");
    }
}

/// Waits until every queue has delivered and settled every message.
async fn until_all_is_settled(log: &Stream) {
    eventually("all is settled", Duration::from_secs(60), || async {
        let consumers: Vec<_> = log.consumers().try_collect().await.expect("a list");
        let durable = consumers.iter().filter(|info| info.config.durable_name.is_some());
        durable.map(|info| info.num_pending + info.num_ack_pending as u64).sum::<u64>().eq(&0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_prefix_of_the_log_is_resumed_and_every_action_run_twice() {
    let stack = Stack::start_with(Options::default().with("approval.gate_before_execute", "true")).await;
    let (client, logs) = (stack.developer().await, Logs::open(&stack).await);
    let recorded = client.execute(&run_request(CODE, true)).await;
    let end = to_the_end(&client, &recorded).await;
    let whole = logs.history(&recorded).await;
    assert_eq!(whole.iter().filter(|entry| entry.happened.kind == EventKind::Parked).count(), 5, "{:?}", kinds(&whole));

    // A stopped process may have received messages, which die with it.
    for component in ["worker-1", "approver"] {
        stack.signal(component, Signal::STOP);
    }
    let mut resumed = Vec::new();
    for length in 1..=whole.len() {
        resumed.push(logs.record_anew(&whole[..length]).await);
    }
    for component in ["worker-1", "approver"] {
        stack.kill(component);
    }
    let operator = async_nats::jetstream::new(raw_broker_as(&stack, "cli").await);
    let log = operator.get_stream("WORKFLOWS").await.expect("the log");
    // Once while the work is in progress, and once when it is done.
    deliver_all_again(&log).await;
    for id in &resumed {
        assert_eq!(outcome(&to_the_end(&client, id).await), outcome(&end), "{id}");
    }
    until_all_is_settled(&log).await;
    let audited = audit_log(&stack).await.len();
    deliver_all_again(&log).await;
    until_all_is_settled(&log).await;

    for (id, length) in resumed.iter().zip(1..) {
        let entries = logs.history(id).await;
        assert_eq!(kinds(&entries), kinds(&whole), "resumed behind {length} of {}", whole.len());
    }
    assert_eq!(audit_log(&stack).await.len(), audited, "an effect was recorded twice");
    eventually("the view is up to date", Duration::from_secs(20), || async {
        differences(&stack).await.is_empty().then_some(())
    })
    .await;
}
