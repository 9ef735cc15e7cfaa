//! Workflows from submission to their end: completed, or cancelled.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Stack, eventually, goal_request, long_program, question_of, run_request};

#[tokio::test]
async fn a_goal_from_the_catalogue_becomes_tested_code() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let request = goal_request("Create a JWT authentication function with tests", false);
    let accepted = client.post("/api/v3/execute", &request).await.expect(202);
    assert_eq!(accepted["status"], "accepted");
    assert!(!accepted.to_string().contains("JWT authentication"), "the goal is echoed");
    let id = accepted["data"]["workflow_id"].as_str().expect("an id");
    let done = client.until(id, "completed").await;

    let results = &done["artifacts"]["test_results"];
    assert_eq!(results["success_rate"], 1.0, "{results}");
    assert!(results["total"].as_u64() >= Some(3), "{results}");
    assert_eq!(results["tests"][0]["outcome"], "passed");
    assert!(done["artifacts"]["generated_code"].as_str().is_some_and(|code| code.contains("def test_")));
    assert!(done["artifacts"]["documentation"].as_str().is_some_and(|text| !text.is_empty()));
    assert!(done["artifacts"]["security_report"]["overall_score"].as_u64() > Some(50));
    assert_eq!(done["progress_percentage"], 100);
    assert_eq!(done["current_step"], done["total_steps"]);
    assert!(
        done["execution_plan"].as_array().is_some_and(|plan| plan.iter().all(|step| step["status"] == "completed"))
    );
    assert!(done["metrics"]["sandbox_seconds"].as_f64() > Some(0.0));
    assert_eq!(done["error"], Value::Null);

    let artifact = client.get(&format!("/api/v3/execute/{id}/artifacts/test_results")).await;
    assert_eq!(artifact.expect(200)["total"], results["total"]);
}

#[tokio::test]
async fn the_callers_file_runs_as_given() {
    let stack = Stack::start().await;
    let client = stack.developer().await;

    let marker = "marker_5f2c";
    let id = client.run(&format!("    print('hello')\n    secret_{marker} = 1\n")).await;
    let done = client.until(&id, "completed").await;
    let results = &done["artifacts"]["test_results"];
    assert_eq!(results["stdout"], "hello\n");
    assert_eq!(
        (&results["exit_code"], &results["total"], &results["tests"][0]["name"]),
        (&json!(0), &json!(1), &json!("run"))
    );
    assert!(!done.to_string().contains(marker), "the caller's code is quoted: {done}");

    let id = client.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)\n").await;
    let failed = client.until(&id, "completed").await["artifacts"]["test_results"].clone();
    assert_eq!((&failed["exit_code"], &failed["success_rate"]), (&json!(3), &json!(0.0)));
    assert_eq!((&failed["stdout"], &failed["stderr"]), (&json!("out\n"), &json!("err\n")));

    let large = format!("# {}\nprint('large')\n", "x".repeat(900_000));
    let id = client.run(&large).await;
    assert_eq!(client.until(&id, "completed").await["artifacts"]["test_results"]["stdout"], "large\n");
}

#[tokio::test]
async fn a_cancel_kills_at_once_and_is_final() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.run(&long_program(60)).await;
    eventually("it runs", Duration::from_secs(20), || async {
        let data = client.status(&id).await;
        let step = data["current_step"].as_u64().unwrap_or(0);
        let runs = stack.running_steps().await > 0 && stack.interpreters_below("worker-1") > 0;
        (step >= 4 && runs).then_some(())
    })
    .await;
    let path = format!("/api/v3/execute/cancel/{id}");
    client.post(&path, &json!({})).await.expect(200);
    assert_eq!(client.status(&id).await["status"], "cancelled");
    client.post(&path, &json!({})).await.expect(200);
    eventually("the program ended", Duration::from_secs(1), || async {
        (stack.running_steps().await == 0 && stack.interpreters_below("worker-1") == 0).then_some(())
    })
    .await;
    // A worker that cancelled a job takes the next one at once.
    let next = client.run("print('next')\n").await;
    client.until_within(&next, "completed", Duration::from_secs(10)).await;
    client.post(&format!("/api/v3/execute/cancel/{next}"), &json!({})).await.expect(409);
    assert_eq!(client.status(&id).await["status"], "cancelled");
}

#[tokio::test]
async fn a_goal_may_be_short_or_long() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let short = client.execute(&goal_request("LRU cache", false)).await;
    client.until(&short, "completed").await;

    let long = format!("Run this script. {}", "\u{10ffff}x ".repeat(5_000)).chars().take(10_000).collect::<String>();
    let mut request = run_request("print('ran')\n", true);
    request["goal"] = json!(long);
    request["context"]["execution_preferences"]["mode"] = json!("run");
    let id = client.execute(&request).await;
    let parked = client.until(&id, "waiting_approval").await;
    assert_eq!(parked["goal"].as_str().map(str::trim_end), Some(long.trim_end()));
    let shown = format!("{}…", long.chars().take(1_000).collect::<String>());
    let listed = client.get("/api/v3/execute?status=waiting_approval").await.expect(200);
    assert_eq!(listed["data"]["workflows"][0]["goal"], json!(shown));
    let inbox = client.get("/api/v3/approvals").await.expect(200);
    assert_eq!(inbox["data"]["approvals"][0]["workflow"]["goal"], json!(shown));
    client.decide(&id, &question_of(&parked), "approved").await.expect(200);
    client.until(&id, "completed").await;
}
