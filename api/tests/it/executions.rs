//! Submitting, reading, listing and cancelling workflows, and deciding on them.

use domain::approval::{Actor, GateDecision, Policy, RiskLevel};
use domain::identity::Role;
use domain::ids::{EventId, WorkflowId};
use domain::workflow::{
    Artifacts, CodeFile, Content, Event, EventRecord, NewInput, StepUsage, TestSummary, TestVerdict, Workflow,
    transition,
};
use futures_util::StreamExt as _;
use messaging::{ApprovalAnswer, Blobs, DecisionRpc, HttpDecision, WorkflowLog};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use service::clock::Clock;
use service::telemetry::TraceContext;
use test_support::wait_until;

use crate::stack::{Api, Stack, goal, read, user};

/// Appends `event` as a worker or the approver would.
async fn append_event(log: &WorkflowLog, id: &str, event: Event) -> Workflow {
    let id: WorkflowId = id.parse().unwrap();
    let entry = log.newest_from_leader(id).await.unwrap().unwrap();
    let at = Clock::system().now();
    let (kind, actor) = (event.kind(), Actor::Service("tests".to_owned()));
    let next = transition(&entry.workflow, event, at).unwrap();
    let happened = EventRecord { event_id: EventId::fresh(), kind, actor, at, detail: None };
    log.append(entry.sequence, &next, &happened, TraceContext::root()).await.unwrap();
    next
}

fn usage(cost: f64) -> StepUsage {
    StepUsage { started_at: Clock::system().now(), queue_ms: 5, sandbox_ms: 10, cost }
}

/// Advances a workflow to its release gate, as workers would.
async fn run_to_gate(log: &WorkflowLog, id: &str) -> Workflow {
    let file = |path: &str, text: &str, is_test| CodeFile {
        path: path.to_owned(),
        content: Content::new(text.to_owned()),
        is_test,
        from_caller: false,
    };
    let artifacts = Artifacts {
        files: vec![
            CodeFile { from_caller: true, ..file("own/given.py", "caller_owns = 'this'\n", false) },
            file("add.py", "def add(a, b): return a + b\n", false),
            file("test_add.py", "import add\n", true),
        ],
        runtime: Some("python".to_owned()),
        documentation: Some(Content::new("# Adding\n".to_owned())),
        ..Artifacts::default()
    };
    let report = Content::new(json!({"overall_score": 90, "findings": [], "tools": ["heimdall"]}).to_string());
    let results = Content::new(json!({"success_rate": 1.0, "total": 1, "passed": 1}).to_string());
    append_event(log, id, Event::Planned { usage: usage(0.1) }).await;
    append_event(log, id, Event::Generated { artifacts: Box::new(artifacts), usage: usage(0.1) }).await;
    append_event(log, id, Event::Analyzed { report, issues: 0, usage: usage(0.1) }).await;
    let tests = TestSummary { total: 1, passed: 1 };
    append_event(
        log,
        id,
        Event::Executed { results, tests, ran: Box::default(), rerun: TestVerdict::Passed, usage: usage(0.1) },
    )
    .await
}

pub(crate) async fn park(log: &WorkflowLog, id: &str) -> Workflow {
    let workflow = run_to_gate(log, id).await;
    match Policy::default().rule(&workflow, RiskLevel::Low, Clock::system().now()) {
        Some(GateDecision::Park(park)) => append_event(log, id, Event::Parked { park: *park }).await,
        other => panic!("policy does not park: {other:?}"),
    }
}

