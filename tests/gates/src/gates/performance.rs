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
const MIN_AT_ONCE: f64 = 5.0;

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

/// One of several concurrent executions, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Execution {
    /// From the submission until a worker was observed to have it.
    pub start: Option<f64>,
    /// The first and the last time at which it was observed running, from the beginning of the measurement.
    pub running: Option<(f64, f64)>,
    /// From the submission until its end was observed.
    pub end: Option<f64>,
    pub is_completed: bool,
}

/// The part of the load generator's report that is judged.
#[derive(Debug, Clone, Deserialize)]
pub struct Load {
    pub verdict: String,
    pub void: Vec<String>,
    pub checks: Vec<Condition>,
    pub workflows: WorkflowCounts,
    pub series: Vec<SeriesFigures>,
}

/// A threshold of the scenario, or a condition of every run.
#[derive(Debug, Clone, Deserialize)]
pub struct Condition {
    pub name: String,
    pub condition: String,
    pub shown: String,
    pub passed: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct WorkflowCounts {
    pub accepted: u64,
    pub lost: u64,
    pub doubled: u64,
    pub mismatched: u64,
    pub reordered: u64,
    pub wrong: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct SeriesFigures {
    pub name: String,
    pub requests: u64,
    pub failed: u64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
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
    judge(&executions, &load)
}

async fn load(place: &Place, data: &Path) -> Result<Load, String> {
    let results = place.fresh_folder("loadtest")?;
    let mut command = place.command(program("promptcraft-loadtest"));
    command.arg(SCENARIO).arg("--data").arg(data).arg("--out").arg(&results);
    // A missed threshold is in the report, too.
    place.run("loadtest", command, LOAD_TIMEOUT).await?;
    read_json(&results.join("report.json"))
}

async fn concurrent_executions(stack: &Stack) -> Vec<Execution> {
    let client = stack.developer().await;
    let began = Instant::now();
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let numbers = (0..CONCURRENT).map(|number| round * CONCURRENT + number);
        all.extend(join_all(numbers.map(|number| execute(&client, number, began))).await);
    }
    all
}

/// Submits a script or, every second time, a goal, and follows it to its end. `began` is the beginning of the measurement.
async fn execute(client: &Client, number: usize, began: Instant) -> Execution {
    let script = run_request(&format!("print({number})\n"), false);
    let body = if number.is_multiple_of(2) { script } else { goal_request(GOAL, false) };
    let submitted = Instant::now();
    let mut execution = Execution { start: None, running: None, end: None, is_completed: false };
    let answer = client.post("/api/v3/execute", &body).await;
    let Some(id) = answer.json()["data"]["workflow_id"].as_str().map(str::to_owned) else { return execution };
    while submitted.elapsed() < EXECUTION_TIMEOUT {
        let answer = client.get(&format!("/api/v3/execute/status/{id}")).await;
        let seconds = submitted.elapsed().as_secs_f64();
        let status = answer.json()["data"]["status"].as_str().unwrap_or("created").to_owned();
        if status != "created" {
            execution.start.get_or_insert(seconds);
        }
        if status == "running" {
            let now = began.elapsed().as_secs_f64();
            execution.running.get_or_insert((now, now)).1 = now;
        }
        if matches!(status.as_str(), "completed" | "failed" | "cancelled") {
            return Execution { end: Some(seconds), is_completed: status == "completed", ..execution };
        }
        sleep(POLL_INTERVAL).await;
    }
    execution
}

/// Returns a percentile over all requests in seconds, where a failed one is slower than any other; `None` if it is a failed
/// one. The report has few percentiles of the successful requests; the next one at or above the shifted rank is taken.
fn seconds(series: Option<&SeriesFigures>, percent: f64) -> Option<f64> {
    let series = series?;
    let (all, served) = (series.requests as f64, series.requests.saturating_sub(series.failed) as f64);
    let known = [(95.0, series.p95_ms), (99.0, series.p99_ms), (99.9, series.p999_ms), (100.0, series.max_ms)];
    let (_, ms) = known.into_iter().find(|(known, _)| served > 0.0 && known * served >= percent * all)?;
    Some(ms / 1_000.0)
}

/// Returns the largest number of executions that were running at the same time.
fn most_at_once(executions: &[Execution]) -> usize {
    let running: Vec<(f64, f64)> = executions.iter().filter_map(|execution| execution.running).collect();
    // The number grows only where one begins.
    let at = |time: f64| running.iter().filter(|(first, last)| (*first..=*last).contains(&time)).count();
    running.iter().map(|(first, _)| at(*first)).max().unwrap_or(0)
}

/// Judges the executions and the load. A void load measured nothing.
pub fn judge(executions: &[Execution], load: &Load) -> Measure {
    if load.verdict == "void" || !load.void.is_empty() {
        return Err(format!("the load is void: {}", load.void.join("; ")));
    }
    let missed = missed(load);
    if load.verdict != "passed" && missed.is_empty() {
        return Err(format!("the load has the verdict {:?} without a missed condition", load.verdict));
    }
    let of = |name: &str| load.series.iter().find(|series| series.name == name);
    // One that never started is slower than any.
    let starts: Vec<f64> = executions.iter().map(|execution| execution.start.unwrap_or(f64::INFINITY)).collect();
    let ends: Vec<f64> = executions.iter().map(|execution| execution.end.unwrap_or(f64::INFINITY)).collect();
    let completed = executions.iter().filter(|execution| execution.is_completed).count();
    let at_once = most_at_once(executions);
    // Of both the slower one.
    let completion = seconds(of("workflow"), 99.0).zip(percentile(&ends, 99.0)).map(|(load, burst)| load.max(burst));
    let mut checks = vec![
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
        Check::new("executions at once", Some(at_once as f64), Bound::AtLeast, MIN_AT_ONCE, ""),
    ];
    checks.extend(of_load(load, missed.len()));
    let series: Vec<Value> = load
        .series
        .iter()
        .map(|series| json!({"name": series.name, "requests": series.requests, "failed": series.failed, "p95_ms": series.p95_ms, "p99_ms": series.p99_ms}))
        .collect();
    let facts = json!({
        "executions": executions.len(), "completed": completed, "workflows_under_load": load.workflows.accepted,
        "missed_under_load": missed, "series": series, "build": if cfg!(debug_assertions) { "debug" } else { "release" },
    });
    Ok(Measured { checks, facts })
}

/// Describes the conditions that the load missed.
fn missed(load: &Load) -> Vec<String> {
    let missed = load.checks.iter().filter(|check| !check.passed);
    missed.map(|check| format!("{} {}: {}", check.name, check.condition, check.shown)).collect()
}

/// Returns the checks of the load generator's own verdict: its figures of workflows, and all its conditions.
fn of_load(load: &Load, missed: usize) -> Vec<Check> {
    let workflows = &load.workflows;
    let zero = |name, count: u64| Check::new(name, Some(count as f64), Bound::AtMost, 0.0, "");
    vec![
        zero("workflows lost under load", workflows.lost),
        zero("workflows ended twice under load", workflows.doubled),
        zero("workflows mixed up under load", workflows.mismatched),
        zero("workflows out of order under load", workflows.reordered),
        zero("workflows with a wrong end under load", workflows.wrong),
        zero("conditions missed under load", missed as u64),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load() -> Load {
        let series = |name: &str| SeriesFigures {
            name: name.to_owned(),
            requests: 1_000,
            failed: 0,
            p95_ms: 100.0,
            p99_ms: 200.0,
            p999_ms: 4_000.0,
            max_ms: 40_000.0,
        };
        Load {
            verdict: "passed".to_owned(),
            void: Vec::new(),
            checks: vec![condition(true)],
            workflows: WorkflowCounts { accepted: 50, lost: 0, doubled: 0, mismatched: 0, reordered: 0, wrong: 0 },
            series: vec![series("analyze"), series("workflow")],
        }
    }

    fn condition(passed: bool) -> Condition {
        Condition { name: "errors.rate".to_owned(), condition: "< 1%".to_owned(), shown: "2.00 %".to_owned(), passed }
    }

    const GOOD: Execution =
        Execution { start: Some(0.5), running: Some((0.5, 1.9)), end: Some(2.0), is_completed: true };

    #[track_caller]
    fn check(executions: &[Execution], load: &Load, failed: &[&str]) {
        let measured = judge(executions, load).unwrap();
        let names: Vec<&str> = measured.checks.iter().filter(|check| !check.passed).map(|check| check.name).collect();
        assert_eq!(names, failed);
    }

    #[test]
    fn every_part_of_the_target_is_judged() {
        let good = [GOOD; 30];
        check(&good, &load(), &[]);
        check(&[Execution { start: Some(5.5), ..GOOD }; 30], &load(), &["start p95"]);
        check(&[Execution { end: Some(31.0), ..GOOD }; 30], &load(), &["completion p99"]);
        let failed = Execution { is_completed: false, ..GOOD };
        let mut some = good;
        some[..12].fill(failed);
        check(&some, &load(), &[]);
        some[..13].fill(failed);
        check(&some, &load(), &["concurrent executions completed"]);
    }

    #[test]
    fn only_executions_that_were_running_together_are_at_once() {
        // Groups that follow each other.
        let in_groups_of = |size: usize| {
            let running = |index: usize| Some(((index / size) as f64, (index / size) as f64 + 0.9));
            (0..30).map(|index| Execution { running: running(index), ..GOOD }).collect::<Vec<_>>()
        };
        check(&in_groups_of(5), &load(), &[]);
        check(&in_groups_of(4), &load(), &["executions at once"]);
        check(&in_groups_of(1), &load(), &["executions at once"]);
        assert_eq!(most_at_once(&in_groups_of(7)), 7);
        let staggered = [(0.0, 2.0), (1.0, 3.0), (2.5, 4.0)].map(|seen| Execution { running: Some(seen), ..GOOD });
        assert_eq!(most_at_once(&staggered), 2);
    }

    #[test]
    fn the_load_fails_the_gate_by_its_own_verdict() {
        let workflows = load().workflows;
        for (wrong, name) in [
            (WorkflowCounts { lost: 1, ..workflows.clone() }, "workflows lost under load"),
            (WorkflowCounts { doubled: 1, ..workflows.clone() }, "workflows ended twice under load"),
            (WorkflowCounts { mismatched: 1, ..workflows.clone() }, "workflows mixed up under load"),
            (WorkflowCounts { reordered: 1, ..workflows.clone() }, "workflows out of order under load"),
            (WorkflowCounts { wrong: 1, ..workflows.clone() }, "workflows with a wrong end under load"),
        ] {
            check(&[GOOD; 30], &Load { workflows: wrong, ..load() }, &[name]);
        }
        let failed = Load { verdict: "failed".to_owned(), checks: vec![condition(false)], ..load() };
        check(&[GOOD; 30], &failed, &["conditions missed under load"]);
        assert!(judge(&[GOOD; 30], &Load { verdict: "failed".to_owned(), ..load() }).is_err());
        assert!(judge(&[GOOD; 30], &Load { verdict: "void".to_owned(), ..load() }).is_err());
        assert!(judge(&[GOOD; 30], &Load { void: vec!["CPU".to_owned()], ..load() }).is_err());
    }

    #[test]
    fn missing_figures_fail() {
        let none = Load { series: Vec::new(), ..load() };
        check(&[GOOD; 30], &none, &["completion p99", "analysis p95"]);
        let never = Execution { start: None, running: None, end: None, is_completed: false };
        let all = ["start p95", "completion p99", "concurrent executions completed", "executions at once"];
        check(&[never; 30], &load(), &all);
        check(&[], &load(), &all);
    }

    #[test]
    fn failed_requests_are_slower_than_any_percentile() {
        let failed = |count: u64| SeriesFigures { failed: count, ..load().series[0].clone() };
        for (count, p95, p99) in [
            (0, Some(0.1), Some(0.2)),
            (1, Some(0.2), Some(4.0)),
            // Rank 950 of the 960 successful ones is just below their 99th percentile.
            (40, Some(0.2), None),
            (45, Some(4.0), None),
            (50, Some(40.0), None),
            (51, None, None),
            (1_000, None, None),
        ] {
            let series = failed(count);
            assert_eq!((seconds(Some(&series), 95.0), seconds(Some(&series), 99.0)), (p95, p99), "{count} failed");
        }
        let none = SeriesFigures { requests: 0, ..failed(0) };
        assert_eq!((seconds(Some(&none), 95.0), seconds(None, 95.0)), (None, None));
        let mut load = load();
        load.series[0].failed = 45;
        load.series[1].failed = 10;
        check(&[GOOD; 30], &load, &["completion p99", "analysis p95"]);
    }
}
