//! Workflows that are submitted while the stack is disturbed.

use std::time::Duration;

use domain::ids::EventId;
use serde_json::{Value, json};
use tests::{Answer, Client, eventually, run_request};

/// For an API or a broker that starts again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// For all workflows of a test, with two busy cores.
const END_TIMEOUT: Duration = Duration::from_secs(180);

/// Sends a request until an API answers it: the proxy answers 502 or 504 and an API 503 while something is unavailable.
async fn persist(client: &Client, method: &str, path: &str, key: &str, body: Option<&Value>) -> Answer {
    eventually("an answer", ANSWER_TIMEOUT, || async {
        let headers = [("idempotency-key", key)];
        let answer =
            client.send(method, path, &headers[..usize::from(body.is_some())], body.map(Value::to_string)).await;
        (answer.status < 500).then_some(answer)
    })
    .await
}

/// An accepted workflow.
pub(crate) struct Accepted {
    pub(crate) id: String,
    output: String,
}

/// Submits workflows at an interval, every second with a gate, and returns them: each was answered 202.
pub(crate) async fn submit(client: &Client, count: usize, interval: Duration) -> Vec<Accepted> {
    let mut accepted = Vec::new();
    for number in 0..count {
        let code = format!("import time\ntime.sleep(0.3)\nprint('number {number}')\n");
        let (key, body) = (EventId::fresh().to_string(), run_request(&code, number % 2 == 1));
        let answer = persist(client, "POST", "/api/v3/execute", &key, Some(&body)).await.expect(202);
        let id = answer["data"]["workflow_id"].as_str().expect("an id").to_owned();
        accepted.push(Accepted { id, output: format!("number {number}\n") });
        tokio::time::sleep(interval).await;
    }
    accepted
}

/// Approves what waits, and checks that every workflow completes with its own output.
pub(crate) async fn expect_all_completed(client: &Client, accepted: &[Accepted]) {
    for workflow in accepted {
        let path = format!("/api/v3/execute/status/{}", workflow.id);
        let done = eventually("the workflow ends", END_TIMEOUT, || async {
            let data = persist(client, "GET", &path, "", None).await.expect(200)["data"].clone();
            match data["status"].as_str() {
                Some("waiting_approval") => approve(client, &workflow.id, &data).await,
                Some("completed" | "failed" | "cancelled") => return Some(data),
                _ => {}
            }
            None
        })
        .await;
        assert_eq!(done["status"], "completed", "{done:#}");
        assert_eq!(done["artifacts"]["test_results"]["stdout"], workflow.output.as_str());
    }
}

async fn approve(client: &Client, id: &str, data: &Value) {
    let Some(approval) = data["pending_approvals"][0]["approval_id"].as_str() else { return };
    let body = json!({"workflow_id": id, "approval_id": approval, "decision": "approved"});
    let answer = persist(client, "POST", &format!("/api/v3/execute/approve/{id}"), approval, Some(&body)).await;
    // An earlier attempt may have been applied although its answer was lost.
    assert!([200, 404, 409].contains(&answer.status), "{}: {}", answer.status, answer.text);
}
