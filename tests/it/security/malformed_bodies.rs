//! Bodies with one changed field, at every POST of a whole stack: none returns a server error.

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tests::{Client, Stack, question_of, run_request};

const ROUNDS: usize = 40;

#[tokio::test]
async fn no_field_of_a_good_body_changed_to_anything_is_answered_with_a_server_error() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let seed: [u8; 16] = *domain::ids::EventId::fresh().as_uuid().as_bytes();
    println!("seed {seed:?}: set it here to repeat the run");
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::XorShift, &seed));
    let mut parked = park(&client).await;
    for _ in 0..ROUNDS {
        for (path, good) in good_bodies(&client, &parked) {
            let mut body = good.clone();
            let places = places(&body, String::new());
            let place = prop::sample::select(places).new_tree(&mut runner).expect("a place").current();
            let value = any_value().new_tree(&mut runner).expect("a value").current();
            *body.pointer_mut(&place).expect("it is there") = value;
            let answer = client.post(&path, &body).await;
            assert!(answer.status < 500, "{path} {body} {} {} seed {seed:?}", answer.status, answer.text);
        }
        if client.status(&parked.0).await["status"] != "waiting_approval" {
            parked = park(&client).await;
        }
    }
    for path in ["/api/v3/execute/cancel/".to_owned() + &parked.0, "/auth/revoke".to_owned()] {
        let body = any_value().new_tree(&mut runner).expect("a value").current();
        client.post(&path, &body).await.expect(200);
    }
    let client = stack.developer().await;
    let id = client.run("print('all is well')\n").await;
    client.until(&id, "completed").await;
}

/// Parks a workflow that asks for input, and returns the id of its question.
async fn park(client: &Client) -> (String, String) {
    let body = json!({"goal": "Fold a paper crane out of nothing but good will"});
    let id = client.execute(&body).await;
    let parked = client.until_within(&id, "waiting_approval", Duration::from_secs(60)).await;
    (id, question_of(&parked))
}

fn good_bodies(client: &Client, (id, approval): &(String, String)) -> Vec<(String, Value)> {
    let mut order = run_request("print(1)\n", false);
    order["options"] = json!({"include_artifacts": true, "enable_human_loop": true});
    let preferences = &mut order["context"]["execution_preferences"];
    for (name, value) in
        [("max_iterations", json!(2)), ("timeout_minutes", json!(1)), ("security_level", json!("strict"))]
    {
        preferences[name] = value;
    }
    let question = json!({
        "analysis_type": "security",
        "context": {"file_content": "eval(input())\n", "file_path": "a.py", "language": "python",
            "project_context": {"framework": "flask", "dependencies": ["flask"]}},
        "options": {"include_suggestions": true, "max_suggestions": 5, "severity_threshold": "low"},
    });
    let decision = json!({
        "workflow_id": id, "approval_id": approval, "decision": "approved", "comment": "go on", "code": "print(2)\n",
        "digest": "a".repeat(64),
    });
    vec![
        ("/api/v3/execute".to_owned(), order),
        ("/api/v3/analyze".to_owned(), question),
        (format!("/api/v3/execute/approve/{id}"), decision),
        ("/auth/token".to_owned(), json!({"username": "test_user", "password": "test_pass"})),
        ("/auth/refresh".to_owned(), json!({"refresh_token": client.refresh_token})),
    ]
}

/// Returns the JSON pointers of all values in a document.
fn places(value: &Value, at: String) -> Vec<String> {
    let inside: Vec<String> = match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| places(value, format!("{at}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, value)| places(value, format!("{at}/{index}"))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    [at].into_iter().chain(inside).collect()
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        Just(Value::from("x".repeat(70_000))),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,8}", inner), 0..4).prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}
