//! Traces, metrics and logs.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Options, Stack, eventually, run_request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_requests_ids_run_through_every_process() {
    let stack = Stack::start_with(Options::default().with("telemetry.log", "json")).await;
    let client = stack.developer().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let headers = [("x-request-id", "request-of-the-test"), ("traceparent", parent.as_str())];
    let body = run_request("print('traced')\n", false).to_string();
    let answer = client.send("POST", "/api/v3/execute", &headers, Some(body)).await;
    assert_eq!(answer.header("x-request-id"), "request-of-the-test");
    let id = answer.expect(202)["data"]["workflow_id"].as_str().expect("an id").to_owned();
    client.until(&id, "completed").await;
    for component in ["api", "worker-1", "approver"] {
        let log = stack.log(component);
        let told = |line: &&str| line.contains("request-of-the-test") && line.contains(trace);
        let line = log.lines().find(told).unwrap_or_else(|| panic!("{component} does not tell:\n{log}"));
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "not JSON: {line}");
        assert!(!log.contains("print('traced')"), "{component} logs the caller's code");
    }
}

#[tokio::test]
async fn every_process_serves_its_metrics() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.run("print(1)\n").await;
    client.until(&id, "completed").await;
    for (pointer, metric) in [
        ("/api_metrics_url", "promptcraft_"),
        ("/worker_metrics_urls/0", "promptcraft_steps_total{outcome=\"settled\",phase=\"execute\"}"),
        ("/approver_metrics_url", "promptcraft_gates_total"),
    ] {
        let text = reqwest::get(format!("{}/metrics", stack.text(pointer)))
            .await
            .expect("an answer")
            .text()
            .await
            .expect("text");
        assert!(text.contains(metric), "{pointer} lacks {metric}:\n{text}");
    }
}

