//! `/livez` and `/readyz` of every process, with real outages.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tests::{Options, Stack, eventually, long_program, run_request};

const PROCESSES: [(&str, &str); 3] =
    [("api", "/api_metrics_url"), ("worker-1", "/worker_metrics_urls/0"), ("approver", "/approver_metrics_url")];

/// Returns status and body of a probe; status 0 without an answer.
async fn probe(stack: &Stack, pointer: &str, path: &str) -> (u16, Value) {
    match reqwest::get(format!("{}{path}", stack.text(pointer))).await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap_or_default();
            (status, serde_json::from_str(&text).unwrap_or_default())
        }
        Err(_) => (0, Value::Null),
    }
}

/// Waits until `/readyz` answers with `status`; returns its body.
async fn until_ready_is(stack: &Stack, pointer: &str, status: u16, limit: Duration) -> Value {
    eventually("the probe changes", limit, || async {
        let (found, body) = probe(stack, pointer, "/readyz").await;
        (found == status).then_some(body)
    })
    .await
}

#[tokio::test]
async fn without_the_broker_a_process_is_alive_and_not_ready() {
    let stack = Stack::start().await;
    for (name, pointer) in PROCESSES {
        let body = until_ready_is(&stack, pointer, 200, Duration::from_secs(10)).await;
        assert_eq!(body, json!({"status": "ready"}), "{name}");
        assert_eq!(probe(&stack, pointer, "/livez").await, (200, json!({"status": "alive"})), "{name}");
    }
    stack.signal("nats", Signal::STOP);
    for (name, pointer) in PROCESSES {
        let body = until_ready_is(&stack, pointer, 503, Duration::from_secs(8)).await;
        let missing = body["missing"].as_array().expect("a list");
        assert!(missing.contains(&json!("broker: no answer")), "{name}: {body}");
        assert_eq!(probe(&stack, pointer, "/livez").await.0, 200, "{name} is alive");
    }
    // The supervisor may have restarted the broker meanwhile.
    stack.signal("nats", Signal::CONT);
    for (_, pointer) in PROCESSES {
        until_ready_is(&stack, pointer, 200, Duration::from_secs(30)).await;
    }
}

#[tokio::test]
async fn a_draining_worker_is_alive_and_not_ready() {
    let stack = Stack::start_with(Options::default().with("worker.drain", "10s")).await;
    let client = stack.developer().await;
    client.execute(&run_request(&long_program(60), false)).await;
    let is_running = || async { (stack.interpreters_below("worker-1") > 0).then_some(()) };
    eventually("the program runs", Duration::from_secs(20), is_running).await;
    stack.signal("worker-1", Signal::TERM);
    let pointer = "/worker_metrics_urls/0";
    let body = until_ready_is(&stack, pointer, 503, Duration::from_secs(5)).await;
    assert_eq!(body["missing"][0], "draining", "{body}");
    assert_eq!(probe(&stack, pointer, "/livez").await.0, 200);
}

#[tokio::test]
async fn without_redis_every_process_stays_ready() {
    let stack = Stack::start().await;
    stack.signal("redis", Signal::STOP);
    let is_noticed = || async {
        let text = reqwest::get(format!("{}/metrics", stack.text("/api_metrics_url"))).await.ok()?.text().await.ok()?;
        text.contains("\npromptcraft_redis_up 0\n").then_some(())
    };
    eventually("the gauge falls", Duration::from_secs(8), is_noticed).await;
    for (name, pointer) in PROCESSES {
        assert_eq!(probe(&stack, pointer, "/readyz").await.0, 200, "{name}");
    }
    stack.signal("redis", Signal::CONT);
}

/// A process that had been ready for 5 s starts again at once, however often it was killed before.
#[tokio::test]
async fn kills_that_are_spread_out_cost_no_delay() {
    let stack = Stack::start().await;
    for round in 0..5 {
        tokio::time::sleep(Duration::from_millis(5_500)).await;
        let component = if round == 2 { "approver" } else { "worker-1" };
        let before = stack.pid(component);
        stack.kill(component);
        let began = tokio::time::Instant::now();
        let is_started = || async { (stack.pid(component) != before).then_some(()) };
        eventually("it is started again", Duration::from_secs(20), is_started).await;
        let delay = began.elapsed();
        assert!(delay < Duration::from_millis(800), "kill {round} of {component}: {delay:?}");
        for (_, pointer) in PROCESSES {
            until_ready_is(&stack, pointer, 200, Duration::from_secs(20)).await;
        }
    }
    let log = std::fs::read_to_string(stack.directory().join("up.log")).expect("a log");
    assert_eq!(log.matches("restarts at once").count(), 5, "{log}");
}
