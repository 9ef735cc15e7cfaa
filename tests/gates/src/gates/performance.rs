//! Performance: concurrent executions from the submission on, and a load with analyses.

use std::path::Path;
use std::time::Duration;

use ::tests::{Client, Options, Stack, goal_request, program, run_request};
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::check::{Bound, Check, percentage, percentile};
use crate::command::{Place, read_json};
use crate::report::{Measure, Measured};

const MAX_START_P95_SECONDS: f64 = 5.0;
const MAX_COMPLETION_P99_SECONDS: f64 = 30.0;
const MAX_ANALYSIS_P95_SECONDS: f64 = 3.0;
const MIN_SUCCESS_PERCENT: f64 = 60.0;
const MIN_CONCURRENT: f64 = 5.0;

/// Executions submitted at once, and how often that is done.
const CONCURRENT: usize = 10;
const ROUNDS: usize = 3;
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// An execution without an end by then has failed.
const EXECUTION_TIMEOUT: Duration = Duration::from_secs(120);
const BUILD_TIMEOUT: Duration = Duration::from_secs(45 * 60);
const LOAD_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// Relative to the repository.
const SCENARIO: &str = "tests/gates/performance.toml";
const GOAL: &str = "Write a Python function that checks whether a number is prime";

/// One of several concurrent executions, in seconds from its submission.
#[derive(Debug, Clone, Copy)]
pub struct Execution {
    /// Until a worker was observed to have it.
    pub start: Option<f64>,
    /// Until its end was observed.
    pub end: Option<f64>,
    pub is_completed: bool,
}

