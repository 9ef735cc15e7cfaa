//! Gates: parking, deciding, expiring, and releases that need a human.

use std::time::Duration;

use domain::approval::Verdict;
use domain::identity::Role;
use messaging::{ApprovalAnswer, DecisionRpc, HttpDecision};
use serde_json::{Value, json};
use service::telemetry::TraceContext;
use tests::{Client, Options, Stack, audit_log, broker_as, eventually, goal_request, question_of, run_request};

#[tokio::test]
async fn a_result_waits_for_its_approval_and_is_released_by_it() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('released')\n", true)).await;
    let parked = client.until(&id, "waiting_approval").await;
    let approval = &parked["pending_approvals"][0];
    let approval_id = approval["approval_id"].as_str().expect("an id");
    assert_eq!(approval["approval_type"], "code_deployment");
    assert_eq!((&approval["required_approvers"], &approval["approvals_so_far"]), (&json!(1), &json!(0)));

    let inbox = client.get("/api/v3/approvals").await.expect(200);
    assert!(inbox.to_string().contains(&id), "{inbox}");
    // An approver sees it as well and may decide; a wrong digest, approval or workflow changes nothing.
    let approver = stack.client("approver", "approver_pass").await;
    assert_eq!(approver.status(&id).await["status"], "waiting_approval");
    let wrong =
        json!({"workflow_id": id, "approval_id": approval_id, "decision": "approved", "digest": "0".repeat(64)});
    approver.post(&format!("/api/v3/execute/approve/{id}"), &wrong).await.expect(409);
    approver.decide(&id, "00000000-0000-4000-8000-000000000000", "approved").await.expect(404);
    let other = json!({"workflow_id": "00000000-0000-4000-8000-000000000000", "approval_id": approval_id, "decision": "approved"});
    approver.post(&format!("/api/v3/execute/approve/{id}"), &other).await.expect(422);
    let stranger = stack.client("stress_user", "stress_pass").await;
    stranger.decide(&id, approval_id, "approved").await.expect(404);
    approver.decide(&id, "nonsense", "approved").await.expect(404);
    let nonsense = json!({"workflow_id": id, "approval_id": approval_id, "decision": "approved", "digest": "nonsense"});
    approver.post(&format!("/api/v3/execute/approve/{id}"), &nonsense).await.expect(409);
    assert_eq!(client.status(&id).await["status"], "waiting_approval");

    let right =
        json!({"workflow_id": id, "approval_id": approval_id, "decision": "approved", "digest": approval["digest"]});
    let answer = approver.post(&format!("/api/v3/execute/approve/{id}"), &right).await.expect(200);
    assert_eq!((&answer["status"], &answer["workflow_status"]), (&json!("success"), &json!("completed")));
    let done = client.until(&id, "completed").await;
    assert_eq!(done["artifacts"]["test_results"]["stdout"], "released\n");
    approver.decide(&id, approval_id, "approved").await.expect(409);

    let audit = audit_log(&stack).await;
    let refused = |user: &str| {
        let name = format!("user {user}");
        audit.iter().filter(|record| record.action == "refused" && record.actor.to_string() == name).count()
    };
    assert_eq!((refused("stress_user"), refused("approver")), (1, 5), "{audit:#?}");
    assert_eq!(audit.iter().filter(|record| record.action == "approved").count(), 1);
}

/// Waits until the workflow has another question than `earlier`.
async fn parked_anew(client: &Client, id: &str, earlier: &str) -> Value {
    eventually("it parks again", Duration::from_secs(20), || async {
        let data = client.status(id).await;
        let anew = data["pending_approvals"][0]["approval_id"].as_str().is_some_and(|id| id != earlier);
        anew.then_some(data)
    })
    .await
}

