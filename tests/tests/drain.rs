//! Processes that are told to stop while there is work: nothing is lost, and nothing happens twice.

use std::time::Duration;

use futures_util::StreamExt;
use rustix::process::Signal;
use serde_json::Value;
use shared::messaging::WorkflowLog;
use shared::workflow::EventKind;
use tests::{Client, Options, Stack, broker_as, eventually, history, run_request};

const WORKFLOWS: usize = 40;
/// So many are submitted at once.
const LANES: usize = 4;

/// Submits under a key until it is accepted, as a client does that gets no answer from an API that is going.
async fn submit(http: &reqwest::Client, stack: &Stack, client: &Client, number: usize) -> String {
    let request = run_request(&format!("print('run {number}')\n"), false).to_string();
    eventually("a submission is accepted", Duration::from_secs(60), || async {
        let post = http.post(format!("{}/api/v3/execute", stack.url())).bearer_auth(client.token());
        let post = post.header("idempotency-key", format!("run-{number}")).header("content-type", "application/json");
        let answer = post.body(request.clone()).send().await.ok()?;
        assert!(answer.status() == 202 || answer.status() == 503, "{answer:?}");
        let body: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
        body["data"]["workflow_id"].as_str().map(str::to_owned)
    })
    .await
}

/// Tells one process after the other to stop, each once the one before is back.
async fn roll(stack: &Stack) -> usize {
    let mut told = 0;
    for component in ["worker-1", "api", "approver", "worker-2"].into_iter().cycle().take(8) {
        let before = stack.pid(component);
        stack.signal(component, Signal::TERM);
        told += 1;
        eventually("it is started again", Duration::from_secs(60), || async {
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
    let load = futures_util::stream::iter(0..WORKFLOWS)
        .map(|number| submit(http, stack, client, number))
        .buffered(LANES)
        .collect::<Vec<String>>();
    let (ids, told) = tokio::join!(load, roll(stack));
    assert_eq!(told, 8);

    eventually("the API is back", Duration::from_secs(30), || async {
        let health = http.get(format!("{}/health", stack.url())).send().await;
        health.is_ok_and(|answer| answer.status().is_success()).then_some(())
    })
    .await;
    let log = WorkflowLog::new(&broker_as(stack, "cli").await);
    for (number, id) in ids.iter().enumerate() {
        let done = client.until(id, "completed").await;
        assert_eq!(done["artifacts"]["test_results"]["stdout"], format!("run {number}\n"));
        let kinds: Vec<EventKind> = history(&log, id).await.iter().map(|entry| entry.happened.kind).collect();
        let once = [
            EventKind::Submitted,
            EventKind::Planned,
            EventKind::Generated,
            EventKind::Analyzed,
            EventKind::Executed,
            EventKind::GateReleased,
        ];
        assert_eq!(kinds, once, "workflow {number}");
    }
    for name in ["api", "approver", "worker-1", "worker-2"] {
        assert!(stack.log(name).contains("draining"), "{name} was not told to stop while it ran");
    }
}
