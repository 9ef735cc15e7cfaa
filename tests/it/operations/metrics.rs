//! Every family moves as its meaning says, by the right amount.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use service::telemetry::{Family, Process};
use tests::{Options, Scrape, Stack, eventually, goal_request, long_program, question_of, run_request};

const API: &str = "/api_metrics_url";
const WORKER: &str = "/worker_metrics_urls/0";
const APPROVER: &str = "/approver_metrics_url";

type Labels<'a> = &'a [(&'a str, &'a str)];

/// Waits until the series of a process have grown by exactly these amounts since `before`.
#[track_caller]
fn grown<'a>(
    stack: &'a Stack,
    pointer: &'a str,
    before: &'a Scrape,
    expected: &'a [(&'a str, Labels<'a>, f64)],
) -> impl Future<Output = ()> + 'a {
    let what = std::panic::Location::caller();
    async move {
        let growth = |now: &Scrape, name: &str, labels: Labels<'_>| now.sum(name, labels) - before.sum(name, labels);
        let has_grown = || async {
            let now = Scrape::of(stack, pointer).await;
            let all = expected.iter().all(|(name, labels, by)| (growth(&now, name, labels) - by).abs() < 1e-9);
            all.then_some(())
        };
        let limit = Duration::from_secs(10);
        if tokio::time::timeout(limit, eventually("it has grown", limit * 2, has_grown)).await.is_err() {
            let now = Scrape::of(stack, pointer).await;
            let found = expected.iter().map(|(name, labels, by)| (name, labels, by, growth(&now, name, labels)));
            panic!("{what}: name, labels, expected, found: {:#?}", found.collect::<Vec<_>>());
        }
    }
}

/// Waits until a gauge of the API is in the range.
async fn gauge_is(stack: &Stack, name: &'static str, labels: Labels<'_>, range: std::ops::RangeInclusive<f64>) -> f64 {
    eventually(name, Duration::from_secs(15), || async {
        let value = Scrape::of(stack, API).await.sum(name, labels);
        range.contains(&value).then_some(value)
    })
    .await
}

