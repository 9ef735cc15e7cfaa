//! What operators see.

use tests::{Options, Stack, run_request};

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
