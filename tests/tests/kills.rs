//! Processes that die without warning, and workflows that end as if nothing had happened.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tests::{Client, Options, Stack, eventually, long_program, run_request};

async fn until_it_runs(stack: &Stack, client: &Client, id: &str) {
    eventually("the program runs", Duration::from_secs(20), || async {
        let data = client.status(id).await;
        (data["current_step"].as_u64() >= Some(4) && stack.running_steps().await > 0).then_some(())
    })
    .await;
}

async fn history(client: &Client, id: &str) -> Vec<String> {
    let answer = client.get(&format!("/api/v3/execute/{id}/events")).await;
    answer
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("event: ").or(line.strip_prefix("event:")))
        .map(|kind| kind.trim().to_owned())
        .collect()
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_of_a_step_is_replaced_by_another() {
    let stack = Stack::start_with(Options { workers: 2, ..Options::default() }).await;
    let client = stack.developer().await;
    let id = client.run(&long_program(4)).await;
    until_it_runs(&stack, &client, &id).await;
    for worker in ["worker-1", "worker-2"] {
        stack.kill(worker);
    }
    let done = client.until(&id, "completed").await;
    assert_eq!(done["artifacts"]["test_results"]["stdout"], "begun\nended\n");
    let events = history(&client, &id).await;
    assert_eq!(events.iter().filter(|kind| *kind == "executed").count(), 1, "{events:?}");
}

#[tokio::test]
async fn a_worker_paused_beyond_its_turn_does_not_commit_twice() {
    let stack = Stack::start_with(Options { workers: 2, ..Options::default() }).await;
    let client = stack.developer().await;
    let ids: Vec<String> = {
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(client.run(&long_program(1)).await);
        }
        ids
    };
    until_it_runs(&stack, &client, &ids[0]).await;
    stack.signal("worker-1", Signal::STOP);
    tokio::time::sleep(Duration::from_secs(5)).await;
    stack.signal("worker-1", Signal::CONT);
    for id in &ids {
        client.until(id, "completed").await;
        let events = history(&client, id).await;
        assert_eq!(events.iter().filter(|kind| *kind == "executed").count(), 1, "{events:?}");
        assert_eq!(events.iter().filter(|kind| *kind == "gate_released").count(), 1, "{events:?}");
    }
}

#[tokio::test]
async fn an_approver_killed_while_a_workflow_is_parked_forgets_nothing() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('kept')\n", true)).await;
    let parked = client.until(&id, "waiting_approval").await;
    stack.kill("approver");
    let approval = parked["pending_approvals"][0]["approval_id"].as_str().expect("an id").to_owned();
    eventually("a decision is taken", Duration::from_secs(30), || async {
        let answer = client.decide(&id, &approval, "approved").await;
        // Nobody home: tried again. Applied although the answer was lost: decided already.
        matches!(answer.status, 200 | 409).then_some(())
    })
    .await;
    assert_eq!(client.until(&id, "completed").await["artifacts"]["test_results"]["stdout"], "kept\n");
}

#[tokio::test]
async fn an_api_killed_after_its_answer_has_kept_its_word() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(client.run("print('kept')\n").await);
    }
    stack.kill("api");
    let client = eventually("the API is back", Duration::from_secs(30), || async {
        let health = reqwest::get(format!("{}/health", stack.url())).await;
        health.is_ok_and(|answer| answer.status().is_success()).then(|| client.clone())
    })
    .await;
    for id in &ids {
        assert_eq!(client.until(id, "completed").await["artifacts"]["test_results"]["stdout"], "kept\n");
    }
}

#[tokio::test]
async fn everything_killed_at_once_after_the_answer_loses_nothing() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(client.run(&long_program(1)).await);
    }
    for component in ["nats", "redis", "api", "approver", "worker-1"] {
        stack.kill(component);
    }
    eventually("the stack is back", Duration::from_secs(60), || async {
        let health = reqwest::get(format!("{}/health", stack.url())).await;
        health.is_ok_and(|answer| answer.status().is_success()).then_some(())
    })
    .await;
    for id in &ids {
        assert_eq!(client.until(id, "completed").await["artifacts"]["test_results"]["stdout"], "begun\nended\n");
    }
}

#[tokio::test]
async fn a_worker_told_to_stop_hands_back_what_it_cannot_finish() {
    let stack = Stack::start_with(Options::default().with("worker.drain", "1s")).await;
    let client = stack.developer().await;
    let id = client.run(&long_program(12)).await;
    until_it_runs(&stack, &client, &id).await;
    stack.signal("worker-1", Signal::TERM);
    let done = client.until(&id, "completed").await;
    assert_eq!(done["artifacts"]["test_results"]["stdout"], "begun\nended\n");
    assert_eq!(done["error"], Value::Null);
    assert!(stack.log("worker-1").contains("handed back"), "the worker finished the step, or was killed");
}

#[tokio::test]
async fn a_stack_told_to_stop_leaves_no_process_behind() {
    let mut stack = Stack::start().await;
    let client = stack.developer().await;
    client.run(&long_program(60)).await;
    let pids: Vec<_> = ["nats", "redis", "api", "approver", "worker-1"].map(|name| stack.pid(name)).into();
    assert!(stack.stop().await, "the stack ended badly");
    for pid in pids {
        assert!(rustix::process::test_kill_process(pid).is_err(), "{pid:?} is left");
    }
    let left = std::process::Command::new("pgrep")
        .args(["-f", stack.directory().to_str().expect("text")])
        .output()
        .expect("pgrep");
    assert!(left.stdout.is_empty(), "left: {}", String::from_utf8_lossy(&left.stdout));
}
