//! Security isolation: every attack of `sandbox/tests/attacks` on every backend at every level.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::check::{Bound, Check, percentage};
use crate::command::{Place, read_json};
use crate::report::{Measure, Measured};

/// The sets that every run must have. Sets on other roots are judged as well.
const REQUIRED_SETS: [&str; 2] = ["bubblewrap", "docker"];
/// For a build and all attacks.
const TIMEOUT: Duration = Duration::from_secs(45 * 60);

/// The results of one backend as the suite writes them to `ATTACKS_JSON`.
#[derive(Debug, Deserialize)]
pub struct Set {
    pub set: String,
    /// The reason why the backend was not tested.
    pub skipped: Option<String>,
    pub runs: Vec<Run>,
}

/// An attack at one level.
#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    pub case: String,
    pub level: String,
    pub wrong: Option<String>,
    pub skipped: bool,
}

/// Runs the suite and reads its results.
pub async fn measure(place: &Place) -> Measure {
    let results = place.fresh_folder("attacks")?;
    let mut command = place.command("cargo");
    command.args(["test", "--locked", "-p", "sandbox", "--test", "attacks", "--", "--nocapture"]);
    command.env("ATTACKS_JSON", &results).env_remove("ATTACKS");
    let status = place.run("attacks", command, TIMEOUT).await?;
    let mut measured = judge(&sets(&results)?, &listed(&place.root.join("sandbox/tests/attacks/cases"))?)?;
    if measured.checks.iter().all(|check| check.passed) && !status.success() {
        return Err(format!("the suite failed beside its attacks ({status}); see attacks.log"));
    }
    measured.facts["suite"] = json!(status.to_string());
    Ok(measured)
}

fn sets(folder: &Path) -> Result<Vec<Set>, String> {
    let files = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    files.flatten().map(|file| read_json(&file.path())).collect()
}

/// Returns the attacks in the source, independent of the suite.
fn listed(folder: &Path) -> Result<BTreeSet<String>, String> {
    let read = |folder: &Path| fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()));
    let mut names = BTreeSet::new();
    for family in read(folder)?.flatten().filter(|entry| entry.path().is_dir()) {
        for case in read(&family.path())?.flatten() {
            let (family, case) = (family.file_name(), case.file_name());
            names.insert(format!("{}/{}", family.to_string_lossy(), case.to_string_lossy()));
        }
    }
    Ok(names)
}

/// Judges the results. An attack that was skipped, or is not among the results of a required backend, was not contained.
pub fn judge(sets: &[Set], listed: &BTreeSet<String>) -> Measure {
    if listed.is_empty() {
        return Err("no attack is listed".to_owned());
    }
    let runs: Vec<&Run> = sets.iter().flat_map(|set| &set.runs).collect();
    let mut not_run: Vec<String> = Vec::new();
    for required in REQUIRED_SETS {
        let of_set = sets.iter().filter(|set| set.set == required && set.skipped.is_none());
        let ran: BTreeSet<&String> = of_set.flat_map(|set| &set.runs).map(|run| &run.case).collect();
        not_run.extend(listed.iter().filter(|case| !ran.contains(case)).map(|case| format!("{required}: {case}")));
    }
    let skipped = runs.iter().filter(|run| run.skipped);
    not_run.extend(skipped.map(|run| format!("{} ({})", run.case, run.level)));
    let wrong: Vec<&str> = runs.iter().filter_map(|run| run.wrong.as_deref()).collect();
    let made = runs.iter().filter(|run| !run.skipped).count();
    let share = percentage(made.saturating_sub(wrong.len()), made);
    let reasons: Vec<String> =
        sets.iter().filter_map(|set| Some(format!("{}: {}", set.set, set.skipped.as_ref()?))).collect();
    let by_set: Vec<_> = sets.iter().map(|set| (set.set.as_str(), set.runs.len())).collect();
    let facts = json!({
        "attacks": listed.len(), "runs": made, "runs_by_set": by_set, "not_contained": wrong, "skipped_sets": reasons,
        "not_run": not_run.len(), "not_run_first": not_run.iter().take(20).collect::<Vec<_>>(),
    });
    let checks = vec![
        Check::new("attacks contained", share, Bound::AtLeast, 100.0, "%"),
        Check::new("attacks not run", Some(not_run.len() as f64), Bound::AtMost, 0.0, ""),
    ];
    Ok(Measured { checks, facts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(case: &str) -> Run {
        Run { case: case.to_owned(), level: "strict".to_owned(), wrong: None, skipped: false }
    }

    fn set(name: &str, runs: &[Run]) -> Set {
        Set { set: name.to_owned(), skipped: None, runs: runs.to_vec() }
    }

    #[track_caller]
    fn check(sets: &[Set], passed: bool) {
        let listed = BTreeSet::from(["kernel/a".to_owned(), "network/b".to_owned()]);
        let measured = judge(sets, &listed).unwrap();
        assert_eq!(measured.checks.iter().all(|check| check.passed), passed, "{measured:#?}");
    }

    #[test]
    fn every_attack_must_be_run_and_contained_on_every_backend() {
        let all = [run("kernel/a"), run("network/b")];
        check(&[set("docker", &all), set("bubblewrap", &all)], true);
        check(&[set("bubblewrap", &all)], false);
        check(&[set("docker", &all), set("bubblewrap", &all[..1])], false);
        let escaped = [run("kernel/a"), Run { wrong: Some("ESCAPED".to_owned()), ..run("network/b") }];
        check(&[set("docker", &all), set("bubblewrap", &escaped)], false);
        check(&[set("docker", &all), set("bubblewrap", &all), set("bubblewrap-landlock-2", &escaped)], false);
    }

    #[test]
    fn skipped_attacks_count_as_not_measured() {
        let all = [run("kernel/a"), run("network/b")];
        let skipped = [run("kernel/a"), Run { skipped: true, ..run("network/b") }];
        check(&[set("docker", &all), set("bubblewrap", &skipped)], false);
        let whole = Set { skipped: Some("no engine".to_owned()), ..set("docker", &all) };
        check(&[whole, set("bubblewrap", &all)], false);
    }

    #[test]
    fn a_run_without_attacks_fails() {
        check(&[], false);
        check(&[set("docker", &[]), set("bubblewrap", &[])], false);
        assert!(judge(&[], &BTreeSet::new()).is_err());
    }
}
