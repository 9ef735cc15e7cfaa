//! Execution success: the share of the scenarios in `tests/scenarios` that end as expected.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::check::{Bound, Check, percentage};
use crate::command::{Place, read_json};
use crate::report::{Measure, Measured};

const TARGET_PERCENT: f64 = 80.0;
/// For a build and the whole corpus.
const TIMEOUT: Duration = Duration::from_secs(45 * 60);

/// An outcome as `scripts/scenarios.sh` writes it to `SCENARIOS_JSON`.
#[derive(Debug, Deserialize)]
pub struct ScenarioOutcome {
    pub id: String,
    /// Name of the corpus file.
    pub kind: String,
    pub verdict: String,
}

/// Submits every scenario to a stack and reads the outcomes.
pub async fn measure(place: &Place) -> Measure {
    let result = place.fresh_file("scenarios.json")?;
    let mut command = place.command(place.root.join("scripts/scenarios.sh"));
    command.env("SCENARIOS_JSON", &result).env_remove("SCENARIOS");
    // The script has its own, stricter thresholds; the outcomes are judged here.
    place.run("scenarios", command, TIMEOUT).await?;
    judge(&read_json::<Vec<ScenarioOutcome>>(&result)?)
}

/// Judges outcomes. Without any, nothing was measured.
pub fn judge(outcomes: &[ScenarioOutcome]) -> Measure {
    let expected = outcomes.iter().filter(|outcome| outcome.verdict == "as_expected").count();
    let share = percentage(expected, outcomes.len()).ok_or("the corpora have no scenarios")?;
    let mut kinds: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for outcome in outcomes {
        let [good, all] = kinds.entry(&outcome.kind).or_default();
        *good += usize::from(outcome.verdict == "as_expected");
        *all += 1;
    }
    let of = |verdict: &str| -> Vec<&str> {
        outcomes.iter().filter(|outcome| outcome.verdict == verdict).map(|outcome| outcome.id.as_str()).collect()
    };
    let facts = json!({
        "scenarios": outcomes.len(), "as_expected": expected, "missed": of("missed"), "false_completed": of("false_completed"),
        "as_expected_of_all_by_corpus": kinds,
    });
    let check = Check::new("scenarios that end as expected", Some(share), Bound::Above, TARGET_PERCENT, "%");
    Ok(Measured { checks: vec![check], facts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(good: usize, bad: usize) -> Vec<ScenarioOutcome> {
        let of = |verdict: &str| ScenarioOutcome {
            id: "a".to_owned(),
            kind: "plain".to_owned(),
            verdict: verdict.to_owned(),
        };
        let good = (0..good).map(|_| of("as_expected"));
        good.chain((0..bad).map(|index| of(if index % 2 == 0 { "missed" } else { "false_completed" }))).collect()
    }

    #[test]
    fn only_outcomes_as_expected_are_successes() {
        assert!(judge(&outcomes(81, 19)).unwrap().checks[0].passed);
        assert!(!judge(&outcomes(80, 20)).unwrap().checks[0].passed);
        assert!(judge(&[]).is_err());
    }
}
