//! Messages that no process can handle: kept whole, shown to operators and admins, and never counted as done.

use std::time::Duration;

use async_nats::HeaderMap;
use tests::{Stack, Terminal, eventually, raw_broker_as, run_request};

/// Returns the output of a command that must succeed.
fn said(stack: &Stack, words: &[&str]) -> String {
    Terminal::new(stack).run(words).well().to_owned()
}

/// Returns the id of the only dead letter whose subject contains `text`.
fn letter(stack: &Stack, text: &str) -> Option<String> {
    let list = said(stack, &["admin", "dead-letters", "list"]);
    let mut lines = list.lines().filter(|line| line.contains(text));
    let id = lines.next()?.split_whitespace().next()?.to_owned();
    assert_eq!(lines.next(), None, "one message is one letter, however many read it: {list}");
    Some(id)
}

async fn publish(stack: &Stack, user: &str, subject: String, headers: HeaderMap, payload: &'static [u8]) {
    let client = raw_broker_as(stack, user).await;
    client.publish_with_headers(subject, headers, payload.into()).await.expect("sent");
    client.flush().await.expect("flushed");
}

#[tokio::test]
async fn what_nobody_can_read_is_kept_and_its_workflow_stays_ended() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('parked')\n", true)).await;
    client.until(&id, "waiting_approval").await;
    let mut headers = HeaderMap::new();
    headers.insert("Told", "by a worker");
    publish(&stack, "worker", format!("wf.generate.std.{id}"), headers, b"garbage").await;
    let failed = client.until(&id, "failed").await;
    assert_eq!(failed["error"]["code"], "tampered");

    let letter = eventually("the letter is written", Duration::from_secs(20), || async { letter(&stack, &id) }).await;
    assert!(said(&stack, &["admin", "dead-letters", "list", "--cause", "unreadable"]).contains(&id));
    let shown = said(&stack, &["admin", "dead-letters", "show", &letter]);
    assert!(shown.contains(&id) && shown.contains("by a worker"), "{shown}");
    assert_eq!(said(&stack, &["admin", "dead-letters", "show", &letter, "--payload"]), "garbage");
    Terminal::new(&stack).run(&["admin", "dead-letters", "retry", &letter]).refused(1, "failed (tampered)");
    assert_eq!(client.status(&id).await["status"], "failed");

    eventually("the metric counts it", Duration::from_secs(20), || async {
        let metrics = reqwest::get(format!("{}/metrics", stack.text("/api_metrics_url"))).await.expect("metrics");
        let text = metrics.text().await.expect("text");
        text.contains(r#"promptcraft_dead_letters{cause="unreadable"} 1"#).then_some(())
    })
    .await;
    let admin = admin(&stack).await;
    let path = format!("/api/v3/admin/dead-letters/{letter}");
    assert_eq!(admin.get(&path).await.expect(200)["data"]["cause"], "unreadable");
    client.get(&path).await.expect(404);
    admin.send("DELETE", &path, &[], None).await.expect(200);
    assert_eq!(self::letter(&stack, &id), None);

    publish(&stack, "worker", format!("wf.generate.std.{id}"), HeaderMap::new(), b"garbage once more").await;
    let second = eventually("the second dead letter is written", Duration::from_secs(20), || async {
        self::letter(&stack, &id)
    })
    .await;
    let terminal = Terminal::new(&stack);
    // One that is not there keeps no other from being dropped.
    let dropped = terminal.run(&["admin", "dead-letters", "drop", &letter, &second]);
    assert_eq!((dropped.code, dropped.out), (1, format!("{letter}: not found\n{second}: dropped\n")));
    assert_eq!(said(&stack, &["admin", "dead-letters", "list"]), "No dead letters.\n");
    terminal.run(&["admin", "dead-letters", "show", &second]).refused(1, "dead letter not found");
    assert_eq!(client.status(&id).await["status"], "failed");
}

/// Signs in as a new user with the role admin.
async fn admin(stack: &Stack) -> tests::Client {
    Terminal::new(stack)
        .run_with_input(&["admin", "user", "add", "root", "--role", "admin"], "a long password\n")
        .well();
    eventually("the API knows the admin", Duration::from_secs(10), || async {
        let body = serde_json::json!({"username": "root", "password": "a long password"});
        let answer = stack.stranger().post("/auth/token", &body).await;
        let token = answer.json()["access_token"].as_str().map(str::to_owned)?;
        Some(stack.stranger().with_token(&token))
    })
    .await
}

#[tokio::test]
async fn a_timer_that_no_approver_knows_waits_for_one_that_does() {
    let stack = Stack::start().await;
    let id = "018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";
    publish(&stack, "approver", format!("timers.fired.reminder.{id}"), HeaderMap::new(), b"").await;
    let first = eventually("it is given up", Duration::from_secs(90), || async { letter(&stack, id) }).await;
    assert!(said(&stack, &["admin", "dead-letters", "retry", &first]).contains("retried at sequence"));
    assert_eq!(letter(&stack, id), None, "it is on its way again");
    let metrics = reqwest::get(format!("{}/metrics", stack.text("/approver_metrics_url"))).await.expect("metrics");
    let text = metrics.text().await.expect("text");
    assert!(text.contains(r#"promptcraft_dead_letters_total{cause="unreadable"} 1"#), "{text}");
}

#[tokio::test]
async fn a_timer_of_a_kind_that_was_removed_is_dropped() {
    let stack = Stack::start().await;
    let id = "018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";
    publish(&stack, "approver", format!("timers.fired.repeat.{id}"), HeaderMap::new(), b"").await;
    let broker = async_nats::jetstream::new(raw_broker_as(&stack, "cli").await);
    // Other timers are retried for half a minute.
    eventually("it was stored and removed", Duration::from_secs(15), || async {
        let stream = broker.get_stream("TIMERS").await.expect("a stream");
        let state = &stream.cached_info().state;
        (state.last_sequence > 0 && state.messages == 0).then_some(())
    })
    .await;
    assert_eq!(letter(&stack, id), None);
}