#[tokio::test]
async fn requested_changes_that_nothing_can_make_ask_for_input_at_no_cost() {
    let stack = Stack::start_with(Options::default().with("approval.demand_human_from", "low")).await;
    let client = stack.developer().await;
    let lru = "Write an LRU cache with tests";
    // Only policy requires approval of the last one; changes can be requested there as well.
    for request in [goal_request(lru, true), run_request("print(2)\n", true), goal_request(lru, false)] {
        let id = client.execute(&request).await;
        let first = client.until(&id, "waiting_approval").await;
        let approval = question_of(&first);
        let body = json!({
            "workflow_id": id, "approval_id": approval, "decision": "changes_requested", "comment": "make it \"shorter\"",
        });
        client.post(&format!("/api/v3/execute/approve/{id}"), &body).await.expect(200);

        let again = parked_anew(&client, &id, &approval).await;
        let question = &again["pending_approvals"][0];
        assert_eq!(question["approval_type"], "needs_input", "{again}");
        let asked = question["description"].as_str().expect("a description");
        assert!(asked.starts_with("Changes were requested: \"make it \"shorter\"\"."), "{asked}");
        assert!(asked.contains("Supply code, choose another recipe, or reject"), "{asked}");
        for measure in ["total_cost", "iterations"] {
            assert_eq!(again["metrics"][measure], first["metrics"][measure], "{measure}");
        }

        let body = json!({
            "workflow_id": id, "approval_id": question_of(&again), "decision": "approved", "code": "print('mine')\n",
        });
        client.post(&format!("/api/v3/execute/approve/{id}"), &body).await.expect(200);
        let supplied = parked_anew(&client, &id, &question_of(&again)).await;
        assert_eq!(supplied["artifacts"]["test_results"]["stdout"], "mine\n");
    }
}

#[tokio::test]
async fn a_gate_can_end_otherwise() {
    let stack = Stack::start_with(Options::default().with("approval.expiry", "2s")).await;
    let client = stack.developer().await;
    let parked = async |request: Value| {
        let id = client.execute(&request).await;
        let data = client.until(&id, "waiting_approval").await;
        let approval = question_of(&data);
        (id, approval)
    };

    let (rejected, approval) = parked(run_request("print(1)\n", true)).await;
    client.decide(&rejected, &approval, "rejected").await.expect(200);
    let data = client.until(&rejected, "failed").await;
    assert_eq!(data["error"]["code"], "rejected");
    assert_eq!(data["artifacts"]["test_results"], Value::Null, "a rejected result was released");

    let (back, approval) = parked(run_request("print(2)\n", true)).await;
    client.decide(&back, &approval, "changes_requested").await.expect(200);
    let again = parked_anew(&client, &back, &approval).await;
    assert_eq!(again["pending_approvals"][0]["approval_type"], "needs_input", "nothing here can change it: {again}");

    let (expired, approval) = parked(goal_request("Teach my cat to pilot a submarine", true)).await;
    assert_eq!(client.until(&expired, "failed").await["error"]["code"], "approval_expired");
    client.decide(&expired, &approval, "approved").await.expect(409);
}

#[tokio::test]
async fn a_goal_that_nothing_can_serve_asks_a_human_or_fails() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let unserved = "Teach my cat to pilot a submarine";

    let id = client.execute(&goal_request(unserved, false)).await;
    let failed = client.until(&id, "failed").await;
    assert_eq!(failed["error"]["code"], "no_generator");
    assert!(failed["error"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()));

    let ask = async || {
        let id = client.execute(&goal_request(unserved, true)).await;
        let data = client.until(&id, "waiting_approval").await;
        assert_eq!(data["pending_approvals"][0]["approval_type"], "needs_input");
        (id, question_of(&data))
    };
    let (bare, approval) = ask().await;
    client.decide(&bare, &approval, "approved").await.expect(200);
    assert_eq!(client.until(&bare, "failed").await["error"]["code"], "no_generator");

    let (chosen, approval) = ask().await;
    let unknown = json!({"workflow_id": chosen, "approval_id": approval, "decision": "approved", "recipe": "xyzzy"});
    let refused = client.post(&format!("/api/v3/execute/approve/{chosen}"), &unknown).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "recipe");
    let told = refused["errors"][0]["message"].as_str().expect("a message");
    assert!(told.contains("jwt-auth") && !told.contains("xyzzy"), "{refused}");
    let asked = client.status(&chosen).await["pending_approvals"][0].clone();
    assert!(asked["recipes"].as_array().is_some_and(|names| names.contains(&json!("jwt-auth"))), "{asked}");
    let body = json!({"workflow_id": chosen, "approval_id": approval, "decision": "approved", "recipe": "jwt-auth"});
    client.post(&format!("/api/v3/execute/approve/{chosen}"), &body).await.expect(200);
    let parked = client.until(&chosen, "waiting_approval").await;
    assert_eq!(parked["pending_approvals"][0]["approval_type"], "code_deployment");

    let (supplied, approval) = ask().await;
    let body =
        json!({"workflow_id": supplied, "approval_id": approval, "decision": "approved", "code": "print('mine')\n"});
    client.post(&format!("/api/v3/execute/approve/{supplied}"), &body).await.expect(200);
    let parked = client.until(&supplied, "waiting_approval").await;
    assert_eq!(parked["artifacts"]["test_results"]["stdout"], "mine\n");
}

