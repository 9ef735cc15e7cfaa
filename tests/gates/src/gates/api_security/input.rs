//! Wrong inputs with a valid token.

use ::tests::{Client, run_request};
use serde_json::{Value, json};

use super::probes::{Probes, send_patiently, send_with};

/// Longer than any accepted goal, shorter than any accepted body.
const LONG_GOAL_CHARS: usize = 10_001;
/// More than an accepted body.
const LARGE_BODY_BYTES: usize = 12 << 20;
const REFUSALS: [u16; 5] = [400, 404, 413, 415, 422];

/// Sends each wrong input; it must be refused as such. At the end a right one must be accepted.
pub(super) async fn probe(client: &Client) -> Probes {
    let mut probes = Probes::default();
    for (name, path, body) in bodies() {
        let answer = send_patiently(client, "POST", path, Some(body)).await;
        book(&mut probes, &format!("POST {path} with {name}"), answer.status);
    }
    for path in PATHS {
        let answer = send_patiently(client, "GET", path, None).await;
        book(&mut probes, &format!("GET {path}"), answer.status);
    }
    let text = [("content-type", "text/plain")];
    let answer = send_with(client, "POST", "/api/v3/execute", &text, None).await;
    book(&mut probes, "POST /api/v3/execute as text/plain", answer.status);
    let good = run_request("print('good')\n", false).to_string();
    let answer = send_patiently(client, "POST", "/api/v3/execute", Some(good)).await;
    probes.book("POST /api/v3/execute with a good body", answer.status, answer.status == 202, "202");
    probes
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
    let approve = "/api/v3/execute/approve/018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";
    all.push(("an unknown decision", approve, json!({"decision": "perhaps"}).to_string()));
    all
}
