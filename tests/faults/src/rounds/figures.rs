//! The figures of a round in a form for programs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::checker::MAX_RECOVERY;
use crate::rounds::RoundVerdict;

/// The figures of a round, written by `--json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RoundFigures {
    pub name: String,
    /// Injected faults.
    pub made: usize,
    /// True if the log could be read, so that the other figures are known.
    pub is_judged: bool,
    /// Accepted workflows.
    pub workflows: usize,
    /// Workflows with a violation.
    pub broken_workflows: usize,
    /// Violations by invariant that concern the whole round, without those of the recovery.
    pub whole_violations: BTreeMap<String, usize>,
    pub recovery_seconds: Option<f64>,
    /// True if a new workflow completed within the allowed time after the last fault.
    pub is_recovered: bool,
    pub seconds: f64,
}

impl RoundFigures {
    /// Returns the figures of a round.
    pub fn of(verdict: &RoundVerdict) -> Self {
        let broken: BTreeSet<_> = verdict.violations.iter().filter_map(|violation| violation.workflow).collect();
        let mut whole = BTreeMap::new();
        for violation in verdict.violations.iter().filter(|violation| violation.workflow.is_none()) {
            if !violation.is_late_recovery() {
                *whole.entry(violation.invariant.name().to_owned()).or_insert(0) += 1;
            }
        }
        Self {
            name: verdict.name.clone(),
            made: verdict.made,
            is_judged: verdict.unreadable.is_none(),
            workflows: verdict.workflows,
            broken_workflows: broken.len(),
            whole_violations: whole,
            recovery_seconds: verdict.recovery.map(|recovery| recovery.as_secs_f64()),
            is_recovered: verdict.recovery.is_some_and(|recovery| recovery <= MAX_RECOVERY),
            seconds: verdict.took.as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::ids::WorkflowId;

    use super::*;
    use crate::checker::{Invariant, Violation};

    #[test]
    fn a_workflow_counts_once_and_a_late_recovery_is_no_further_violation() {
        let id: WorkflowId = "018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3".parse().unwrap();
        let violation = |invariant, workflow| Violation { invariant, workflow, what: String::new() };
        let verdict = RoundVerdict {
            workflows: 40,
            recovery: Some(MAX_RECOVERY + Duration::from_secs(1)),
            violations: vec![
                violation(Invariant::EndsOnce, Some(id)),
                violation(Invariant::Progress, Some(id)),
                violation(Invariant::Progress, None),
                violation(Invariant::AuditComplete, None),
            ],
            ..RoundVerdict::default()
        };
        let figures = RoundFigures::of(&verdict);
        assert_eq!((figures.broken_workflows, figures.is_judged, figures.is_recovered), (1, true, false));
        assert_eq!(figures.whole_violations, BTreeMap::from([("audited".to_owned(), 1)]));
        let unreadable = RoundVerdict { unreadable: Some("no broker".to_owned()), ..RoundVerdict::default() };
        assert!(!RoundFigures::of(&unreadable).is_judged);
    }
}