/// A run that fails on purpose, here by exceeding the budget, shows no more of risky code than a successful one.
#[tokio::test]
async fn what_the_operator_demands_a_human_for_is_not_had_without() {
    let options = Options::default()
        .with("approval.demand_human_from", "high")
        .with("approval.two_approvers_from", "critical")
        .with("budget.cpu_second", "1")
        .with("budget.per_workflow", "0.5")
        .with("budget.per_user_day", "1000");
    let stack = Stack::start_with(options).await;
    let client = stack.developer().await;
    let risky = "import os, sys\nif len(sys.argv) > 5:\n    os.system('ls ' + input())\nprint('ran', flush=True)\n";
    let burn = "import time\nprint('ran', flush=True)\nwhile time.process_time() < 2: pass\n";

    for name in ["main.py", "test_main.py", "tests/test_x.py", "main_test.py"] {
        let mut request = run_request(risky, false);
        request["context"]["project_context"]["current_file"] = json!(name);
        let parked = client.until(&client.execute(&request).await, "waiting_approval").await;
        let approval = &parked["pending_approvals"][0];
        let told = [&approval["approval_type"], &approval["risk_level"], &approval["required_approvers"]];
        assert_eq!(told, [&json!("security_override"), &json!("critical"), &json!(2)], "{name}");
    }
    let safe = client.run("print('ran')\n").await;
    client.until(&safe, "completed").await;
    for (code, is_shown) in [(format!("{risky}{burn}"), false), (burn.to_owned(), true)] {
        let id = client.run(&code).await;
        let failed = client.until(&id, "failed").await;
        assert_eq!(failed["error"]["code"], "budget_exceeded");
        assert_eq!(!failed["artifacts"]["test_results"].is_null(), is_shown, "{failed:#}");
        let artifact = client.get(&format!("/api/v3/execute/{id}/artifacts/test_results")).await;
        artifact.expect(if is_shown { 200 } else { 404 });
    }
}

#[tokio::test]
async fn the_operators_gate_stands_before_the_run() {
    let stack = Stack::start_with(Options::default().with("approval.gate_before_execute", "true")).await;
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('ran')\n", true)).await;
    let parked = client.until(&id, "waiting_approval").await;
    let approval = &parked["pending_approvals"][0];
    assert_eq!(approval["approval_type"], "code_execution");
    assert_eq!(parked["artifacts"]["test_results"], Value::Null, "the code ran before its gate");
    client.decide(&id, approval["approval_id"].as_str().expect("an id"), "approved").await.expect(200);
    let second = eventually("it parks for release", Duration::from_secs(20), || async {
        let data = client.status(&id).await;
        (data["pending_approvals"][0]["approval_type"] == "code_deployment").then_some(data)
    })
    .await;
    assert_eq!(second["artifacts"]["test_results"]["stdout"], "ran\n");

    let mut never = run_request("print(1)\n", false);
    never["options"] = json!({"enable_human_loop": false});
    let id = client.execute(&never).await;
    assert_eq!(client.until(&id, "failed").await["error"]["code"], "approval_required");
}

/// The approver may know of a newer role than the API that refused the decision.
#[tokio::test]
async fn a_decision_that_the_api_refused_is_recorded_and_not_applied() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('refused')\n", true)).await;
    let approval = client.until(&id, "waiting_approval").await["pending_approvals"][0].clone();
    let rpc = DecisionRpc::new(&broker_as(&stack, "api").await);
    let decision = HttpDecision {
        workflow_id: id.parse().expect("an id"),
        approval_id: approval["approval_id"].as_str().and_then(|id| id.parse().ok()).expect("an id"),
        verdict: Verdict::Approved,
        comment: None,
        digest: None,
        input: None,
        by: "approver".parse().expect("a name"),
        role: Role::Approver,
        message_id: "refused".to_owned(),
        deadline: rpc.deadline(Duration::from_secs(10)).await,
        is_refused: true,
    };
    let ask = async |decision: &HttpDecision| {
        let answer = rpc.request(decision, TraceContext::root(), Duration::from_secs(10)).await;
        answer.expect("an answer")
    };
    let answer = ask(&decision).await;
    assert!(matches!(&answer, ApprovalAnswer::Refused { code, .. } if code == "not_entitled"), "{answer:?}");
    assert_eq!(client.status(&id).await["status"], "waiting_approval");
    let audit = audit_log(&stack).await;
    assert_eq!(audit.iter().filter(|record| record.action == "refused").count(), 1, "{audit:#?}");
    let answer = ask(&HttpDecision { is_refused: false, ..decision }).await;
    assert!(matches!(answer, ApprovalAnswer::Applied { .. }), "{answer:?}");
}
