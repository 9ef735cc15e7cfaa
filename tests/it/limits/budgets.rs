//! Budgets of a workflow and of a user's day.

use std::time::Duration;

use serde_json::json;
use tests::{Options, Stack, eventually, run_request};

#[tokio::test]
async fn budgets_end_workflows_and_refuse_new_ones() {
    let options = Options::default()
        .with("budget.cpu_second", "1")
        .with("budget.per_workflow", "0.5")
        .with("budget.per_user_day", "0.4");
    let stack = Stack::start_with(options).await;
    let client = stack.developer().await;
    let burn = "import time\nend = time.process_time() + 0.7\nwhile time.process_time() < end: pass\nprint('burnt')\n";
    let id = client.run(burn).await;
    let failed = client.until(&id, "failed").await;
    assert_eq!(failed["error"]["code"], "budget_exceeded");
    assert!(failed["metrics"]["total_cost"].as_f64() >= Some(0.5), "{}", failed["metrics"]);
    eventually("the day's budget is spent", Duration::from_secs(10), || async {
        let answer = client.post("/api/v3/execute", &run_request("print(1)\n", false)).await;
        assert!(matches!(answer.status, 202 | 402), "{}", answer.text);
        (answer.status == 402).then_some(())
    })
    .await;
    // Each user has a budget of their own.
    stack.client("stress_user", "stress_pass").await.run("print(1)\n").await;
}

#[tokio::test]
async fn work_that_was_accepted_before_the_day_was_spent_does_not_run_after() {
    let options = Options::default()
        .with("budget.cpu_second", "1")
        .with("budget.per_workflow", "2")
        .with("budget.per_user_day", "0.5")
        .with("worker.execute_concurrency", "1");
    let stack = Stack::start_with(options).await;
    let client = stack.developer().await;
    let burn = "import time\nend = time.process_time() + 0.7\nwhile time.process_time() < end: pass\nprint('burnt')\n";
    let mut accepted = Vec::new();
    for _ in 0..5 {
        accepted.push(client.run(burn).await);
    }
    let mut refused = 0;
    for id in &accepted {
        let end = eventually("it ends", Duration::from_secs(60), || async {
            let data = client.status(id).await;
            matches!(data["status"].as_str(), Some("completed" | "failed")).then_some(data)
        })
        .await;
        if end["status"] == "failed" {
            assert_eq!(end["error"]["code"], "budget_exceeded", "{end}");
            assert!(end["error"]["message"].as_str().is_some_and(|text| text.contains("daily budget")), "{end}");
            refused += 1;
        }
    }
    assert!(refused >= 2, "{refused} of 5 did not run");
    client.post("/api/v3/execute", &run_request("print(1)\n", false)).await.expect(402);
}

#[tokio::test]
async fn who_cancels_what_runs_pays_for_it() {
    let options = Options::default().with("budget.cpu_second", "1").with("budget.per_user_day", "0.5");
    let stack = Stack::start_with(options).await;
    let client = stack.developer().await;
    let burns = run_request("while True: pass\n", false);
    // Each round burns the time until its run is seen and cancelled.
    for _ in 0..50 {
        let answer = client.post("/api/v3/execute", &burns).await;
        if answer.status == 402 {
            return;
        }
        let id = answer.expect(202)["data"]["workflow_id"].as_str().expect("an id").to_owned();
        eventually("it runs", Duration::from_secs(20), || async {
            (stack.interpreters_below("worker-1") > 0).then_some(())
        })
        .await;
        client.post(&format!("/api/v3/execute/cancel/{id}"), &json!({})).await.expect(200);
        eventually("it ended", Duration::from_secs(20), || async { (stack.running_steps().await == 0).then_some(()) })
            .await;
        assert_eq!(client.status(&id).await["status"], "cancelled");
    }
    panic!("a day's budget was never used up");
}
