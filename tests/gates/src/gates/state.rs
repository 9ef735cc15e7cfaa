//! State reliability: workflows under random fault schedules, and Redis.

use std::time::Duration;

use ::tests::{Options, Stack, redis_answers, redis_command};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::check::{Bound, Check, percentage};
use crate::command::{Place, read_json};
use crate::report::{Measure, Measured};

const MIN_SCHEDULES: f64 = 10.0;
const MIN_WORKFLOWS: f64 = 2_000.0;
const TARGET_PERCENT: f64 = 99.5;
const RECOVERY_PERCENT: f64 = 95.0;
const MAX_MINUTES: f64 = 20.0;
/// For a build and the schedules.
const TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// Redis writes its file every second.
const REDIS_SYNC_DELAY: Duration = Duration::from_secs(3);
const REDIS_RESTART_TIMEOUT: Duration = Duration::from_secs(30);

/// The size of a run.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub schedules: u64,
    /// Workflows in each schedule.
    pub workflows: usize,
}

impl Default for Size {
    fn default() -> Self {
        // A submission that a fault refuses is no accepted workflow.
        Self { schedules: 10, workflows: 220 }
    }
}

/// The results as `faults --json` writes them.
#[derive(Debug, Default, Deserialize)]
pub struct Results {
    pub failed: Vec<String>,
    pub rounds: Vec<Round>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Round {
    pub name: String,
    /// Injected faults.
    pub made: usize,
    pub is_judged: bool,
    pub workflows: usize,
    pub broken_workflows: usize,
    pub whole_violations: std::collections::BTreeMap<String, usize>,
    pub recovery_seconds: Option<f64>,
    pub is_recovered: bool,
}

/// Redis, as a client sees it.
#[derive(Debug, Clone, Copy)]
pub struct Redis {
    pub answers: bool,
    /// A value survived a kill.
    pub persists: bool,
}

/// Plays the schedules, then kills Redis of a stack.
pub async fn measure(place: &Place, size: Size) -> Measure {
    let result = place.fresh_file("faults.json")?;
    // The build is no part of the measured time.
    place.run_well("faults-build", place.command(place.root.join("scripts/instrument.sh")), TIMEOUT).await?;
    let mut command = place.command(place.root.join("scripts/faults.sh"));
    command.args(["seeds", "--first", "1", "--hours", "0.5"]);
    command.args(["--count", &size.schedules.to_string(), "--workflows", &size.workflows.to_string()]);
    command.arg("--json").arg(&result);
    let began = Instant::now();
    // A broken invariant also fails the program; the rounds are judged here.
    place.run("faults", command, TIMEOUT).await?;
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    judge(&read_json(&result)?, minutes, redis().await)
}

/// Writes a value, kills Redis and reads the value from the restarted one.
async fn redis() -> Redis {
    let stack = Stack::start_with(Options::default()).await;
    let answers = redis_answers(&stack, &["PING"]);
    redis_command(&stack, &["SET", "gate:probe", "kept"]);
    sleep(REDIS_SYNC_DELAY).await;
    stack.kill("redis");
    let script = "if redis.call('get', KEYS[1]) == 'kept' then return 1 end return redis.error_reply('ERR lost')";
    let give_up = Instant::now() + REDIS_RESTART_TIMEOUT;
    let mut persists = false;
    while !persists && Instant::now() < give_up {
        sleep(Duration::from_millis(200)).await;
        persists = redis_answers(&stack, &["EVAL", script, "1", "gate:probe"]);
    }
    Redis { answers, persists }
}

/// Judges the rounds. A round without an injected fault, or whose log could not be read, shows nothing: its workflows count as
/// broken.
pub fn judge(results: &Results, minutes: f64, redis: Redis) -> Measure {
    if let Some(reason) = results.failed.first() {
        return Err(format!("not every schedule was played: {reason}"));
    }
    let rounds = &results.rounds;
    let is_shown = |round: &&Round| round.made > 0 && round.is_judged;
    let workflows: usize = rounds.iter().map(|round| round.workflows).sum();
    let good = |round: &Round| round.workflows.saturating_sub(round.broken_workflows);
    let intact: usize = rounds.iter().filter(is_shown).map(good).sum();
    let recovered = rounds.iter().filter(is_shown).filter(|round| round.is_recovered).count();
    let mut whole = std::collections::BTreeMap::new();
    for (invariant, count) in rounds.iter().flat_map(|round| &round.whole_violations) {
        *whole.entry(invariant.as_str()).or_insert(0) += count;
    }
    let broken: usize = whole.values().sum();
    let number = |flag| if flag { 1.0 } else { 0.0 };
    let checks = vec![
        Check::new(
            "workflows with every promise kept",
            percentage(intact, workflows),
            Bound::Above,
            TARGET_PERCENT,
            "%",
        ),
        Check::new("workflows", Some(workflows as f64), Bound::AtLeast, MIN_WORKFLOWS, ""),
        Check::new("schedules", Some(rounds.len() as f64), Bound::AtLeast, MIN_SCHEDULES, ""),
        Check::new("recovered within 30 s", percentage(recovered, rounds.len()), Bound::Above, RECOVERY_PERCENT, "%"),
        Check::new("promises broken for a whole schedule", Some(broken as f64), Bound::AtMost, 0.0, ""),
        Check::new("duration", Some(minutes), Bound::AtMost, MAX_MINUTES, "min"),
        Check::new("Redis answers", Some(number(redis.answers)), Bound::AtLeast, 1.0, ""),
        Check::new("Redis keeps a value over a kill", Some(number(redis.persists)), Bound::AtLeast, 1.0, ""),
    ];
    let schedules: Vec<Value> = rounds
        .iter()
        .map(|round| {
            json!({
                "name": round.name, "faults": round.made, "workflows": round.workflows, "broken": round.broken_workflows,
                "recovery_seconds": round.recovery_seconds, "log_was_read": round.is_judged,
            })
        })
        .collect();
    Ok(Measured { checks, facts: json!({"schedules": schedules, "broken_for_a_whole_schedule": whole}) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD_REDIS: Redis = Redis { answers: true, persists: true };

    fn results(change: impl Fn(usize, &mut Round)) -> Results {
        let round = |number| {
            let mut round = Round {
                name: format!("seed {number}"),
                made: 4,
                is_judged: true,
                workflows: 220,
                broken_workflows: 0,
                whole_violations: std::collections::BTreeMap::new(),
                recovery_seconds: Some(1.0),
                is_recovered: true,
            };
            change(number, &mut round);
            round
        };
        Results { failed: Vec::new(), rounds: (0..10).map(round).collect() }
    }

    #[track_caller]
    fn check(results: &Results, minutes: f64, redis: Redis, failed: &[&str]) {
        let measured = judge(results, minutes, redis).unwrap();
        let names: Vec<&str> = measured.checks.iter().filter(|check| !check.passed).map(|check| check.name).collect();
        assert_eq!(names, failed);
    }

    #[test]
    fn every_part_of_the_target_is_judged() {
        check(&results(|_, _| ()), 15.0, GOOD_REDIS, &[]);
        check(&results(|_, round| round.broken_workflows = 1), 15.0, GOOD_REDIS, &[]);
        check(
            &results(|_, round| round.broken_workflows = 2),
            15.0,
            GOOD_REDIS,
            &["workflows with every promise kept"],
        );
        check(&results(|_, round| round.workflows = 199), 15.0, GOOD_REDIS, &["workflows"]);
        check(&results(|number, round| round.is_recovered = number > 0), 15.0, GOOD_REDIS, &["recovered within 30 s"]);
        let audit = |number, round: &mut Round| {
            if number == 3 {
                round.whole_violations.insert("audited".to_owned(), 1);
            }
        };
        check(&results(audit), 15.0, GOOD_REDIS, &["promises broken for a whole schedule"]);
        check(&results(|_, _| ()), 20.1, GOOD_REDIS, &["duration"]);
        check(&results(|_, _| ()), 15.0, Redis { answers: false, ..GOOD_REDIS }, &["Redis answers"]);
        check(&results(|_, _| ()), 15.0, Redis { persists: false, ..GOOD_REDIS }, &["Redis keeps a value over a kill"]);
    }

    #[test]
    fn a_schedule_that_shows_nothing_has_failed() {
        let failed = ["workflows with every promise kept", "recovered within 30 s"];
        check(&results(|number, round| round.is_judged = number > 0), 15.0, GOOD_REDIS, &failed);
        check(&results(|number, round| round.made = number), 15.0, GOOD_REDIS, &failed);
        assert!(
            judge(&Results { failed: vec!["no broker".to_owned()], ..results(|_, _| ()) }, 1.0, GOOD_REDIS).is_err()
        );
    }

    #[test]
    fn a_run_without_schedules_fails() {
        let failed = ["workflows with every promise kept", "workflows", "schedules", "recovered within 30 s"];
        check(&Results::default(), 1.0, GOOD_REDIS, &failed);
    }
}
