//! `GET /health` and `GET /ready`: the state of the system and of this process.

use actix_web::{HttpResponse, web};
use messaging::{GeneratorReport, WorkerReport};
use serde_json::{Value, json};
use service::lifecycle::Lifecycle;

use crate::auth::freshness::is_fresh;
use crate::auth::state::Auth;
use crate::http::problem::Problem;
use crate::workflows::heartbeats::unserved;
use crate::workflows::peers::Peers;
use crate::workflows::state::Workflows;

/// Returns 200 while workflows can be processed, else 503 with the problems. Without Redis the API is degraded, not
/// unhealthy.
pub(crate) async fn health(
    workflows: web::Data<Workflows>,
    auth: web::Data<Auth>,
    peers: web::Data<Peers>,
) -> HttpResponse {
    let is_redis_up = workflows.view.is_up().await;
    let (document, is_healthy) =
        assess_health(is_fresh(&auth.tokens), is_redis_up, &peers.workers.all(), peers.approvers.all().len());
    let mut response = if is_healthy { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(document)
}

/// Returns whether `/health` answers 200.
pub(crate) fn is_healthy(auth: &Auth, reports: &[WorkerReport], approvers: usize) -> bool {
    let (_, is_healthy) = assess_health(is_fresh(&auth.tokens), true, reports, approvers);
    is_healthy
}

fn assess_health(is_nats_up: bool, is_redis_up: bool, reports: &[WorkerReport], approvers: usize) -> (Value, bool) {
    let (workers, sandbox, approver) = (workers(reports), sandbox(reports), approver(approvers));
    let mut problems = Vec::new();
    if !is_nats_up {
        problems.push("nats: the broker is unavailable or sends no updates".to_owned());
    }
    for (name, service) in [("workers", &workers), ("sandbox", &sandbox), ("approver", &approver)] {
        if service["status"] != "up" {
            problems.push(format!("{name}: {}", service["detail"].as_str().unwrap_or("down")));
        }
    }
    let is_healthy = problems.is_empty();
    let mut document = json!({
        "status": if is_healthy { "healthy" } else { "unhealthy" },
        "version": env!("CARGO_PKG_VERSION"),
        "degraded": !is_redis_up,
        "services": {
            "nats": {"status": up(is_nats_up)},
            "redis": {
                "status": up(is_redis_up),
                "detail": if is_redis_up { "available" } else { "unavailable; reads use the log, limits are local" },
            },
            "workers": workers,
            "sandbox": sandbox,
            "approver": approver,
            "generator": generator(reports),
        },
    });
    if !is_healthy {
        document["problems"] = json!(problems);
    }
    (document, is_healthy)
}

fn up(is_up: bool) -> &'static str {
    if is_up { "up" } else { "down" }
}

fn workers(reports: &[WorkerReport]) -> Value {
    let missing = unserved(reports);
    let (status, detail) = match (reports.is_empty(), missing.is_empty()) {
        (true, _) => ("down", "no worker sent a heartbeat within 5 s".to_owned()),
        (false, false) => ("degraded", format!("no worker serves {}", missing.join(", "))),
        (false, true) => ("up", "every phase is served".to_owned()),
    };
    let running: u32 = reports.iter().map(|report| report.running).sum();
    json!({"status": status, "detail": detail, "count": reports.len(), "running": running})
}

fn sandbox(reports: &[WorkerReport]) -> Value {
    let runners: Vec<&WorkerReport> =
        reports.iter().filter(|report| report.phases.iter().any(|phase| phase == "execute")).collect();
    let working = runners.iter().find(|report| report.sandbox_ok);
    let mut runtimes: Vec<&str> = runners
        .iter()
        .filter(|report| report.sandbox_ok)
        .flat_map(|report| &report.runtimes)
        .map(String::as_str)
        .collect();
    runtimes.sort_unstable();
    runtimes.dedup();
    let (backend, detail) = match working.or(runners.first()) {
        Some(report) => (report.sandbox_backend.as_str(), report.sandbox_detail.as_str()),
        None => ("none", "no worker executes code"),
    };
    json!({"status": up(working.is_some()), "backend": backend, "detail": detail, "runtimes": runtimes})
}