/// The part of the load generator's report that is judged.
#[derive(Debug, Clone, Deserialize)]
pub struct Load {
    pub verdict: String,
    pub void: Vec<String>,
    pub workflows: Workflows,
    pub series: Vec<Series>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Workflows {
    pub accepted: u64,
    pub lost: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Series {
    pub name: String,
    pub requests: u64,
    pub failed: u64,
    pub p95_ms: f64,
    pub p99_ms: f64,
}

/// Starts a stack, submits executions at once, then puts it under load.
pub async fn measure(place: &Place) -> Measure {
    let mut build = place.command("cargo");
    build.args(["build", "--locked", "-p", "loadtest"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    place.run_well("loadtest-build", build, BUILD_TIMEOUT).await?;
    let stack = Stack::start_with(Options::default().with("budget.per_user_day", "1000000")).await;
    let executions = concurrent_executions(&stack).await;
    let load = load(place, stack.directory()).await?;
    judge(&executions, CONCURRENT, &load)
}

async fn load(place: &Place, data: &Path) -> Result<Load, String> {
    let results = place.fresh_folder("loadtest")?;
    let mut command = place.command(program("promptcraft-loadtest"));
    command.arg(SCENARIO).arg("--data").arg(data).arg("--out").arg(&results);
    // Its thresholds are judged here.
    place.run("loadtest", command, LOAD_TIMEOUT).await?;
    read_json(&results.join("report.json"))
}

async fn concurrent_executions(stack: &Stack) -> Vec<Execution> {
    let client = stack.developer().await;
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let numbers = (0..CONCURRENT).map(|number| round * CONCURRENT + number);
        all.extend(join_all(numbers.map(|number| execute(&client, number))).await);
    }
    all
}

/// Submits a script or, every second time, a goal, and follows it to its end.
async fn execute(client: &Client, number: usize) -> Execution {
    let script = run_request(&format!("print({number})\n"), false);
    let body = if number.is_multiple_of(2) { script } else { goal_request(GOAL, false) };
    let submitted = Instant::now();
    let mut execution = Execution { start: None, end: None, is_completed: false };
    let answer = client.post("/api/v3/execute", &body).await;
    let Some(id) = answer.json()["data"]["workflow_id"].as_str().map(str::to_owned) else { return execution };
    while submitted.elapsed() < EXECUTION_TIMEOUT {
        let answer = client.get(&format!("/api/v3/execute/status/{id}")).await;
        let seconds = submitted.elapsed().as_secs_f64();
        let status = answer.json()["data"]["status"].as_str().unwrap_or("created").to_owned();
        if status != "created" {
            execution.start.get_or_insert(seconds);
        }
        if matches!(status.as_str(), "completed" | "failed" | "cancelled") {
            return Execution { end: Some(seconds), is_completed: status == "completed", ..execution };
        }
        sleep(POLL_INTERVAL).await;
    }
    execution
}

/// Returns a percentile in seconds; `None` if failed requests are among the slowest of that share.
fn seconds(series: Option<&Series>, percent: f64) -> Option<f64> {
    let series = series.filter(|series| series.requests > 0)?;
    let failed_percent = series.failed as f64 * 100.0 / series.requests as f64;
    let ms = if percent > 95.0 { series.p99_ms } else { series.p95_ms };
    (failed_percent <= 100.0 - percent).then_some(ms / 1_000.0)
}

/// Judges the executions and the load. A void load measured nothing.
pub fn judge(executions: &[Execution], concurrent: usize, load: &Load) -> Measure {
    if load.verdict == "void" || !load.void.is_empty() {
        return Err(format!("the load is void: {}", load.void.join("; ")));
    }
    let of = |name: &str| load.series.iter().find(|series| series.name == name);
    // One that never started is slower than any.
    let starts: Vec<f64> = executions.iter().map(|execution| execution.start.unwrap_or(f64::INFINITY)).collect();
    let ends: Vec<f64> = executions.iter().map(|execution| execution.end.unwrap_or(f64::INFINITY)).collect();
    let completed = executions.iter().filter(|execution| execution.is_completed).count();
    // Of both the slower one.
    let completion = seconds(of("workflow"), 99.0).zip(percentile(&ends, 99.0)).map(|(load, burst)| load.max(burst));
    let checks = vec![
        Check::new("start p95", percentile(&starts, 95.0), Bound::Below, MAX_START_P95_SECONDS, "s"),
        Check::new("completion p99", completion, Bound::Below, MAX_COMPLETION_P99_SECONDS, "s"),
        Check::new("analysis p95", seconds(of("analyze"), 95.0), Bound::Below, MAX_ANALYSIS_P95_SECONDS, "s"),
        Check::new(
            "concurrent executions completed",
            percentage(completed, executions.len()),
            Bound::AtLeast,
            MIN_SUCCESS_PERCENT,
            "%",
        ),
        Check::new("executions at once", Some(concurrent as f64), Bound::AtLeast, MIN_CONCURRENT, ""),
        Check::new("workflows lost under load", Some(load.workflows.lost as f64), Bound::AtMost, 0.0, ""),
    ];
    let series: Vec<Value> = load
        .series
        .iter()
        .map(|series| json!({"name": series.name, "requests": series.requests, "failed": series.failed, "p95_ms": series.p95_ms, "p99_ms": series.p99_ms}))
        .collect();
    let facts = json!({
        "executions": executions.len(), "completed": completed, "workflows_under_load": load.workflows.accepted,
        "series": series, "build": if cfg!(debug_assertions) { "debug" } else { "release" },
    });
    Ok(Measured { checks, facts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load() -> Load {
        let series =
            |name: &str| Series { name: name.to_owned(), requests: 1_000, failed: 0, p95_ms: 100.0, p99_ms: 200.0 };
        Load {
            verdict: "passed".to_owned(),
            void: Vec::new(),
            workflows: Workflows { accepted: 50, lost: 0 },
            series: vec![series("analyze"), series("workflow")],
        }
    }

    const GOOD: Execution = Execution { start: Some(0.5), end: Some(2.0), is_completed: true };

    #[track_caller]
    fn check(executions: &[Execution], concurrent: usize, load: &Load, failed: &[&str]) {
        let measured = judge(executions, concurrent, load).unwrap();
        let names: Vec<&str> = measured.checks.iter().filter(|check| !check.passed).map(|check| check.name).collect();
        assert_eq!(names, failed);
    }

    #[test]
    fn every_part_of_the_target_is_judged() {
        let good = [GOOD; 30];
        check(&good, 10, &load(), &[]);
        check(&good, 4, &load(), &["executions at once"]);
        check(&[Execution { start: Some(5.5), ..GOOD }; 30], 10, &load(), &["start p95"]);
        check(&[Execution { end: Some(31.0), ..GOOD }; 30], 10, &load(), &["completion p99"]);
        let failed = Execution { is_completed: false, ..GOOD };
        let mut some = good;
        some[..12].fill(failed);
        check(&some, 10, &load(), &[]);
        some[..13].fill(failed);
        check(&some, 10, &load(), &["concurrent executions completed"]);
        let lost = Load { workflows: Workflows { accepted: 50, lost: 1 }, ..load() };
        check(&good, 10, &lost, &["workflows lost under load"]);
    }

    #[test]
    fn missing_figures_fail() {
        let none = Load { series: Vec::new(), ..load() };
        check(&[GOOD; 30], 10, &none, &["completion p99", "analysis p95"]);
        let never = Execution { start: None, end: None, is_completed: false };
        check(&[never; 30], 10, &load(), &["start p95", "completion p99", "concurrent executions completed"]);
        check(&[], 10, &load(), &["start p95", "completion p99", "concurrent executions completed"]);
        assert!(judge(&[GOOD; 30], 10, &Load { void: vec!["CPU".to_owned()], ..load() }).is_err());
    }

    #[test]
    fn failed_requests_are_slower_than_any_percentile() {
        let mut load = load();
        load.series[0].failed = 50;
        load.series[1].failed = 10;
        check(&[GOOD; 30], 10, &load, &[]);
        load.series[0].failed = 51;
        load.series[1].failed = 11;
        check(&[GOOD; 30], 10, &load, &["completion p99", "analysis p95"]);
    }
}
