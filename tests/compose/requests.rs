//! What a client sees through the proxy.

use std::time::Duration;

use serde_json::json;
use tests::{long_program, question_of, run_request};

use crate::containers::{compose, developer, stranger};

/// For an event that is on its way, on a busy machine.
const EVENT_TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn a_workflow_with_an_approval_is_delivered() {
    let client = developer().await;
    let id = client.execute(&run_request("print(6 * 7)\n", true)).await;
    let parked = client.until(&id, "waiting_approval").await;
    client.decide(&id, &question_of(&parked), "approved").await.expect(200);
    let done = client.until(&id, "completed").await;
    assert_eq!(done["artifacts"]["test_results"]["stdout"], "42\n");
    let artifact = client.get(&format!("/api/v3/execute/{id}/artifacts/test_results")).await;
    assert!(artifact.expect(200).to_string().contains("42"), "{}", artifact.text);
}

#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn code_is_analysed() {
    let client = developer().await;
    let code = "def find(cursor, name):\n    cursor.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n";
    let body = json!({"analysis_type": "security", "context": {"file_content": code, "language": "python"}});
    let answer = client.post("/api/v3/analyze", &body).await.expect(200);
    assert!(answer["data"]["suggestions"].to_string().contains("SQL injection"), "{answer:#}");
}

/// Reads events until one contains the text.
async fn read_until(stream: &mut reqwest::Response, expected: &str) {
    let mut text = String::new();
    let read = async {
        while !text.contains(expected) {
            let part = stream.chunk().await.expect("the stream is open").expect("it has not ended");
            text.push_str(&String::from_utf8_lossy(&part));
        }
    };
    let arrived = tokio::time::timeout(EVENT_TIMEOUT, read).await;
    assert!(arrived.is_ok(), "{expected} has not arrived: {text}");
}

/// A proxy that collects or cuts the stream fails this: the end of the run must arrive before the decision is sent.
#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn events_arrive_at_once() {
    let client = developer().await;
    let id = client.execute(&run_request(&long_program(2), true)).await;
    let url = format!("{}/api/v3/execute/{id}/events", client.base());
    let request = reqwest::Client::new().get(url).bearer_auth(client.token());
    let mut stream = request.send().await.expect("a response").error_for_status().expect("a stream");
    read_until(&mut stream, "event: executed").await;
    let parked = client.until(&id, "waiting_approval").await;
    client.decide(&id, &question_of(&parked), "approved").await.expect(200);
    read_until(&mut stream, "event: decided").await;
}

#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn the_host_is_kept_and_checked() {
    let stranger = stranger();
    stranger.get("/ready").await.expect(200);
    assert_eq!(stranger.send("GET", "/ready", &[("host", "evil.example")], None).await.status, 421);
}

/// The API's own answer, not the proxy's page.
#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn a_large_body_is_refused_by_the_api() {
    let client = developer().await;
    let answer = client.post("/api/v3/execute", &run_request(&"#".repeat(12 << 20), false)).await;
    assert_eq!((answer.status, answer.header("content-type")), (413, "application/problem+json"));
}

#[tokio::test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
async fn an_operator_administers_from_a_container() {
    let users = compose(&["run", "--rm", "-T", "operator", "admin", "user", "list"]);
    assert!(users.contains("test_user"), "{users}");
}
