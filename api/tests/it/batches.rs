//! `POST /api/v3/execute/batch`.

use serde_json::{Value, json};

use crate::stack::{Api, Stack, goal};

const PATH: &str = "/api/v3/execute/batch";

async fn send(api: &Api, token: &str, submissions: Vec<Value>) -> (u16, Value) {
    api.post(PATH, Some(token), &json!({ "submissions": submissions })).await
}

fn statuses(body: &Value) -> Vec<u64> {
    body["data"]["results"].as_array().unwrap().iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

fn ids(body: &Value) -> Vec<String> {
    let results = body["data"]["results"].as_array().unwrap();
    results.iter().filter_map(|result| result["data"]["workflow_id"].as_str().map(str::to_owned)).collect()
}

fn with_key(key: &str, goal: &str) -> Value {
    json!({"goal": goal, "idempotency_key": key})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_submission_is_answered_by_itself() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let secret = "sesame-open";
    let (status, body) = send(
        &api,
        &token,
        vec![goal(), json!({"goal": 7}), json!([secret]), json!({"goal": secret, "options": 1}), goal()],
    )
    .await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(statuses(&body), [202, 422, 422, 422, 202]);
    assert_eq!((&body["data"]["accepted"], &body["data"]["refused"]), (&json!(2), &json!(3)));
    assert!(!body.to_string().contains(secret), "{body}");
    let results = &body["data"]["results"];
    assert_eq!(results[1]["error"]["errors"][0]["field"], "goal");
    for id in ids(&body) {
        assert_eq!(api.get(&format!("/api/v3/execute/status/{id}"), &token).await.0, 200);
    }
    for wrong in [json!({}), json!([]), json!({"submissions": []}), json!({"submissions": vec![goal(); 101]})] {
        assert_eq!(api.post(PATH, Some(&token), &wrong).await.0, 422, "{wrong:.80}");
    }
    assert_eq!(send(&api, &token, vec![goal(); 100]).await.1["data"]["accepted"], 100);
    assert_eq!(send(&api, &api.token("vic").await, vec![goal()]).await.0, 403);
    assert_eq!(api.post(PATH, None, &json!({})).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_batch_stores_nothing_twice() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let adds = "Write a function that adds two numbers";
    let items = vec![with_key("a", adds), with_key("b", adds), with_key("a", adds), with_key("a", "Another goal")];
    let (_, first) = send(&api, &token, items.clone()).await;
    assert_eq!(statuses(&first), [202, 202, 202, 422], "{first}");
    let of_first = ids(&first);
    assert_eq!(of_first[0], of_first[2], "one key is one workflow, also within a batch");
    assert_ne!(of_first[0], of_first[1]);
    let (_, again) = send(&api, &token, items).await;
    assert_eq!(ids(&again), of_first);
    assert!(again["data"]["results"].as_array().unwrap()[..3].iter().all(|result| result["replayed"] == true));

    let request = api.request("POST", "/api/v3/execute").bearer_auth(&token).header("idempotency-key", "b");
    let alone = request.body(json!({ "goal": adds }).to_string()).send().await.unwrap();
    assert_eq!(alone.headers()["idempotency-replayed"], "true", "a key means the same in both calls");

    let with_header = async |items: Vec<Value>| {
        let request = api.request("POST", PATH).bearer_auth(&token).header("idempotency-key", "all");
        crate::stack::read(request.body(json!({ "submissions": items }).to_string()).send().await.unwrap()).await.1
    };
    let (one, two) = (with_header(vec![goal(), goal()]).await, with_header(vec![goal(), goal()]).await);
    assert_eq!((ids(&one).len(), ids(&one)), (2, ids(&two)));
    assert_ne!(ids(&one)[0], ids(&one)[1], "equal submissions of a batch are different workflows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_submission_costs_one_token_in_their_order() {
    let stack = Stack::start().await;
    let api = stack.api(&[("limits.profile", "standard"), ("limits.execute", "4/1")]).await;
    let token = api.token("ann").await;
    let items: Vec<Value> =
        (0..6).map(|number| with_key(&number.to_string(), &format!("Goal number {number}"))).collect();
    let (status, body) = send(&api, &token, items.clone()).await;
    assert_eq!((status, statuses(&body)), (200, vec![202, 202, 202, 202, 429, 429]), "{body}");
    let refused = body["data"]["results"][5]["error"]["detail"].as_str().unwrap();
    assert!(refused.contains("Rate limit exceeded"), "{refused}");
    let (status, _) = send(&api, &token, items).await;
    assert_eq!(status, 429, "without a token the whole call is refused");
}
