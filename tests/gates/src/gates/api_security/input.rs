//! Wrong inputs with a valid token.

use std::time::Duration;

use ::tests::{Client, run_request};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::probes::{Probes, send_patiently};

/// Longer than any accepted goal, shorter than any accepted body.
const LONG_GOAL_CHARS: usize = 10_001;
/// More than an accepted body.
const LARGE_BODY_BYTES: usize = 12 << 20;
const REFUSALS: [u16; 5] = [400, 404, 413, 415, 422];
/// Maximum wait for a workflow to ask for its approval.
const MAX_WAIT: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Sends each wrong input; it must be refused as such. At the end right ones must be accepted.
pub(super) async fn probe(client: &Client) -> Result<Probes, String> {
    let mut probes = Probes::default();
    for (name, path, body) in bodies() {
        let answer = send_patiently(client, "POST", path, Some(body)).await;
        book(&mut probes, &format!("POST {path} with {name}"), answer.status);
    }
    for path in PATHS {
        let answer = send_patiently(client, "GET", path, None).await;
        book(&mut probes, &format!("GET {path}"), answer.status);
    }
    let good = run_request("print('good')\n", false).to_string();
    let answer = send_patiently(client, "POST", "/api/v3/execute", Some(good)).await;
    probes.book("POST /api/v3/execute with a good body", answer.status, answer.status == 202, "202");
    probe_decisions(client, &mut probes).await?;
    Ok(probes)
}

/// Sends a decision that does not exist on a workflow that waits for one, then a right one, which must be accepted.
async fn probe_decisions(client: &Client, probes: &mut Probes) -> Result<(), String> {
    let parked = park(client).await?;
    let id = parked["workflow_id"].as_str().unwrap_or_default();
    let approval = &parked["pending_approvals"][0];
    let path = format!("/api/v3/execute/approve/{id}");
    let decision = |decision: &str| {
        json!({
            "workflow_id": id, "approval_id": approval["approval_id"], "decision": decision, "digest": approval["digest"],
        })
        .to_string()
    };
    let answer = send_patiently(client, "POST", &path, Some(decision("perhaps"))).await;
    book(probes, "POST a decision with an unknown name", answer.status);
    let answer = send_patiently(client, "POST", &path, Some(decision("approved"))).await;
    probes.book("POST a decision with a good body", answer.status, answer.status == 200, "200");
    Ok(())
}

/// Submits a script whose result waits for an approval; returns its status then.
async fn park(client: &Client) -> Result<Value, String> {
    let body = run_request("print('parked')\n", true).to_string();
    let accepted = send_patiently(client, "POST", "/api/v3/execute", Some(body)).await;
    let id = accepted.json()["data"]["workflow_id"].as_str().map(str::to_owned);
    let id = id.ok_or_else(|| format!("no workflow to decide about: {} {}", accepted.status, accepted.text))?;
    let give_up = Instant::now() + MAX_WAIT;
    loop {
        let answer = send_patiently(client, "GET", &format!("/api/v3/execute/status/{id}"), None).await;
        let state = answer.json()["data"].clone();
        if state["status"] == "waiting_approval" {
            return Ok(state);
        }
        if Instant::now() > give_up {
            return Err(format!("no workflow to decide about: {} {}", answer.status, answer.text));
        }
        sleep(POLL_INTERVAL).await;
    }
}

fn book(probes: &mut Probes, what: &str, status: u16) {
    probes.book(what, status, REFUSALS.contains(&status), "a refusal of the input");
}

const PATHS: [&str; 9] = [
    "/api/v3/execute/status/1'%20OR%20'1'='1",
    "/api/v3/execute/status/..%2f..%2fetc%2fpasswd",
    "/api/v3/execute/status/%00",
    "/api/v3/execute/018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3/artifacts/..%2f..%2fetc%2fpasswd",
    "/api/v3/execute?limit=abc",
    "/api/v3/execute?limit=-1",
    "/api/v3/execute?limit=1000000",
    "/api/v3/execute?cursor=%7Bwrong%7D",
    "/api/v3/execute?status=nonsense",
];

/// Returns name, path and body of each wrong input.
fn bodies() -> Vec<(&'static str, &'static str, String)> {
    let goal = |goal: Value| json!({"goal": goal}).to_string();
    let changed = |pointer: &str, value: Value| {
        let mut body = run_request("print(1)\n", false);
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        body.pointer_mut(parent).unwrap_or(&mut Value::Null)[name] = value;
        body.to_string()
    };
    let execute = "/api/v3/execute";
    let mut all = vec![
        ("text that is not JSON", execute, "{\"goal\": ".to_owned()),
        ("a list", execute, "[]".to_owned()),
        ("no goal", execute, "{}".to_owned()),
        ("an empty goal", execute, goal(json!(""))),
        ("a long goal", execute, goal(json!("x".repeat(LONG_GOAL_CHARS)))),
        ("a number as goal", execute, goal(json!(7))),
        (
            "deep nesting",
            execute,
            format!("{{\"goal\": \"Sort\", \"context\": {}1{}}}", "[".repeat(500), "]".repeat(500)),
        ),
        ("a large body", execute, goal(json!("x".repeat(LARGE_BODY_BYTES)))),
        ("an unknown mode", execute, changed("/context/execution_preferences/mode", json!("root"))),
        ("an unknown level", execute, changed("/context/execution_preferences/security_level", json!("none"))),
        ("negative iterations", execute, changed("/context/execution_preferences/max_iterations", json!(-1))),
        ("text as a flag", execute, changed("/context/execution_preferences/require_approval", json!("no"))),
    ];
    let analyze = "/api/v3/analyze";
    all.extend([
        ("no context", analyze, json!({"analysis_type": "general"}).to_string()),
        ("an unknown type", analyze, json!({"analysis_type": "x", "context": {"file_content": "a"}}).to_string()),
        (
            "a number as content",
            analyze,
            json!({"analysis_type": "general", "context": {"file_content": 1}}).to_string(),
        ),
    ]);
    all
}
