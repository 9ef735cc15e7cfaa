//! Dead letters over HTTP, and their re-queueing by operators.

use std::time::Duration;

use domain::workflow::PhaseKind;
use messaging::{Cause, Consumer, DeadLetters, Queue, RedriveError, consume, redrive};
use serde_json::{Value, json};
use service::clock::Clock;
use service::lifecycle::Lifecycle;
use test_support::wait_until;

use crate::stack::{Api, Stack};

/// Dead-letters every step that waits to be planned.
async fn give_up_planning(stack: &Stack, expected: usize) {
    let queue = Queue::new(&stack.broker, Consumer::Steps(PhaseKind::Plan));
    let (letters, life) = (DeadLetters::new(&stack.broker), Lifecycle::new());
    let writer = letters.clone();
    life.spawn(consume(queue, 1, life.clone(), move |delivery| {
        let letters = writer.clone();
        async move {
            delivery.dead_letter(&letters, Cause::Exhausted, "it was begun 10 times and never ended").await;
        }
    }));
    wait_until("the letters are written", async || letters.list(None, 0, 100).await.unwrap().len() == expected).await;
    life.stop();
    assert!(life.drained(Duration::from_secs(10)).await);
}

async fn page(api: &Api, token: &str, query: &str) -> Value {
    let (code, body) = api.get(&format!("/api/v3/admin/dead-letters{query}"), token).await;
    assert_eq!(code, 200, "{body}");
    body["data"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admins_see_dead_letters_without_payloads_and_delete_them() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let ann = api.token("ann").await;
    let first = api.submit(&ann).await;
    api.submit(&ann).await;
    give_up_planning(&stack, 2).await;
    let root = api.token("root").await;

    let begin = page(&api, &root, "?limit=1").await;
    assert_eq!(begin["dead_letters"][0]["workflow_id"], json!(first));
    let rest = page(&api, &root, &format!("?limit=1&cursor={}", begin["next_cursor"].as_str().unwrap())).await;
    assert_ne!(rest["dead_letters"][0]["workflow_id"], json!(first));
    assert_eq!((rest["dead_letters"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
    assert_eq!(page(&api, &root, "?cause=forged").await["dead_letters"], json!([]));
    assert_eq!(api.get("/api/v3/admin/dead-letters?cause=boredom", &root).await.0, 422);

    let path = format!("/api/v3/admin/dead-letters/{}", begin["dead_letters"][0]["id"]);
    let (code, shown) = api.get(&path, &root).await;
    assert_eq!((code, &shown["data"]["cause"], &shown["data"]["attempts"]), (200, &json!("exhausted"), &json!(1)));
    assert!(shown["data"]["headers"].to_string().contains("traceparent"), "{shown}");
    assert!(!shown.to_string().contains("adds two numbers"), "the goal is shown: {shown}");
    for name in ["vic", "ann", "bob"] {
        let token = api.token(name).await;
        for path in ["/api/v3/admin/dead-letters", &path] {
            assert_eq!(api.get(path, &token).await.0, 404, "{name}");
        }
        let refused = api.request("DELETE", &path).bearer_auth(&token).send().await.unwrap();
        assert_eq!(refused.status(), 404, "{name}");
    }

    wait_until("the metric counts them", async || {
        scrape(&api).await.contains(r#"promptcraft_dead_letters{cause="exhausted"} 2"#)
    })
    .await;
    for code in [200, 404] {
        assert_eq!(api.request("DELETE", &path).bearer_auth(&root).send().await.unwrap().status(), code);
    }
    assert_eq!(api.get(&path, &root).await.0, 404);
    assert_eq!(page(&api, &root, "").await["dead_letters"].as_array().unwrap().len(), 1);
    wait_until("the metric follows", async || {
        scrape(&api).await.contains(r#"promptcraft_dead_letters{cause="exhausted"} 1"#)
    })
    .await;
}

async fn scrape(api: &Api) -> String {
    let answer = api.client.get(format!("http://{}/metrics", api.metrics)).send().await.unwrap();
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_is_requeued_only_while_its_workflow_waits_for_it() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let ann = api.token("ann").await;
    let id = api.submit(&ann).await;
    give_up_planning(&stack, 1).await;
    let (letters, now) = (DeadLetters::new(&stack.broker), Clock::system().now());
    let letter = letters.list(None, 0, 10).await.unwrap().remove(0);

    let sequence = redrive(&stack.broker, letter.id, now).await.unwrap();
    let newest = stack.log.newest_from_leader(id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((newest.sequence, newest.happened.kind.as_str()), (sequence, "retried"));
    assert!(letters.get(letter.id).await.unwrap().is_none(), "the dead letter is removed");
    assert!(matches!(redrive(&stack.broker, letter.id, now).await, Err(RedriveError::Unknown)));

    // Back in its queue, dead-lettered again; then its workflow ends.
    give_up_planning(&stack, 1).await;
    let again = letters.list(None, letter.id, 10).await.unwrap().remove(0);
    assert_eq!(again.letter.sequence, sequence);
    assert_eq!(api.post(&format!("/api/v3/execute/cancel/{id}"), Some(&ann), &json!({})).await.0, 200);
    match redrive(&stack.broker, again.id, now).await {
        Err(RedriveError::MovedOn(reason)) => assert!(reason.contains("cancelled"), "{reason}"),
        other => panic!("an ended workflow was taken up again: {other:?}"),
    }
    assert!(letters.get(again.id).await.unwrap().is_some(), "it stays a dead letter");
}
