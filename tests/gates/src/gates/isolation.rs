//! Security isolation: every attack of `sandbox/tests/attacks` on every backend at every level.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::check::{Bound, Check, percentage};
use crate::command::{Place, read_json};
use crate::report::{Measure, Measured};

/// The sets that every run must have, and the only runtime of a set that has one. Further sets are judged as well.
const REQUIRED_SETS: [(&str, Option<&str>); 4] = [
    ("bubblewrap", None),
    ("docker", None),
    ("bubblewrap-landlock-2", Some(DEFAULT_RUNTIME)),
    ("docker-landlock-2", Some(DEFAULT_RUNTIME)),
];
/// The runtime and the levels of a case that does not name them.
const DEFAULT_RUNTIME: &str = "python";
const EVERY_LEVEL: [&str; 3] = ["strict", "standard", "permissive"];
/// For a build and all attacks.
const TIMEOUT: Duration = Duration::from_secs(45 * 60);

/// An attack as its folder describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub runtime: String,
    pub levels: Vec<String>,
}

/// The results of one backend as the suite writes them to `ATTACKS_JSON`.
#[derive(Debug, Deserialize)]
pub struct Set {
    pub set: String,
    /// The reason why the backend was not tested.
    pub skipped: Option<String>,
    pub runs: Vec<AttackRun>,
}

/// An attack at one level.
#[derive(Debug, Clone, Deserialize)]
pub struct AttackRun {
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
    let mut cases = listed(&place.root.join("sandbox/tests/attacks/cases"))?;
    cases.retain(|_, case| !is_optional(&place.root, &case.runtime));
    let mut measured = judge(&sets(&results)?, &cases)?;
    if measured.checks.iter().all(|check| check.passed) && !status.success() {
        return Err(format!("the suite failed beside its attacks ({status}); see attacks.log"));
    }
    measured.facts["suite"] = json!(status.to_string());
    Ok(measured)
}

/// Returns whether a runtime is built only where it is named; `make languages` runs its attacks.
fn is_optional(root: &Path, runtime: &str) -> bool {
    let file = root.join("sandbox/runtimes").join(runtime).join("runtime.toml");
    fs::read_to_string(file).is_ok_and(|text| text.lines().any(|line| line == "default = false"))
}

fn sets(folder: &Path) -> Result<Vec<Set>, String> {
    let files = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    files.flatten().map(|file| read_json(&file.path())).collect()
}

/// Returns the attacks in the source by name, independent of the suite.
fn listed(folder: &Path) -> Result<BTreeMap<String, Case>, String> {
    let read = |folder: &Path| fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()));
    let mut cases = BTreeMap::new();
    for family in read(folder)?.flatten().filter(|entry| entry.path().is_dir()) {
        for case in read(&family.path())?.flatten() {
            let path = case.path().join("expect.toml");
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let described = parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            let (family, case) = (family.file_name(), case.file_name());
            cases.insert(format!("{}/{}", family.to_string_lossy(), case.to_string_lossy()), described);
        }
    }
    Ok(cases)
}

/// Reads runtime and levels of an `expect.toml`. Both are top-level keys, whose values of one line are JSON as well; any other
/// form is an error.
fn parse(text: &str) -> Result<Case, String> {
    let wrong = |error: serde_json::Error| format!("runtime or levels in another form than expected: {error}");
    let runtime = value_of(text, "runtime").map(serde_json::from_str).transpose().map_err(wrong)?;
    let levels = value_of(text, "levels").map(serde_json::from_str).transpose().map_err(wrong)?;
    Ok(Case {
        runtime: runtime.unwrap_or_else(|| DEFAULT_RUNTIME.to_owned()),
        levels: levels.unwrap_or_else(|| EVERY_LEVEL.map(str::to_owned).to_vec()),
    })
}

/// Returns the value of a top-level key as it is written.
fn value_of<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let top_level = text.lines().take_while(|line| !line.starts_with('['));
    let mut pairs = top_level.filter_map(|line| line.split_once('='));
    pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}

/// Returns what the sets leave out: whole sets and attacks that were skipped, and attacks without a result at one of their
/// levels in a required set.
fn left_out(sets: &[Set], cases: &BTreeMap<String, Case>) -> Vec<String> {
    let skipped = sets.iter().filter_map(|set| Some(format!("{}: {}", set.set, set.skipped.as_ref()?)));
    let mut left_out: Vec<String> = skipped.collect();
    for (name, only) in REQUIRED_SETS {
        if sets.iter().all(|set| set.set != name) {
            left_out.push(format!("{name}: no result"));
        }
        let of_set = sets.iter().filter(|set| set.set == name).flat_map(|set| &set.runs);
        let ran: BTreeSet<(&str, &str)> = of_set.map(|run| (run.case.as_str(), run.level.as_str())).collect();
        for (case, expected) in cases.iter().filter(|(_, case)| only.is_none_or(|only| case.runtime == only)) {
            let missing = expected.levels.iter().filter(|level| !ran.contains(&(case.as_str(), level.as_str())));
            left_out.extend(missing.map(|level| format!("{name}: {case} ({level})")));
        }
    }
    for set in sets {
        let skipped = set.runs.iter().filter(|run| run.skipped);
        left_out.extend(skipped.map(|run| format!("{}: {} ({}) was skipped", set.set, run.case, run.level)));
    }
    left_out
}

