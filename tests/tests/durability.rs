//! Accepted means on disk: submissions that share their way to it, and a power cut that takes all else.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::json;
use tests::{Client, Stack, raw_broker_as};

/// Submits under a key; the answer is the workflow's id.
async fn submit(client: &Client, key: &str) -> String {
    let goal = json!({"goal": format!("Teach my cat to pilot a submarine, {key}")}).to_string();
    let answer = client.send("POST", "/api/v3/execute", &[("idempotency-key", key)], Some(goal)).await;
    answer.expect(202)["data"]["workflow_id"].as_str().expect("an id").to_owned()
}

/// How often each workflow was submitted according to the log, and how many submissions came in each batch.
async fn submitted(stack: &Stack) -> (BTreeMap<String, usize>, BTreeMap<String, usize>) {
    let context = async_nats::jetstream::new(raw_broker_as(stack, "cli").await);
    let mut stream = context.get_stream("WORKFLOWS").await.expect("the log");
    let last = stream.info().await.expect("the log").state.last_sequence;
    let (mut workflows, mut batches) = (BTreeMap::new(), BTreeMap::new());
    for sequence in 1..=last {
        let message = stream.get_raw_message(sequence).await.expect("a message");
        let Some(id) = message.subject.strip_prefix("wf.plan.std.") else { continue };
        *workflows.entry(id.to_owned()).or_default() += 1;
        if let Some(batch) = message.headers.get("Nats-Batch-Id") {
            *batches.entry(batch.as_str().to_owned()).or_default() += 1;
        }
    }
    (workflows, batches)
}

#[tokio::test]
async fn submissions_at_once_are_written_together_and_each_once() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    // While the broker stands still they gather. Every key comes twice: the second one meets the first and takes down its batch.
    stack.signal("nats", Signal::STOP);
    let keys: Vec<String> = (0..40).chain(0..40).map(|number| format!("key-{number}")).collect();
    let all = keys.iter().map(|key| submit(&client, key));
    let wake = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stack.signal("nats", Signal::CONT);
    };
    let (ids, ()) = tokio::join!(join_all(all), wake);
    let distinct: HashSet<&String> = ids.iter().collect();
    assert_eq!(distinct.len(), 40, "one workflow for each key");
    let (workflows, batches) = submitted(&stack).await;
    assert_eq!(workflows.len(), 40);
    assert!(workflows.values().all(|times| *times == 1), "{workflows:?}");
    assert!(distinct.iter().all(|id| workflows.contains_key(*id)));
    assert!(batches.values().any(|members| *members >= 8), "none were written together: {batches:?}");
}
