//! Redis faults: the API returns the log's state meanwhile, and the read model equals the log afterwards.

use std::sync::Mutex;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use tests::{Client, Options, Stack, differences, eventually, question_of, redis_answers, redis_command, run_request};

#[tokio::test]
async fn an_emptied_redis_is_filled_from_the_log_while_it_serves() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let done = client.run("print('done')\n").await;
    client.until(&done, "completed").await;
    let parked = client.execute(&run_request("print('parked')\n", true)).await;
    client.until(&parked, "waiting_approval").await;
    eventually("the view is up to date", Duration::from_secs(10), || async {
        differences(&stack).await.is_empty().then_some(())
    })
    .await;

    redis_command(&stack, &["FLUSHALL"]);
    assert_eq!(client.status(&done).await["status"], "completed");
    assert!(client.get("/api/v3/approvals").await.expect(200).to_string().contains(&parked));
    let list = client.get("/api/v3/execute?status=completed").await.expect(200).to_string();
    assert!(list.contains(&done) && !list.contains(&parked), "{list}");
    eventually("the view is rebuilt", Duration::from_secs(20), || async {
        differences(&stack).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_hangs_makes_answers_slower_and_not_wrong() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let before = client.run("print('before')\n").await;
    client.until(&before, "completed").await;
    stack.signal("redis", Signal::STOP);
    assert_eq!(client.status(&before).await["status"], "completed");
    let during = client.run("print('during')\n").await;
    let done = client.until(&during, "completed").await;
    assert_eq!(done["artifacts"]["test_results"]["stdout"], "during\n");
    // The supervisor may have replaced the hanging process already.
    redis_is_back(&stack);
    eventually("the view catches up", Duration::from_secs(40), || async {
        differences(&stack).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_api_that_heard_nothing_does_not_believe_a_redis_that_missed_writes() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('released')\n", true)).await;
    let parked = client.until(&id, "waiting_approval").await;
    let question = question_of(&parked);
    eventually("the view is up to date", Duration::from_secs(10), || async {
        differences(&stack).await.is_empty().then_some(())
    })
    .await;

    // As a replica it serves reads and refuses writes.
    redis_command(&stack, &["REPLICAOF", "127.0.0.1", "1"]);
    client.decide(&id, &question, "approved").await.expect(200);
    client.until(&id, "completed").await;
    assert!(!differences(&stack).await.is_empty(), "Redis missed it");
    stack.kill("api");
    eventually("the API is back", Duration::from_secs(30), || async {
        reqwest::get(format!("{}/health", stack.url())).await.ok()
    })
    .await;
    eventually("the API read a newer entry", Duration::from_secs(60), || async {
        let goal = json!({"goal": "Teach my cat to pilot a submarine"});
        (client.post("/api/v3/execute", &goal).await.status == 202).then_some(())
    })
    .await;
    for _ in 0..20 {
        assert_eq!(client.status(&id).await["status"], "completed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    redis_command(&stack, &["REPLICAOF", "NO", "ONE"]);
    eventually("the view catches up", Duration::from_secs(60), || async {
        differences(&stack).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(client.status(&id).await["status"], "completed");
}

fn redis_is_back(stack: &Stack) {
    if rustix::process::kill_process(stack.pid("redis"), Signal::CONT).is_err() {
        eprintln!("Redis was started anew");
    }
}

/// Submits workflows that fail at once for want of a generator, until it is dropped; their ids are kept.
async fn load(client: &Client, accepted: &Mutex<Vec<String>>) {
    loop {
        let goal = json!({"goal": "Teach my cat to pilot a submarine", "context": {"execution_preferences": {"require_approval": false}}});
        let id = client.execute(&goal).await;
        accepted.lock().expect("whole").push(id);
    }
}

/// Checks a client's view of one whole workflow, from the submission to the lists.
async fn answers_are_right(client: &Client, fault: &str) {
    let code = format!("print('during {fault}')\n");
    let id = client.run(&code).await;
    let done = client.until(&id, "completed").await;
    assert_eq!(done["artifacts"]["test_results"]["stdout"], format!("during {fault}\n"));
    let list = client.get("/api/v3/execute?status=completed&limit=100").await.expect(200).to_string();
    assert!(list.contains(&id), "{fault}: a completed workflow is not listed: {list}");
    let parked = client.execute(&run_request(&code, true)).await;
    let question = client.until(&parked, "waiting_approval").await;
    assert!(
        client.get("/api/v3/approvals").await.expect(200).to_string().contains(&parked),
        "{fault}: not in the inbox"
    );
    let approval = question["pending_approvals"][0]["approval_id"].as_str().expect("an id");
    client.decide(&parked, approval, "approved").await.expect(200);
    client.until(&parked, "completed").await;
}

#[tokio::test]
async fn whatever_befalls_redis_under_load_answers_stay_right() {
    let stack = Stack::start_with(Options::default().with("budget.per_user_day", "100000")).await;
    let client = stack.developer().await;
    let accepted = Mutex::default();
    let (nowhere, no_memory) =
        (["REPLICAOF", "127.0.0.1", "1"].as_slice(), ["CONFIG", "SET", "maxmemory", "1mb"].as_slice());
    let nothing: &[&str] = &["PING"];
    for (fault, begin, end) in [
        ("flushed", ["FLUSHALL"].as_slice(), nothing),
        ("killed", &["SHUTDOWN", "NOSAVE", "FORCE"], nothing),
        ("read-only", nowhere, &["REPLICAOF", "NO", "ONE"]),
        ("out of memory", no_memory, &["CONFIG", "SET", "maxmemory", "0"]),
    ] {
        let faulty = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            redis_command(&stack, begin);
            answers_are_right(&client, fault).await;
        };
        tokio::select! {
            () = load(&client, &accepted) => {}
            () = faulty => {}
        }
        eventually("Redis is back", Duration::from_secs(20), || async { redis_answers(&stack, end).then_some(()) })
            .await;
        eventually("the view equals the log", Duration::from_secs(60), || async {
            differences(&stack).await.is_empty().then_some(())
        })
        .await;
    }
    let accepted = accepted.into_inner().expect("whole");
    assert!(accepted.len() > 20, "there was hardly any load: {}", accepted.len());
    for id in &accepted {
        assert_eq!(client.until(id, "failed").await["error"]["code"], "no_generator");
    }
}