async fn status(api: &Api, token: &str, id: &str) -> (u16, Value) {
    let (status, body) = api.get(&format!("/api/v3/execute/status/{id}"), token).await;
    (status, body["data"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submission_is_in_the_log_when_it_is_accepted() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let mut body = goal();
    body["context"] = json!({"project_context": {"file_content": format!("# {}\n", "x".repeat(20_000))}});
    let request = api.request("POST", "/api/v3/execute").bearer_auth(&token);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let response = request.header("traceparent", trace).header("x-request-id", "my-id.1").body(body.to_string());
    let response = response.send().await.unwrap();
    assert_eq!(response.headers()["x-request-id"], "my-id.1");
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let (code, answer) = read(response).await;
    assert_eq!((code, &answer["status"]), (202, &json!("accepted")));
    assert!(!answer.to_string().contains("adds two numbers"), "the goal is not repeated");
    let id = answer["data"]["workflow_id"].as_str().unwrap();
    assert_eq!(answer["endpoints"]["status"], location);
    for name in ["status", "cancel", "approve", "events"] {
        assert!(answer["endpoints"][name].as_str().unwrap().contains(id));
    }
    let entry = stack.log.newest_from_leader(id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(entry.trace.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
    let code = entry.workflow.submission.code.unwrap();
    assert!(code.inline.is_none() && code.size_bytes == 20_003, "large code lives in the blob stream");
    let (code, document) = api.get(&location, &token).await;
    assert_eq!((code, &document["data"]["status"]), (200, &json!("created")));
    assert_eq!(document["data"]["artifacts"]["generated_code"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_and_invalid_bodies_have_different_statuses() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let big = |bytes: usize| {
        let context = json!({"project_context": {"file_content": "x".repeat(bytes)}});
        json!({"goal": "Write a function that adds", "context": context}).to_string()
    };
    for (body, expected) in [
        ("".to_owned(), 400),
        ("{\"goal\": ".to_owned(), 400),
        ("{\"goal\": \"\\ud800 lone surrogate\"}".to_owned(), 400),
        ("[".repeat(100_000), 400),
        ("[]".to_owned(), 422),
        ("null".to_owned(), 422),
        ("{}".to_owned(), 422),
        ("{\"goal\": \"xy\"}".to_owned(), 422),
        ("{\"goal\": \"ten or more\\u0000\"}".to_owned(), 422),
        (big(1024 * 1024), 202),
        (big(1024 * 1024 + 1), 413),
        (big(9 * 1024 * 1024), 413),
    ] {
        let request = api.request("POST", "/api/v3/execute").bearer_auth(&token).body(body.clone());
        let (code, answer) = read(request.send().await.unwrap()).await;
        assert_eq!(code, expected, "{} {answer}", &body[..body.len().min(60)]);
    }
    let request = api.request("POST", "/api/v3/execute").bearer_auth(&token).body(vec![b'"', 0xff, b'"']);
    assert_eq!(read(request.send().await.unwrap()).await.0, 400, "not UTF-8");
    let without = api.request("POST", "/api/v3/execute").body(big(9 * 1024 * 1024)).send().await.unwrap();
    assert_eq!(read(without).await.0, 401, "the token is checked before the body");
    let viewer = api.token("vic").await;
    assert_eq!(api.post("/api/v3/execute", Some(&viewer), &json!([])).await.0, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idempotency_key_returns_the_first_workflow() {
    let stack = Stack::start().await;
    let (one, two) = (stack.api(&[]).await, stack.api(&[]).await);
    let (ann, eve) = (one.token("ann").await, one.token("eve").await);
    let send = async |api: &Api, token: &str, key: &str, body: Value| {
        let request = api.request("POST", "/api/v3/execute").bearer_auth(token).header("idempotency-key", key);
        let (code, body) = read(request.body(body.to_string()).send().await.unwrap()).await;
        (code, body["data"]["workflow_id"].as_str().map(str::to_owned))
    };
    let (first, again) = tokio::join!(send(&one, &ann, "k1", goal()), send(&two, &ann, "k1", goal()));
    assert_eq!(first.0, 202);
    assert_eq!(first, again, "two at once, on two instances");
    append_event(&stack.log, first.1.as_ref().unwrap(), Event::Planned { usage: usage(0.1) }).await;
    assert_eq!(send(&two, &ann, "k1", goal()).await, first, "also after it went on");
    let reordered: Value = serde_json::from_str(r#"{ "goal" : "Write a function that adds two numbers" }"#).unwrap();
    assert_eq!(send(&one, &ann, "k1", reordered).await, first);
    let other = json!({"goal": "Write a function that subtracts"});
    assert_eq!(send(&one, &ann, "k1", other).await.0, 422);
    let hers = send(&one, &eve, "k1", goal()).await;
    assert!(hers.0 == 202 && hers != first, "another user's key is another key");
    for bad in ["", "with blank", &"x".repeat(256)] {
        assert_eq!(send(&one, &ann, bad, goal()).await.0, 422, "{bad:?}");
    }
    assert_eq!(send(&one, &ann, &"x".repeat(255), goal()).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_does_not_exist_for_users_without_access() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let (ann, eve) = (api.token("ann").await, api.token("eve").await);
    let (bob, root) = (api.token("bob").await, api.token("root").await);
    let id = api.submit(&ann).await;
    let absent = WorkflowId::fresh().to_string();
    for (token, code) in [(&ann, 200), (&eve, 404), (&bob, 404), (&root, 200)] {
        assert_eq!(status(&api, token, &id).await.0, code);
    }
    for name in [absent.as_str(), "not-a-uuid", "%00", "*", ">"] {
        assert_eq!(status(&api, &ann, name).await.0, 404, "{name}");
        assert_eq!(api.post(&format!("/api/v3/execute/cancel/{name}"), Some(&ann), &json!({})).await.0, 404, "{name}");
        assert_eq!(api.get(&format!("/api/v3/execute/{name}/events"), &ann).await.0, 404, "{name}");
    }
    let viewer = api.token("vic").await;
    for hidden in [&id, &absent] {
        let path = format!("/api/v3/execute/cancel/{hidden}");
        assert_eq!(api.post(&path, Some(&viewer), &json!({})).await.0, 404, "not even to be refused");
    }
    let decision = json!({"workflow_id": id, "approval_id": absent, "decision": "approved"});
    let approve = format!("/api/v3/execute/approve/{id}");
    assert_eq!(api.post(&approve, Some(&eve), &decision).await.0, 404);
    assert_eq!(api.post(&approve, Some(&ann), &json!({"decision": "yes"})).await.0, 422);
    let misdirected = json!({"workflow_id": absent, "approval_id": absent, "decision": "approved"});
    assert_eq!(api.post(&approve, Some(&ann), &misdirected).await.0, 422);
    assert_eq!(api.post(&approve, Some(&ann), &decision).await.0, 503, "no approver runs here");
    let bob = api.token("bob").await;
    assert_eq!(api.post(&approve, Some(&bob), &decision).await.0, 503, "may be asked in a moment");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_change_the_estimated_cost() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let ann = api.token("ann").await;
    let estimate = async |preferences: Value| {
        let order = json!({"goal": goal()["goal"], "context": {"execution_preferences": preferences}});
        let (code, accepted) = api.post("/api/v3/execute", Some(&ann), &order).await;
        assert_eq!(code, 202, "{accepted}");
        accepted["data"]["estimated_cost"].as_f64().unwrap()
    };
    let plain = estimate(json!({})).await;
    for wish in [json!({"enable_premium_search": true}), json!({"max_agents": 2}), json!({"max_iterations": 9})] {
        assert!(estimate(wish.clone()).await > plain, "{wish}");
    }
}

/// Answers the next decision with `answer` and returns the decision.
async fn next_decision(stack: &Stack, answer: ApprovalAnswer) -> impl Future<Output = HttpDecision> + use<> {
    let mut questions = Box::pin(DecisionRpc::new(&stack.broker).subscribe().await.unwrap());
    stack.broker.flush().await;
    async move {
        let question = questions.next().await.unwrap();
        let decision = question.decision.clone();
        question.answer(&answer).await;
        decision
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn supplied_code_is_stored_by_the_approver() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let (ann, eve, bob) = (api.token("ann").await, api.token("eve").await, api.token("bob").await);
    let id = api.submit(&ann).await;
    let workflow = park(&stack.log, &id).await;
    let approval_id = workflow.gate().unwrap().approval_id;
    let code = "x = 1\n".repeat(2_000);
    let body = json!({"workflow_id": id, "approval_id": approval_id, "decision": "approved", "code": code});
    let path = format!("/api/v3/execute/approve/{id}");
    let refused = || ApprovalAnswer::Refused { code: "not_entitled".to_owned(), message: "No.".to_owned() };
    let asked = next_decision(&stack, refused()).await;
    // The approver receives it only after the caller has the response, which therefore reveals nothing.
    let answer = tokio::time::timeout(std::time::Duration::from_secs(5), api.post(&path, Some(&eve), &body)).await;
    assert_eq!(answer.expect("a stranger waits for no approver").0, 404);
    let decision = asked.await;
    assert!(decision.is_refused, "an approver that knows of a newer role would apply it: {decision:?}");
    assert_eq!(decision.input, Some(NewInput::Code { content: Content::new(code.clone()) }));
    for (refusal, field) in [("input_not_asked", "decision"), ("message_reused", "Idempotency-Key")] {
        let answer = ApprovalAnswer::Refused { code: refusal.to_owned(), message: "No.".to_owned() };
        let asked = next_decision(&stack, answer).await;
        let ((status, problem), _) = tokio::join!(api.post(&path, Some(&bob), &body), asked);
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)));
    }
    let stored = Blobs::new(&stack.broker).load(&Content { inline: None, ..Content::new(code.clone()) }).await;
    assert!(stored.is_err(), "the API has filled the disk");

    // A vote of an approver who becomes entitled before it is applied.
    let applied =
        ApprovalAnswer::Applied { status: "running".to_owned(), message: "Recorded.".to_owned(), sequence: None };
    let early = api.submit(&ann).await;
    let asked = next_decision(&stack, applied).await;
    let bare = json!({"workflow_id": early, "approval_id": approval_id, "decision": "approved"});
    let path = format!("/api/v3/execute/approve/{early}");
    let ((status, answer), _) = tokio::join!(api.post(&path, Some(&bob), &bare), asked);
    assert_eq!((status, &answer["workflow_status"]), (200, &json!("running")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_that_cannot_be_applied_are_limited() {
    let stack = Stack::start().await;
    let api = stack.api(&[("limits.profile", "standard")]).await;
    let eve = api.token("eve").await;
    let absent = "018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";
    let body = json!({"workflow_id": absent, "approval_id": absent, "decision": "approved"});
    let path = format!("/api/v3/execute/approve/{absent}");
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(api.post(&path, Some(&eve), &body).await.0);
    }
    assert_eq!((answers[..20].to_vec(), answers[29]), (vec![404; 20], 429));
    assert_eq!(api.get("/api/v3/execute", &eve).await.0, 200, "reading is another bucket");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_over_the_status_limit_can_still_decide_and_cancel() {
    let stack = Stack::start().await;
    let api = stack.api(&[("limits.profile", "standard"), ("limits.status", "1/1"), ("limits.decide", "2/1")]).await;
    let ann = api.token("ann").await;
    let id = api.submit(&ann).await;
    assert_eq!(status(&api, &ann, &id).await.0, 200);
    assert_eq!(status(&api, &ann, &id).await.0, 429);
    let body = json!({"workflow_id": id, "approval_id": id, "decision": "approved"});
    let decision = api.post(&format!("/api/v3/execute/approve/{id}"), Some(&ann), &body).await;
    assert_ne!(decision.0, 429, "{}", decision.1);
    let cancel = format!("/api/v3/execute/cancel/{id}");
    assert_eq!(api.post(&cancel, Some(&ann), &json!({})).await.0, 200);
    assert_eq!(api.post(&cancel, Some(&ann), &json!({})).await.0, 429, "their own bucket has an end too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_in_upper_case_is_the_same_id() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let ann = api.token("ann").await;
    let id = api.submit(&ann).await;
    let upper = id.to_ascii_uppercase();
    assert_ne!(id, upper);
    assert_eq!(status(&api, &ann, &upper).await.1["workflow_id"], json!(id));
    let path = format!("/api/v3/execute/approve/{upper}");
    let body = json!({"workflow_id": id, "approval_id": upper, "decision": "approved"});
    assert_ne!(api.post(&path, Some(&ann), &body).await.0, 422);
    let (code, cancelled) = api.post(&format!("/api/v3/execute/cancel/{upper}"), Some(&ann), &json!({})).await;
    assert_eq!((code, &cancelled["data"]["workflow_id"]), (200, &json!(id)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parked_artifacts_are_shown_to_deciders_and_released_to_the_owner() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let (ann, eve, bob) = (api.token("ann").await, api.token("eve").await, api.token("bob").await);
    let id = api.submit(&ann).await;
    park(&stack.log, &id).await;
    wait_until("the park is seen", async || status(&api, &bob, &id).await.0 == 200).await;
    let (_, seen) = status(&api, &bob, &id).await;
    assert!(seen["artifacts"]["generated_code"].as_str().unwrap().starts_with("# file: add.py\ndef add"));
    assert_eq!(seen["artifacts"]["test_results"]["passed"], 1);
    assert_eq!(seen["pending_approvals"][0]["required_approvers"], 1);
    let (_, own) = status(&api, &ann, &id).await;
    assert_eq!((&own["status"], &own["artifacts"]["generated_code"]), (&json!("waiting_approval"), &Value::Null));
    let artifact = |name: &str| format!("/api/v3/execute/{id}/artifacts/{name}");
    assert_eq!(api.get(&artifact("generated_code"), &ann).await.0, 404);
    let inbox = async |token: &str| api.get("/api/v3/approvals", token).await.1["data"]["approvals"].clone();
    wait_until("the inbox shows it", async || inbox(&bob).await[0]["workflow_id"] == json!(id)).await;
    assert_eq!(inbox(&bob).await[0]["workflow"]["goal"], goal()["goal"]);
    assert_eq!((inbox(&ann).await, inbox(&eve).await), (json!([]), json!([])));
    let own_code = artifact("files/own/given.py");
    assert_eq!(seen["pending_approvals"][0]["files"], json!(["own/given.py", "add.py", "test_add.py"]));
    for (token, expected) in [(&ann, 200), (&bob, 200), (&eve, 404)] {
        let response = api.request("GET", &own_code).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), expected, "the submitter's own file");
        assert_eq!(response.text().await.unwrap() == "caller_owns = 'this'\n", expected == 200);
    }
    assert_eq!(api.get(&artifact("files/add.py"), &ann).await.0, 404, "not released");
    let digest = own["pending_approvals"][0]["digest"].clone();
    assert_eq!(digest.as_str().unwrap().len(), 64);

    let decision = domain::approval::Decision {
        verdict: domain::approval::Verdict::Approved,
        by: "bob".parse().unwrap(),
        channel: domain::approval::Channel::Http,
        on_behalf_of: None,
        comment: None,
        input: None,
        message_id: "m".to_owned(),
        at: Clock::system().now(),
        lapsed: false,
    };
    append_event(&stack.log, &id, Event::Decided { decision, lapsed: Vec::new() }).await;
    wait_until("it is released", async || status(&api, &ann, &id).await.1["status"] == "completed").await;
    let (_, done) = status(&api, &ann, &id).await;
    assert_eq!(
        (&done["progress_percentage"], &done["artifacts"]["documentation"]),
        (&json!(100), &json!("# Adding\n"))
    );
    assert_eq!(status(&api, &bob, &id).await.0, 200, "who decided may look at what became of it");
    assert_eq!(status(&api, &eve, &id).await.0, 404);

    let response = api.request("GET", &artifact("files/add.py")).bearer_auth(&ann).send().await.unwrap();
    let tag = response.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(response.text().await.unwrap(), "def add(a, b): return a + b\n");
    let again = api.request("GET", &artifact("files/add.py")).bearer_auth(&ann).header("if-none-match", tag);
    assert_eq!(again.send().await.unwrap().status(), 304);
    for name in ["files/nothing.py", "secrets", "files/../add.py"] {
        assert_eq!(api.get(&artifact(name), &ann).await.0, 404, "{name}");
    }
    assert_eq!(api.get(&artifact("test_results"), &ann).await.1["total"], 1);

    stack.put_user(&user("bob", Role::Developer)).await;
    wait_until("bob is not an approver", async || status(&api, &bob, &id).await.0 == 404).await;
    for path in [artifact("generated_code"), artifact("files/add.py"), format!("/api/v3/execute/{id}/events")] {
        assert_eq!(api.get(&path, &bob).await.0, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_is_final_and_idempotent() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let (ann, eve, root) = (api.token("ann").await, api.token("eve").await, api.token("root").await);
    let id = api.submit(&ann).await;
    let cancel = async |token: &str, id: &str| {
        api.post(&format!("/api/v3/execute/cancel/{id}"), Some(token), &json!({})).await.0
    };
    assert_eq!(cancel(&eve, &id).await, 404);
    let before = stack.log.newest_from_leader(id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(cancel(&ann, &id).await, 200);
    assert_eq!(cancel(&ann, &id).await, 200);
    assert_eq!(status(&api, &ann, &id).await.1["status"], "cancelled");
    let late = transition(&before.workflow, Event::Planned { usage: usage(0.0) }, Clock::system().now()).unwrap();
    let appended = stack.log.append(before.sequence, &late, &before.happened, TraceContext::root()).await;
    assert!(appended.is_err(), "nothing is committed after a cancel");
    let parked = api.submit(&ann).await;
    park(&stack.log, &parked).await;
    let bob = api.token("bob").await;
    assert_eq!(cancel(&bob, &parked).await, 403, "an approver rejects and does not cancel");
    assert_eq!(cancel(&root, &parked).await, 200);
    let failed = api.submit(&ann).await;
    let failure = domain::workflow::Failure::new("no_generator", "No generator.", "Choose a recipe.");
    append_event(&stack.log, &failed, Event::failed(failure)).await;
    assert_eq!(cancel(&ann, &failed).await, 409);
    assert_eq!(status(&api, &ann, &failed).await.1["error"]["code"], "no_generator");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_a_list_hold_each_workflow_once() {
    let mut stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let (ann, root) = (api.token("ann").await, api.token("root").await);
    let mut submitted = Vec::new();
    for _ in 0..7 {
        submitted.push(api.submit(&ann).await);
    }
    submitted.reverse();
    api.submit(&root).await;
    assert_eq!(pages(&api, &ann, "limit=3").await, submitted);
    let cancelled = &submitted[2];
    assert_eq!(api.post(&format!("/api/v3/execute/cancel/{cancelled}"), Some(&ann), &json!({})).await.0, 200);
    wait_until("the cancel is seen", async || pages(&api, &ann, "status=cancelled").await == [cancelled.clone()]).await;
    let created = pages(&api, &ann, "status=created&limit=3").await;
    assert_eq!(created.len(), 6);
    // Stale entries leave a gap in the page, not the end of the list.
    for id in &submitted[3..5] {
        let at = stack.redis(&["ZSCORE", "list:ann:created", id]);
        assert_eq!(api.post(&format!("/api/v3/execute/cancel/{id}"), Some(&ann), &json!({})).await.0, 200);
        wait_until("it is listed", async || pages(&api, &ann, "status=cancelled").await.contains(id)).await;
        stack.redis(&["ZADD", "list:ann:created", &at, id]);
    }
    let left = [&submitted[..2], &submitted[5..]].concat();
    assert_eq!(pages(&api, &ann, "status=created&limit=2").await, left);
    assert_eq!(pages(&api, &ann, "status=created&status=failed&limit=2").await, left);
    assert_eq!(pages(&api, &ann, "status=created&limit=1").await, left);
    assert_eq!(pages(&api, &ann, "status=created&status=cancelled&limit=2").await, submitted);
    assert_eq!(api.get("/api/v3/execute?status=created&status=lost", &ann).await.0, 422);
    assert_eq!(pages(&api, &root, "limit=2&owner=ann").await, submitted);
    assert_eq!(pages(&api, &root, "limit=3&all=true").await.len(), 8);
    stack.kill_redis();
    assert_eq!(pages(&api, &ann, "limit=3").await, submitted, "the log knows the same");
    assert_eq!(pages(&api, &ann, "status=created&limit=100").await, left);
    assert_eq!(pages(&api, &ann, "status=failed").await.len(), 0);
    for (query, code) in [
        ("limit=0", 422),
        ("limit=101", 422),
        ("limit=x", 422),
        ("cursor=x", 422),
        ("status=lost", 422),
        ("all=true", 403),
        ("owner=root", 403),
        ("owner=ann", 200),
    ] {
        assert_eq!(api.get(&format!("/api/v3/execute?{query}"), &ann).await.0, code, "{query}");
    }
}

async fn pages(api: &Api, token: &str, query: &str) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let (code, body) = api.get(&format!("/api/v3/execute?{query}&cursor={cursor}"), token).await;
        assert_eq!(code, 200, "{body}");
        let ids = body["data"]["workflows"].as_array().unwrap().iter();
        found.extend(ids.map(|workflow| workflow["workflow_id"].as_str().unwrap().to_owned()));
        match body["data"]["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_have_headers_are_shared_and_work_without_redis() {
    let mut stack = Stack::start().await;
    let settings = [("limits.profile", "standard"), ("limits.execute", "3/1"), ("limits.roles", "admin:execute=9/1")];
    let (one, two) = (stack.api(&settings).await, stack.api(&settings).await);
    let (ann, root) = (one.token("ann").await, one.token("root").await);
    let submit = async |api: &Api, token: &str| {
        let request = api.request("POST", "/api/v3/execute").bearer_auth(token).body(goal().to_string());
        let response = request.send().await.unwrap();
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().parse::<u64>().unwrap());
        let limits = [header("ratelimit-limit"), header("ratelimit-remaining"), header("retry-after")];
        assert!(header("ratelimit-reset").is_some());
        (read(response).await, limits)
    };
    assert_eq!(submit(&one, &ann).await.1, [Some(3), Some(2), None]);
    assert_eq!(submit(&two, &ann).await.1, [Some(3), Some(1), None]);
    assert_eq!(submit(&one, &ann).await.1, [Some(3), Some(0), None]);
    let ((code, body), limits) = submit(&two, &ann).await;
    assert_eq!(code, 429);
    assert!(body["detail"].as_str().unwrap().contains("Rate limit exceeded") && limits[2].unwrap() > 30);
    assert_eq!(submit(&one, &root).await.1[0], Some(9));
    assert_eq!(one.get("/api/v3/execute", &ann).await.0, 200, "another operation has its own bucket");
    stack.kill_redis();
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(submit(&one, &ann).await.0.0);
    }
    assert_eq!(codes, [202, 202, 202, 429], "a local bucket of the same size");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_costs_no_more_than_its_budget() {
    let mut stack = Stack::start().await;
    let api = stack.api(&[("budget.per_user_day", "0.35")]).await;
    let (ann, eve) = (api.token("ann").await, api.token("eve").await);
    let id = api.submit(&ann).await;
    run_to_gate(&stack.log, &id).await;
    let submit = async |token: &str| api.post("/api/v3/execute", Some(token), &goal()).await.0;
    wait_until("the cost is booked", async || submit(&ann).await == 402).await;
    assert_eq!(submit(&eve).await, 202, "it is each user's own");
    stack.kill_redis();
    assert_eq!(submit(&ann).await, 402, "the log knows the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_a_day_is_added_up_from_a_long_log_and_read_once() {
    let mut stack = Stack::start().await;
    let api = stack.api(&[("budget.per_user_day", "0.75")]).await;
    let (ann, eve) = (api.token("ann").await, api.token("eve").await);
    let all: Vec<String> = futures_util::stream::iter(0..400).map(|_| api.submit(&eve)).buffered(32).collect().await;
    stack.kill_redis();
    let mut codes = Vec::new();
    for _ in 0..3 {
        let (code, body) = api.post("/api/v3/execute", Some(&ann), &goal()).await;
        codes.push(code);
        if let Some(id) = body["data"]["workflow_id"].as_str() {
            run_to_gate(&stack.log, id).await;
        }
    }
    assert_eq!(codes, [202, 202, 402], "0.4 each");
    append_event(&stack.log, &all[0], Event::Planned { usage: usage(0.8) }).await;
    assert_eq!(api.post("/api/v3/execute", Some(&eve), &goal()).await.0, 402, "what came since is read as well");
    assert_eq!(api.post("/api/v3/execute", Some(&api.token("root").await), &goal()).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_die_come_back_empty_and_be_filled_again() {
    let mut stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let ann = api.token("ann").await;
    let before = api.submit(&ann).await;
    stack.kill_redis();
    let meanwhile = api.submit(&ann).await;
    append_event(&stack.log, &before, Event::Planned { usage: usage(0.1) }).await;
    assert_eq!(status(&api, &ann, &before).await.1["status"], "running");
    assert_eq!(status(&api, &ann, &meanwhile).await.0, 200);
    assert_eq!(api.request("GET", "/ready").send().await.unwrap().status(), 200);
    stack.start_redis().await;
    let key = format!("workflow:{meanwhile}");
    wait_until("the view is filled from the log", async || stack.redis(&["EXISTS", &key]) == "1").await;
    wait_until("and known to be whole", async || stack.redis(&["EXISTS", "view:complete"]) == "1").await;
    assert_eq!(stack.redis(&["FLUSHALL"]), "OK");
    assert_eq!(pages(&api, &ann, "limit=10").await, [meanwhile.as_str(), before.as_str()], "while it is empty");
    wait_until("it is filled again", async || stack.redis(&["EXISTS", &key]) == "1").await;
    assert_eq!(status(&api, &ann, &before).await.1["status"], "running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_state_in_redis_never_takes_a_workflow_back() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let ann = api.token("ann").await;
    let id = api.submit(&ann).await;
    let key = format!("workflow:{id}");
    assert_eq!(stack.redis(&["COPY", &key, "backup"]), "1");
    append_event(&stack.log, &id, Event::Planned { usage: usage(0.1) }).await;
    wait_until("the step is seen", async || status(&api, &ann, &id).await.1["status"] == "running").await;
    assert_eq!(stack.redis(&["COPY", "backup", &key, "REPLACE"]), "1");
    assert_eq!(status(&api, &ann, &id).await.1["status"], "running");
    assert_eq!(pages(&api, &ann, "status=running").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_projector_writes_at_once_what_comes_after_the_quiet() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let ann = api.token("ann").await;
    let id = api.submit(&ann).await;
    let field = |name: &str| stack.redis(&["HGET", &format!("workflow:{id}"), name]);
    // Tests the idle time: a pull once missed messages after some idle seconds.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    append_event(&stack.log, &id, Event::Planned { usage: usage(0.1) }).await;
    let began = tokio::time::Instant::now();
    wait_until("the read model has it", async || field("status") == "running").await;
    assert!(began.elapsed() < std::time::Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_json_at_any_call_is_answered_with_a_server_error() {
    let stack = Stack::start().await;
    let api = stack.api(&[("analysis.deadline", "50ms")]).await;
    let ann = api.token("ann").await;
    let id = api.submit(&ann).await;
    let paths = [
        "/api/v3/execute".to_owned(),
        "/api/v3/analyze".to_owned(),
        format!("/api/v3/execute/approve/{id}"),
        "/auth/token".to_owned(),
        format!("/api/v3/execute/cancel/{id}"),
        "/auth/refresh".to_owned(),
    ];
    let seed: [u8; 16] = *uuid::Uuid::new_v4().as_bytes();
    println!("seed {seed:?}: put it here to see the same again");
    let rng = TestRng::from_seed(RngAlgorithm::XorShift, &seed);
    let mut runner = TestRunner::new_with_rng(proptest::test_runner::Config::default(), rng);
    for _ in 0..60 {
        let body = any_json().new_tree(&mut runner).unwrap().current();
        for path in &paths {
            let (code, answer) = api.post(path, Some(&ann), &body).await;
            let no_worker = path.ends_with("analyze") && code == 503;
            assert!(code < 500 || no_worker, "{path} {body} {code} {answer}");
        }
    }
    let body = any_json().new_tree(&mut runner).unwrap().current();
    assert_eq!(api.post("/auth/revoke", Some(&ann), &body).await.0, 200, "{body}");
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "goal",
        "context",
        "project_context",
        "execution_preferences",
        "options",
        "file_content",
        "language",
        "username",
        "password",
        "refresh_token",
        "workflow_id",
        "approval_id",
        "decision",
        "max_iterations",
        "notification_webhook",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Value>()),
        ]
    })
}
