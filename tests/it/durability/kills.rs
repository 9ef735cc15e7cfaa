//! Processes that are killed: workflows end as if nothing had happened.

use std::time::Duration;

use domain::workflow::{EventKind, PhaseKind};
use messaging::WorkflowLog;
use rustix::process::Signal;
use serde_json::Value;
use tests::{Client, Options, Stack, broker_as, eventually, history, long_program, question_of, run_request};

async fn until_it_runs(stack: &Stack, client: &Client, id: &str) {
    eventually("the program runs", Duration::from_secs(20), || async {
        let data = client.status(id).await;
        (data["current_step"].as_u64() >= Some(4) && stack.running_steps().await > 0).then_some(())
    })
    .await;
}

/// Returns how often the workflow was executed and released according to the log, because a client sees the first end
/// only.
async fn commits(log: &WorkflowLog, id: &str) -> [usize; 2] {
    let entries = history(log, id).await;
    let count = |kind| entries.iter().filter(|entry| entry.happened.kind == kind).count();
    [count(EventKind::Executed), count(EventKind::GateReleased)]
}

async fn log_of(stack: &Stack) -> WorkflowLog {
    WorkflowLog::new(&broker_as(stack, "cli").await)
}

/// Tries for a test that must act at the right moment on a busy machine.
const TRIES: usize = 5;

#[tokio::test]
async fn a_worker_killed_in_the_middle_of_a_step_is_replaced_by_another() {
    let stack = Stack::start_with(Options { workers: 2, ..Options::default() }).await;
    let client = stack.developer().await;
    let log = log_of(&stack).await;
    for _ in 0..TRIES {
        let id = client.run(&long_program(4)).await;
        until_it_runs(&stack, &client, &id).await;
        for worker in ["worker-1", "worker-2"] {
            stack.kill(worker);
        }
        let newest = log.newest_from_leader(id.parse().expect("an id")).await.expect("the log").expect("a workflow");
        let done = client.until(&id, "completed").await;
        assert_eq!(done["artifacts"]["test_results"]["stdout"], "begun\nended\n");
        assert_eq!(commits(&log, &id).await, [1, 1]);
        if newest.workflow.phase.kind() == PhaseKind::Execute {
            return;
        }
    }
    panic!("every kill came too late");
}

/// Returns the number of a worker that runs one of these workflows in the sandbox; `None` if all ended before.
async fn busy_worker(stack: &Stack, client: &Client, ids: &[String]) -> Option<usize> {
    eventually("a worker is busy", Duration::from_secs(60), || async {
        let (mut begun, mut ended) = (0, 0);
        for id in ids {
            let data = client.status(id).await;
            begun += usize::from(data["current_step"].as_u64() >= Some(4));
            ended += usize::from(data["status"] == "completed");
        }
        for number in [1, 2] {
            if begun == ids.len() && stack.running_steps_of(number).await > 0 {
                return Some(Some(number));
            }
        }
        (ended == ids.len()).then_some(None)
    })
    .await
}

async fn ended_runs(stack: &Stack, worker: usize) -> u32 {
    let mut ended = 0;
    for outcome in ["settled", "retried"] {
        let name = format!("promptcraft_steps_total{{outcome=\"{outcome}\",phase=\"execute\"}}");
        ended += stack.worker_metric(worker, &name).await;
    }
    ended
}

#[tokio::test]
async fn a_worker_paused_beyond_its_turn_does_not_commit_twice() {
    let stack = Stack::start_with(Options { workers: 2, ..Options::default() }).await;
    let (client, log) = (stack.developer().await, log_of(&stack).await);
    for _ in 0..TRIES {
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(client.run(&long_program(3)).await);
        }
        let Some(number) = busy_worker(&stack, &client, &ids).await else { continue };
        let (worker, before) = (format!("worker-{number}"), ended_runs(&stack, number).await);
        stack.signal(&worker, Signal::STOP);
        for id in &ids {
            client.until(id, "completed").await;
        }
        stack.signal(&worker, Signal::CONT);
        // It ends now, too late, the steps that it held during the pause. Without such steps there is nothing to wait
        // for.
        let late = async {
            while ended_runs(&stack, number).await == before {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let was_in_the_middle = tokio::time::timeout(Duration::from_secs(10), late).await.is_ok();
        for id in &ids {
            assert_eq!(commits(&log, id).await, [1, 1], "{id} moved on after its end");
        }
        if was_in_the_middle {
            return;
        }
    }
    panic!("no pause hit a worker in the middle of a step");
}

#[tokio::test]
async fn an_approver_killed_while_a_workflow_is_parked_forgets_nothing() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('kept')\n", true)).await;
    let parked = client.until(&id, "waiting_approval").await;
    stack.kill("approver");
    let approval = question_of(&parked);
    eventually("a decision is accepted", Duration::from_secs(30), || async {
        let answer = client.decide(&id, &approval, "approved").await;
        // No response: retried. Applied although the response was lost: already decided.
        matches!(answer.status, 200 | 409).then_some(())
    })
    .await;
    assert_eq!(client.until(&id, "completed").await["artifacts"]["test_results"]["stdout"], "kept\n");
}

#[tokio::test]
async fn an_api_killed_after_its_answer_has_kept_its_word() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    // The stopped worker ensures that only the response exists.
    stack.signal("worker-1", Signal::STOP);
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(client.run("print('kept')\n").await);
    }
    stack.kill("api");
    stack.signal("worker-1", Signal::CONT);
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
    stack.signal("worker-1", Signal::STOP);
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
    assert!(stack.log("worker-1").contains("unfinished steps"), "the worker finished the step, or was killed");
}

#[tokio::test]
async fn a_stack_told_to_stop_leaves_no_process_behind() {
    let mut stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.run(&long_program(60)).await;
    until_it_runs(&stack, &client, &id).await;
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