/// Sends `count` requests without a token on one connection and reads all responses; the API may close it before.
async fn flood(stack: &Stack, count: usize) -> String {
    let address = stack.url().trim_start_matches("http://").to_owned();
    let (mut answers, mut requests) = TcpStream::connect(&address).await.expect("a connection").into_split();
    let mut text = Vec::new();
    let send = async {
        let request = format!("GET /x HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let last = format!("GET /x HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        drop(requests.write_all((request.repeat(count - 1) + &last).as_bytes()).await);
    };
    let (read, ()) = tokio::join!(answers.read_to_end(&mut text), send);
    read.expect("the API answers");
    String::from_utf8(text).expect("text")
}

#[tokio::test]
async fn a_flood_without_a_token_is_refused_and_leaves_few_lines() {
    const COUNT: usize = 20_000;
    const CONNECTIONS: usize = 500;
    let stack = Stack::start_with(Options::default().with("limits.profile", "standard")).await;
    let lines = |text: String| text.lines().count();
    let before = lines(stack.log("api"));
    let began = tokio::time::Instant::now();
    let answers = flood(&stack, COUNT).await;
    let count = |answers: &str, status: &str| answers.matches(&format!("HTTP/1.1 {status}")).count();
    assert!((1..COUNT / 2).contains(&count(&answers, "404")), "{}", count(&answers, "404"));
    assert_eq!(count(&answers, "429"), 1, "a refusal ends the connection");
    let mut refused = 0;
    for _ in 0..CONNECTIONS {
        refused += count(&flood(&stack, 1).await, "429");
    }
    assert!(refused > CONNECTIONS / 2, "{refused} of {CONNECTIONS} were refused");
    let is_reported = || {
        let log = stack.log("api");
        async move { log.contains("Access log: omitted").then_some(()) }
    };
    eventually("the omitted lines are counted", Duration::from_secs(20), is_reported).await;
    let written = lines(stack.log("api")) - before;
    let bound = 20 * (began.elapsed().as_secs() as usize + 2);
    assert!(written < bound, "{written} lines, where {bound} are the most");
    let client = stack.developer().await;
    client.get("/api/v3/execute").await.expect(200);
    let is_logged = || {
        let log = stack.log("api");
        async move { log.lines().last().is_some_and(|line| line.contains("/api/v3/execute")).then_some(()) }
    };
    eventually("the line of a caller with a token is written", Duration::from_secs(5), is_logged).await;
}

#[tokio::test]
async fn a_large_log_of_any_process_is_rotated_while_it_runs() {
    let stack = Stack::start().await;
    let components = ["nats", "redis", "approver", "worker-1", "api"];
    let path = |name: &str, part: &str| stack.directory().join(format!("logs/{name}.log{part}"));
    let pids = components.map(|name| stack.pid(name));
    for name in components {
        let log = std::fs::File::options().write(true).open(path(name, "")).expect("a log");
        log.set_len(65 << 20).expect("a sparse file");
    }
    let length = |path: std::path::PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
    let is_rotated = || {
        let done =
            components.iter().all(|name| length(path(name, "")) < 1 << 20 && length(path(name, ".1")) >= 64 << 20);
        async move { done.then_some(()) }
    };
    eventually("each log is rotated", Duration::from_secs(30), is_rotated).await;
    let client = stack.developer().await;
    client.get("/api/v3/execute").await.expect(200);
    let is_logged = || {
        let log = stack.log("api");
        async move { (log.contains("/api/v3/execute") && !log.contains('\0')).then_some(()) }
    };
    eventually("the API reads the log from its start", Duration::from_secs(5), is_logged).await;
    assert_eq!(components.map(|name| stack.pid(name)), pids, "no process was started again");
}

/// Submitted code and its output may be secret, so they must not be in logs.
#[tokio::test]
async fn no_log_repeats_what_was_submitted_or_printed() {
    let stack = Stack::start_with(Options::default().with(
        "telemetry.filter",
        "info,domain=debug,messaging=debug,read_model=debug,service=debug,api=debug,worker=debug,approver=debug,sandbox=debug,generator=debug,heimdall=debug",
    ))
    .await;
    let client = stack.developer().await;
    let code = "import sys\n# marker_in_code\nprint('marker_' + 'on_stdout')\nprint('marker_' + 'on_stderr', file=sys.stderr)\nraise ValueError('marker_' + 'in_traceback')\n";
    let mut request = run_request(code, true);
    request["goal"] = json!("Run this, it says marker_in_goal");
    let id = client.execute(&request).await;
    let parked = client.until(&id, "waiting_approval").await;
    let results = parked["artifacts"]["test_results"].to_string();
    for marker in ["marker_on_stdout", "marker_on_stderr", "marker_in_traceback"] {
        assert!(results.contains(marker), "{marker} was printed: {results}");
    }
    let approval = &parked["pending_approvals"][0]["approval_id"];
    let decision =
        json!({"workflow_id": id, "approval_id": approval, "decision": "rejected", "comment": "marker_in_comment"});
    client.post(&format!("/api/v3/execute/approve/{id}"), &decision).await.expect(200);
    client.until(&id, "failed").await;
    let analysis = json!({"context": {"file_content": "def marker_in_analysis(:\n"}, "analysis_type": "security"});
    client.post("/api/v3/analyze", &analysis).await.expect(200);
    client.post("/api/v3/execute", &json!({"goal": ["marker_in_refusal"]})).await.expect(422);
    let unserved = json!({"goal": "Teach marker_unserved to pilot a submarine", "context": {"execution_preferences": {"require_approval": false}}});
    let id = client.execute(&unserved).await;
    client.until(&id, "failed").await;
    client.post("/auth/token", &json!({"username": "test_user", "password": "marker_in_password"})).await.expect(401);
    tests::audit_log(&stack).await;
    let logs = stack.logs();
    assert!(logs.iter().any(|(_, text)| text.contains(&id)), "the logs tell of the work");
    for (name, text) in logs {
        let line = text.lines().find(|line| line.contains("marker_"));
        assert_eq!(line, None, "{name}");
    }
    assert_eq!(client.status(&id).await["artifacts"]["test_results"], Value::Null);
}