#[tokio::test]
async fn a_workflow_moves_the_metrics_of_every_process() {
    let stack = Stack::start_with(Options::default().with("webhook.allow_private", "true")).await;
    let client = stack.developer().await;
    let [api, worker, approver] = [API, WORKER, APPROVER].map(|pointer| Scrape::of(&stack, pointer));
    let (api, worker, approver) = tokio::join!(api, worker, approver);

    let mut request = run_request("print('measured')\n", true);
    // Nothing listens there.
    request["options"] = json!({"notification_webhook": "http://127.0.0.1:9/"});
    let id = client.execute(&request).await;
    let parked = client.until(&id, "waiting_approval").await;
    gauge_is(&stack, "promptcraft_parked", &[("risk", "low")], 1.0..=1.0).await;
    gauge_is(&stack, "promptcraft_parked_oldest_seconds", &[("risk", "low")], 1.0..=60.0).await;
    gauge_is(&stack, "promptcraft_parked_lifetime_ratio", &[("risk", "low")], 1e-6..=0.1).await;
    client.decide(&id, &question_of(&parked), "approved").await.expect(200);
    client.until(&id, "completed").await;
    gauge_is(&stack, "promptcraft_parked", &[], 0.0..=0.0).await;
    gauge_is(&stack, "promptcraft_parked_oldest_seconds", &[], 0.0..=0.0).await;

    let python = [("phase", "execute"), ("lane", "python")];
    let settled = |phase| [("phase", phase), ("outcome", "settled")];
    grown(
        &stack,
        WORKER,
        &worker,
        &[
            ("promptcraft_steps_total", &settled("plan"), 1.0),
            ("promptcraft_steps_total", &settled("generate"), 1.0),
            ("promptcraft_steps_total", &settled("analyze"), 1.0),
            ("promptcraft_steps_total", &settled("execute"), 1.0),
            ("promptcraft_step_seconds_count", &[("phase", "execute")], 1.0),
            ("promptcraft_step_wait_seconds_count", &[("phase", "plan"), ("lane", "std")], 1.0),
            ("promptcraft_step_wait_seconds_count", &python, 1.0),
            ("promptcraft_sandbox_start_seconds_count", &[("runtime", "python")], 1.0),
            ("promptcraft_sandbox_run_seconds_count", &[("runtime", "python"), ("outcome", "exited")], 1.0),
            ("promptcraft_decision_resume_seconds_count", &[], 0.0),
            ("promptcraft_steps_running", &[], 0.0),
        ],
    )
    .await;
    let now = Scrape::of(&stack, WORKER).await;
    assert!(now.sum("promptcraft_cost_total", &[("phase", "execute")]) > 0.0, "a run costs CPU time");
    assert!(now.sum("promptcraft_worker_slots", &python) >= 1.0 && now.sum("promptcraft_sandbox_up", &[]) == 1.0);
    grown(
        &stack,
        APPROVER,
        &approver,
        &[
            ("promptcraft_gates_total", &[("outcome", "parked")], 1.0),
            ("promptcraft_decisions_total", &[("path", "http"), ("outcome", "applied")], 1.0),
            ("promptcraft_decision_wait_seconds_count", &[("path", "http")], 1.0),
            ("promptcraft_workflows_ended_total", &[("status", "completed"), ("code", "none")], 1.0),
            ("promptcraft_workflows_ended_total", &[], 1.0),
            ("promptcraft_workflow_seconds_count", &[("status", "completed")], 1.0),
            ("promptcraft_workflow_active_seconds_count", &[("status", "completed")], 1.0),
            ("promptcraft_notifications_total", &[("outcome", "delivered")], 0.0),
        ],
    )
    .await;
    let now = Scrape::of(&stack, APPROVER).await;
    assert!(now.sum("promptcraft_notifications_total", &[("outcome", "retried")]) >= 1.0);
    let seconds = |kind: &str| now.sum(&format!("promptcraft_workflow_{kind}_sum"), &[("status", "completed")]);
    assert!(seconds("seconds") > seconds("active_seconds") + 0.5, "the wait for the decision is not active time");
    // Submitted, planned, generated, analyzed, executed, parked, decided.
    let projected =
        [("promptcraft_projected_total", &[] as Labels<'_>, 7.0), ("promptcraft_submissions_total", &[], 1.0)];
    grown(&stack, API, &api, &projected).await;
    gauge_is(&stack, "promptcraft_projector_pending", &[], 0.0..=0.0).await;
    gauge_is(&stack, "promptcraft_stream_messages", &[("stream", "WORKFLOWS")], 7.0..=7.0).await;
}

#[tokio::test]
async fn failures_cancels_decisions_and_analyses_are_counted_apart() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let (worker, approver) = tokio::join!(Scrape::of(&stack, WORKER), Scrape::of(&stack, APPROVER));
    let unserved = "Teach my cat to pilot a submarine";

    let id = client.execute(&goal_request(unserved, false)).await;
    client.until(&id, "failed").await;

    let id = client.execute(&goal_request(unserved, true)).await;
    let approval = question_of(&client.until(&id, "waiting_approval").await);
    let body = json!({"workflow_id": id, "approval_id": approval, "decision": "approved", "code": "print('mine')\n"});
    client.post(&format!("/api/v3/execute/approve/{id}"), &body).await.expect(200);
    let approval = eventually("it parks again", Duration::from_secs(20), || async {
        let data = client.status(&id).await;
        data["pending_approvals"][0]["approval_id"].as_str().filter(|next| *next != approval).map(str::to_owned)
    })
    .await;
    client.decide(&id, &approval, "rejected").await.expect(200);
    client.until(&id, "failed").await;

    let id = client.execute(&run_request(&long_program(60), false)).await;
    eventually("it runs", Duration::from_secs(20), || async {
        let running = Scrape::of(&stack, WORKER).await.sum("promptcraft_steps_running", &[("lane", "python")]);
        (running == 1.0).then_some(())
    })
    .await;
    // A step that runs does not wait.
    gauge_is(&stack, "promptcraft_queue_depth", &[("phase", "execute")], 0.0..=0.0).await;
    client.post(&format!("/api/v3/execute/cancel/{id}"), &json!({})).await.expect(200);
    let analysis = json!({"context": {"file_content": "x = 1\n"}});
    client.post("/api/v3/analyze", &analysis).await.expect(200);

    let failed = |code| [("status", "failed"), ("code", code)];
    grown(
        &stack,
        APPROVER,
        &approver,
        &[
            ("promptcraft_workflows_ended_total", &failed("no_generator"), 1.0),
            ("promptcraft_workflows_ended_total", &failed("rejected"), 1.0),
            ("promptcraft_workflows_ended_total", &[("status", "cancelled"), ("code", "none")], 1.0),
            ("promptcraft_workflows_ended_total", &[], 3.0),
            ("promptcraft_decisions_total", &[("path", "http"), ("outcome", "applied")], 2.0),
        ],
    )
    .await;
    let cancelled = [("runtime", "python"), ("outcome", "cancelled")];
    grown(
        &stack,
        WORKER,
        &worker,
        &[
            ("promptcraft_decision_resume_seconds_count", &[], 1.0),
            ("promptcraft_steps_total", &[("phase", "analyses"), ("outcome", "settled")], 1.0),
            ("promptcraft_sandbox_run_seconds_count", &cancelled, 1.0),
            ("promptcraft_steps_running", &[], 0.0),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_stopped_worker_shows_as_depth_and_age_of_its_queue() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let plan = [("phase", "plan"), ("lane", "std")];
    assert_eq!(Scrape::of(&stack, API).await.sum("promptcraft_queue_depth", &[]), 0.0);
    gauge_is(&stack, "promptcraft_workers", &[], 1.0..=1.0).await;
    stack.signal("worker-1", Signal::STOP);
    let id = client.run("print(1)\n").await;
    gauge_is(&stack, "promptcraft_queue_depth", &plan, 1.0..=1.0).await;
    gauge_is(&stack, "promptcraft_queue_oldest_seconds", &plan, 3.0..=15.0).await;
    // A restarted API finds what waited before.
    let before = stack.pid("api");
    stack.kill("api");
    eventually("the API is restarted", Duration::from_secs(20), || async {
        let is_up = reqwest::get(format!("{}/ready", stack.url())).await.is_ok_and(|answer| answer.status() == 200);
        (stack.pid("api") != before && is_up).then_some(())
    })
    .await;
    gauge_is(&stack, "promptcraft_queue_depth", &plan, 1.0..=1.0).await;
    gauge_is(&stack, "promptcraft_workers", &[], 0.0..=0.0).await;
    gauge_is(&stack, "promptcraft_healthy", &[], 0.0..=0.0).await;
    stack.signal("worker-1", Signal::CONT);
    client.until(&id, "completed").await;
    gauge_is(&stack, "promptcraft_queue_depth", &[], 0.0..=0.0).await;
    gauge_is(&stack, "promptcraft_queue_oldest_seconds", &[], 0.0..=0.0).await;
    gauge_is(&stack, "promptcraft_healthy", &[], 1.0..=1.0).await;
}

#[tokio::test]
async fn each_process_exports_the_families_of_the_table_and_no_others() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.run("print(1)\n").await;
    client.until(&id, "completed").await;
    for (process, pointer) in [(Process::Api, API), (Process::Worker, WORKER), (Process::Approver, APPROVER)] {
        let found = Scrape::of(&stack, pointer).await.families();
        let own = |family: &&Family| family.processes.contains(&process);
        for family in Family::all().iter().filter(own) {
            let labels = found.get(family.name).unwrap_or_else(|| panic!("{process:?} lacks {}", family.name));
            let expected: BTreeSet<String> = family.labels.iter().map(|label| (*label).to_owned()).collect();
            assert_eq!(*labels, expected, "{process:?} {}", family.name);
        }
        let known: BTreeSet<&str> = Family::all().iter().filter(own).map(|family| family.name).collect();
        let others = found.keys().filter(|name| name.starts_with("promptcraft_") && !known.contains(name.as_str()));
        assert_eq!(others.count(), 0, "{process:?} exports {found:?}");
        assert!(found.contains_key("process_resident_memory_bytes"), "{process:?}");
    }
}
