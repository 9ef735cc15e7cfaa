//! `?wait=` of a submission.

use std::time::Duration;

use domain::ids::WorkflowId;
use serde_json::{Value, json};
use test_support::wait_until;
use tokio::time::Instant;

use crate::executions::park;
use crate::stack::{Api, Stack, goal, read};

/// Maximum requests of one user that wait at once.
const MAX_WAITING_PER_USER: usize = 32;

fn id_of(key: &str) -> WorkflowId {
    WorkflowId::for_key(&"ann".parse().unwrap(), key)
}

async fn submit_and_wait(api: &Api, token: &str, key: &str, wait: &str) -> (u16, Value) {
    let request = api.request("POST", &format!("/api/v3/execute?wait={wait}")).bearer_auth(token);
    read(request.header("idempotency-key", key).body(goal().to_string()).send().await.expect("an answer")).await
}

async fn until_stored(stack: &Stack, key: &str) {
    let id = id_of(key);
    wait_until("the submission is stored", async || {
        stack.log.newest_from_leader(id).await.is_ok_and(|newest| newest.is_some())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submission_is_answered_with_its_result_on_any_instance() {
    let stack = Stack::start().await;
    let (api, other) = (stack.api(&[]).await, stack.api(&[]).await);
    let token = api.token("ann").await;
    let decide = async {
        until_stored(&stack, "parks").await;
        park(&stack.log, &id_of("parks").to_string()).await;
    };
    let ((status, body), ()) = tokio::join!(submit_and_wait(&api, &token, "parks", "25s"), decide);
    assert_eq!((status, &body["status"]), (200, &json!("success")), "{body}");
    assert_eq!(body["data"]["status"], "waiting_approval");
    assert_eq!(body["data"]["workflow_id"], id_of("parks").to_string());

    let cancel = async {
        until_stored(&stack, "ends").await;
        let path = format!("/api/v3/execute/cancel/{}", id_of("ends"));
        assert_eq!(other.post(&path, Some(&token), &json!({})).await.0, 200);
    };
    let ((status, body), ()) = tokio::join!(submit_and_wait(&api, &token, "ends", "25"), cancel);
    assert_eq!((status, &body["data"]["status"]), (200, &json!("cancelled")), "{body}");

    let (status, repeated) = submit_and_wait(&other, &token, "ends", "25s").await;
    assert_eq!((status, &repeated["data"]["status"]), (200, &json!("cancelled")), "an end is answered at once");
    let began = Instant::now();
    let (status, body) = submit_and_wait(&api, &token, "goes-on", "1s").await;
    assert_eq!((status, &body["status"]), (202, &json!("accepted")));
    assert!(began.elapsed() >= Duration::from_secs(1), "it waited");
    let (status, _) = submit_and_wait(&api, &token, "too-long", "61s").await;
    assert_eq!(status, 422);
}

/// Otherwise clients that give up would use up the places, and with them the wait of everybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_requests_are_bounded_and_end_with_their_client() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let client = reqwest::Client::new();
    let open: Vec<_> = (0..MAX_WAITING_PER_USER)
        .map(|number| {
            let request = client.post(api.url("/api/v3/execute?wait=60s")).bearer_auth(&token);
            let request = request.header("idempotency-key", number.to_string()).body(goal().to_string());
            #[expect(clippy::disallowed_methods, reason = "aborted below")]
            tokio::spawn(request.send())
        })
        .collect();
    for number in 0..MAX_WAITING_PER_USER {
        until_stored(&stack, &number.to_string()).await;
    }
    let answered_within = async |token: &str, limit: Duration| {
        let request = api.request("POST", "/api/v3/execute?wait=2s").bearer_auth(token).body(goal().to_string());
        let began = Instant::now();
        assert_eq!(read(request.send().await.expect("an answer")).await.0, 202);
        began.elapsed() < limit
    };
    let at_once = Duration::from_millis(1_500);
    assert!(answered_within(&token, at_once).await, "no place is left");
    assert!(!answered_within(&api.token("eve").await, at_once).await, "another user has places");
    open.into_iter().for_each(|request| request.abort());
    drop(client);
    wait_until("the places of closed connections are free", async || !answered_within(&token, at_once).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_does_not_wait_for_results() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let stop = async {
        until_stored(&stack, "waits").await;
        api.life.stop();
        Instant::now()
    };
    let ((status, body), stopped) = tokio::join!(submit_and_wait(&api, &token, "waits", "25s"), stop);
    assert_eq!((status, &body["status"]), (202, &json!("accepted")), "the submission stays accepted");
    assert!(stopped.elapsed() < Duration::from_secs(5), "the drain waited");
}