/// Returns the state of goal matching at the worker with the weakest matcher. Matching by keywords is healthy too.
fn generator(reports: &[WorkerReport]) -> Value {
    let reports = reports.iter().filter_map(|report| report.generator.as_ref());
    let rank = |report: &&GeneratorReport| match report.matching.as_str() {
        "embeddings" => 2,
        "keywords" => 0,
        _ => 1,
    };
    match reports.min_by_key(rank) {
        Some(report) => json!({
            "status": "up",
            "matching": report.matching,
            "model": report.model,
            "recipes": report.recipes,
            "detail": report.detail,
        }),
        None => json!({"status": "down", "detail": "no report from a worker that generates"}),
    }
}

/// Returns the state of the approvers: every workflow passes one before it completes.
fn approver(count: usize) -> Value {
    let detail = if count > 0 { "gates are evaluated" } else { "no approver sent a heartbeat within 5 s" };
    json!({"status": up(count > 0), "detail": detail, "count": count})
}

/// Returns 200 while this process can serve: fresh revocations, a signing key, and not draining.
pub(crate) async fn ready(auth: web::Data<Auth>, lifecycle: web::Data<Lifecycle>) -> Result<HttpResponse, Problem> {
    let obstacle = if lifecycle.stopping().is_cancelled() {
        Some("Draining.")
    } else if !is_fresh(&auth.tokens) {
        Some("Not connected to the broker; requests are rejected.")
    } else if !auth.tokens.is_ready() {
        Some("No signing key.")
    } else {
        None
    };
    match obstacle {
        None => Ok(HttpResponse::Ok().json(json!({"status": "ready"}))),
        Some(why) => Err(Problem::unavailable(why, std::time::Duration::from_secs(1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(phases: &[&str], sandbox_ok: bool) -> WorkerReport {
        matching_worker(phases, sandbox_ok, "embeddings")
    }

    fn matching_worker(phases: &[&str], sandbox_ok: bool, matching: &str) -> WorkerReport {
        WorkerReport {
            instance: "w1".to_owned(),
            phases: phases.iter().map(|phase| (*phase).to_owned()).collect(),
            runtimes: vec!["python".to_owned()],
            runtime_details: Vec::new(),
            running: 1,
            running_workflows: Vec::new(),
            sandbox_backend: "bubblewrap".to_owned(),
            sandbox_ok,
            sandbox_detail: "Landlock ABI 6".to_owned(),
            catalogue: None,
            generator: phases.contains(&"generate").then(|| GeneratorReport {
                matching: matching.to_owned(),
                model: None,
                recipes: 90,
                detail: String::new(),
            }),
        }
    }

    #[test]
    fn health_names_problems_and_tolerates_a_missing_redis() {
        let all = ["plan", "generate", "analyze", "execute", "analyses"];
        let check = |nats, redis, reports: &[WorkerReport], approvers, healthy: bool, wrong: usize| {
            let (document, is_healthy) = assess_health(nats, redis, reports, approvers);
            assert_eq!(is_healthy, healthy, "{document}");
            assert_eq!(document["problems"].as_array().map_or(0, Vec::len), wrong, "{document}");
            assert_eq!(document["degraded"], json!(!redis));
        };
        check(true, true, &[worker(&all, true)], 1, true, 0);
        check(true, false, &[worker(&all, true)], 1, true, 0);
        check(false, true, &[worker(&all, true)], 1, false, 1);
        check(true, true, &[], 1, false, 2);
        check(true, true, &[worker(&all[..3], true)], 1, false, 2);
        check(true, true, &[worker(&all, false)], 1, false, 1);
        check(true, true, &[worker(&all, false), worker(&["execute"], true)], 1, true, 0);
        check(true, true, &[worker(&all, true)], 0, false, 1);
    }

    #[test]
    fn health_reports_the_weakest_matcher() {
        let worker = |matching| matching_worker(&["generate"], false, matching);
        for (reports, expected) in [
            (vec![worker("embeddings"), worker("embeddings (loading)")], json!("embeddings (loading)")),
            (vec![worker("keywords"), worker("embeddings")], json!("keywords")),
            (vec![worker("embeddings")], json!("embeddings")),
            (vec![matching_worker(&["execute"], true, "embeddings")], Value::Null),
        ] {
            let entry = generator(&reports);
            assert_eq!(entry["matching"], expected, "{entry}");
            assert_eq!(entry["status"] == "up", !expected.is_null(), "{entry}");
        }
    }
}