/// Judges the results. An attack was not contained if a required set has no result of it at one of its levels.
pub fn judge(sets: &[Set], cases: &BTreeMap<String, Case>) -> Measure {
    if cases.is_empty() || cases.values().any(|case| case.levels.is_empty()) {
        return Err("no attack is listed, or one without a level".to_owned());
    }
    let runs: Vec<&AttackRun> = sets.iter().flat_map(|set| &set.runs).collect();
    let not_run = left_out(sets, cases);
    let wrong: Vec<&str> = runs.iter().filter_map(|run| run.wrong.as_deref()).collect();
    let made = runs.iter().filter(|run| !run.skipped).count();
    let share = percentage(made.saturating_sub(wrong.len()), made);
    let by_set: Vec<_> = sets.iter().map(|set| (set.set.as_str(), set.runs.len())).collect();
    let facts = json!({
        "attacks": cases.len(), "runs": made, "runs_by_set": by_set, "not_contained": wrong,
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

    const NAMES: [&str; 4] = ["bubblewrap", "docker", "bubblewrap-landlock-2", "docker-landlock-2"];

    fn case(runtime: &str) -> Case {
        Case { runtime: runtime.to_owned(), levels: EVERY_LEVEL.map(str::to_owned).to_vec() }
    }

    /// Two attacks at every level, and one with another runtime.
    fn cases() -> BTreeMap<String, Case> {
        let cases = [("kernel/a", "python"), ("network/b", "python"), ("process/c", "bash")];
        cases.map(|(name, runtime)| (name.to_owned(), case(runtime))).into()
    }

    /// A set without a deviation.
    fn set(name: &str) -> Set {
        let is_old = name.contains("landlock");
        let cases = cases();
        let cases = cases.iter().filter(|(_, case)| !is_old || case.runtime == DEFAULT_RUNTIME);
        let runs = cases.flat_map(|(name, case)| case.levels.iter().map(move |level| (name.clone(), level.clone())));
        Set {
            set: name.to_owned(),
            skipped: None,
            runs: runs.map(|(case, level)| AttackRun { case, level, wrong: None, skipped: false }).collect(),
        }
    }

    fn all() -> Vec<Set> {
        NAMES.map(set).into()
    }

    /// Returns the names of the failed checks.
    fn failed(sets: &[Set]) -> Vec<&'static str> {
        let measured = judge(sets, &cases()).unwrap();
        measured.checks.iter().filter(|check| !check.passed).map(|check| check.name).collect()
    }

    #[test]
    fn every_set_must_be_there_with_every_attack_at_every_level() {
        assert_eq!(failed(&all()), [""; 0]);
        for (index, name) in NAMES.into_iter().enumerate() {
            let mut without = all();
            without.remove(index);
            assert_eq!(failed(&without), ["attacks not run"], "without {name}");
            for run in 0..set(name).runs.len() {
                let mut without = all();
                let left_out = without[index].runs.remove(run);
                assert_eq!(failed(&without), ["attacks not run"], "{name} without {left_out:?}");
            }
        }
    }

    #[test]
    fn a_set_that_was_skipped_fails_whatever_else_ran() {
        for index in 0..NAMES.len() {
            let mut skipped = all();
            skipped[index].skipped = Some("no engine".to_owned());
            assert_eq!(failed(&skipped), ["attacks not run"]);
            let mut partly = all();
            partly[index].runs[0].skipped = true;
            assert_eq!(failed(&partly), ["attacks not run"]);
        }
        let mut further = all();
        further.push(Set { skipped: Some("call numbers".to_owned()), ..set("bubblewrap-landlock-4") });
        assert_eq!(failed(&further), ["attacks not run"]);
    }

    #[test]
    fn an_attack_that_was_not_contained_fails_in_any_set() {
        for index in 0..NAMES.len() {
            let mut escaped = all();
            escaped[index].runs[1].wrong = Some("ESCAPED".to_owned());
            assert_eq!(failed(&escaped), ["attacks contained"]);
        }
        let mut further = all();
        let mut set = set("bubblewrap-landlock-4");
        set.runs[0].wrong = Some("ESCAPED".to_owned());
        further.push(set);
        assert_eq!(failed(&further), ["attacks contained"]);
    }

    #[test]
    fn a_run_without_attacks_fails() {
        assert_eq!(failed(&[]), ["attacks contained", "attacks not run"]);
        assert!(judge(&all(), &BTreeMap::new()).is_err());
        let nowhere = BTreeMap::from([("kernel/a".to_owned(), Case { levels: Vec::new(), ..case("python") })]);
        assert!(judge(&all(), &nowhere).is_err());
    }

    #[test]
    fn an_expectation_names_runtime_and_levels_or_has_the_usual_ones() {
        let usual = parse("tries = \"to leave\"\n[blocked]\nlevels = [\"EPERM\"]\nruntime = [\"EPERM\"]\n").unwrap();
        assert_eq!(usual, case("python"));
        let named = parse("tries = \"a = b\"\nruntime = \"bash\"\nlevels = [\"strict\", \"standard\"]\n").unwrap();
        assert_eq!((named.runtime.as_str(), named.levels), ("bash", vec!["strict".to_owned(), "standard".to_owned()]));
        for unread in ["levels = [\n  \"strict\",\n]\n", "levels = ['strict']", "runtime = 7"] {
            assert!(parse(unread).unwrap_err().contains("another form"), "{unread}");
        }
    }

    #[test]
    fn the_attacks_of_this_repository_are_listed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sandbox/tests/attacks/cases");
        let cases = listed(&folder).unwrap();
        assert!(cases.len() >= 70, "{} attacks", cases.len());
        assert!(cases.values().any(|case| case.runtime == "bash") && cases.values().any(|case| case.runtime == "sql"));
    }
}
