//! Processes that receive SIGTERM under load: no work is lost or repeated.

use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::workflow::EventKind;
use futures_util::StreamExt;
use messaging::WorkflowLog;
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::{Client, Options, Stack, broker_as, eventually, history, run_request};

/// Workflows in flight while all processes are restarted.
const LANES: usize = 8;
/// Every third workflow waits for a decision.
const GATED: usize = 3;

/// Posts under an idempotency key until the response is `done`, retrying while the API restarts.
async fn post(http: &reqwest::Client, url: String, token: &str, key: String, body: &Value, done: u16) -> Value {
    eventually("it is accepted", Duration::from_secs(60), || async {
        let post = http.post(&url).bearer_auth(token).header("idempotency-key", &key);
        let answer = post.header("content-type", "application/json").body(body.to_string()).send().await.ok()?;
        assert!(answer.status() == done || answer.status() == 503, "{answer:?}");
        let is_done = answer.status() == done;
        let body = serde_json::from_str(&answer.text().await.ok()?).ok()?;
        is_done.then_some(body)
    })
    .await
}

/// Submits a workflow, and approves it if it waits for that.
async fn live(http: &reqwest::Client, stack: &Stack, client: &Client, number: usize) -> String {
    let request = run_request(&format!("print('run {number}')\n"), number.is_multiple_of(GATED));
    let url = format!("{}/api/v3/execute", stack.url());
    let accepted = post(http, url, client.token(), format!("run-{number}"), &request, 202).await;
    let id = accepted["data"]["workflow_id"].as_str().expect("an id").to_owned();
    if number.is_multiple_of(GATED) {
        let gate = eventually("it waits", Duration::from_secs(60), || async {
            let get = http.get(format!("{}/api/v3/execute/status/{id}", stack.url())).bearer_auth(client.token());
            let body: Value = serde_json::from_str(&get.send().await.ok()?.text().await.ok()?).ok()?;
            body["data"]["pending_approvals"][0]["approval_id"].as_str().map(str::to_owned)
        })
        .await;
        let body = json!({"workflow_id": id, "approval_id": gate, "decision": "approved"});
        let url = format!("{}/api/v3/execute/approve/{id}", stack.url());
        post(http, url, client.token(), format!("approve-{number}"), &body, 200).await;
    }
    id
}

/// Sends SIGTERM to one process after the other, each when its predecessor is back.
async fn roll(stack: &Stack) -> usize {
    let mut told = 0;
    for component in ["worker-1", "api", "approver", "worker-2"].into_iter().cycle().take(8) {
        let before = stack.pid(component);
        stack.signal(component, Signal::TERM);
        told += 1;
        eventually("it is restarted", Duration::from_secs(60), || async {
            (stack.pid(component) != before).then_some(())
        })
        .await;
    }
    told
}

#[tokio::test]
async fn processes_told_to_stop_under_load_lose_and_repeat_nothing() {
    let stack =
        Stack::start_with(Options { workers: 2, ..Options::default() }.with("budget.per_user_day", "1000")).await;
    let client = stack.developer().await;
    let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client");
    let (http, stack, client) = (&http, &stack, &client);
    let is_over = AtomicBool::new(false);
    let load = futures_util::stream::iter(0..)
        .take_while(|_| ready(!is_over.load(Ordering::Relaxed)))
        .map(async |number| (number, live(http, stack, client, number).await))
        .buffer_unordered(LANES)
        .collect::<Vec<(usize, String)>>();
    let rolled = async {
        let told = roll(stack).await;
        is_over.store(true, Ordering::Relaxed);
        told
    };
    let (ids, told) = tokio::join!(load, rolled);
    assert_eq!(told, 8);
    assert!(ids.len() > LANES, "only {} were submitted", ids.len());

    eventually("the API is back", Duration::from_secs(30), || async {
        let health = http.get(format!("{}/health", stack.url())).send().await;
        health.is_ok_and(|answer| answer.status().is_success()).then_some(())
    })
    .await;
    let log = WorkflowLog::new(&broker_as(stack, "cli").await);
    for (number, id) in &ids {
        let done = client.until(id, "completed").await;
        assert_eq!(done["artifacts"]["test_results"]["stdout"], format!("run {number}\n"));
        let kinds: Vec<EventKind> = history(&log, id).await.iter().map(|entry| entry.happened.kind).collect();
        let begun =
            [EventKind::Submitted, EventKind::Planned, EventKind::Generated, EventKind::Analyzed, EventKind::Executed];
        let end: &[EventKind] = if number.is_multiple_of(GATED) {
            &[EventKind::Parked, EventKind::Decided]
        } else {
            &[EventKind::GateReleased]
        };
        assert_eq!(kinds, [begun.as_slice(), end].concat(), "workflow {number}");
    }
    for name in ["api", "approver", "worker-1", "worker-2"] {
        assert!(stack.log(name).contains("draining"), "{name} did not drain");
    }
}

#[tokio::test]
async fn an_analysis_under_way_is_answered_by_an_api_that_stops() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    // The worker answers only after the API was asked to stop.
    stack.signal("worker-1", Signal::STOP);
    let body =
        json!({"analysis_type": "security", "context": {"file_content": "eval(input())\n", "language": "python"}});
    let analyse = client.post("/api/v3/analyze", &body);
    let stop = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        stack.signal("api", Signal::TERM);
        tokio::time::sleep(Duration::from_millis(500)).await;
        stack.signal("worker-1", Signal::CONT);
    };
    let (answer, ()) = tokio::join!(analyse, stop);
    assert!(!answer.expect(200)["data"]["suggestions"].as_array().expect("a list").is_empty());
}
