//! The result of a gate, and its forms.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::check::{Bound, Check};
use crate::gate::QualityGate;

/// The figures of a gate.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The first check is the figure that the gate is named after; all of them decide.
    pub checks: Vec<Check>,
    /// Further facts for the report.
    pub facts: Value,
}

/// The figures, or the reason why nothing was measured.
pub type Measure = Result<Measured, String>;

/// The result of a gate, an entry of `reports/quality-gates.json`.
#[derive(Debug, Clone, Serialize)]
pub struct GateReport {
    pub name: &'static str,
    pub bound: Option<Bound>,
    pub target: Option<f64>,
    pub current: Option<f64>,
    pub unit: Option<&'static str>,
    pub passed: bool,
    /// True if a release must not go out without it.
    pub critical: bool,
    pub details: Value,
    /// The revision of the source, `-dirty` if files differ from it.
    pub commit: String,
    /// Seconds that the measurement took.
    pub duration: f64,
    #[serde(skip)]
    checks: Vec<Check>,
    #[serde(skip)]
    reason: Option<String>,
}

impl GateReport {
    /// Judges a measurement. One that failed, or that has no checks, has not passed.
    pub fn of(gate: QualityGate, measured: Measure, commit: &str, duration: Duration) -> Self {
        let measured = measured.and_then(|measured| {
            if measured.checks.is_empty() { Err("nothing was measured".to_owned()) } else { Ok(measured) }
        });
        let (checks, details, reason) = match measured {
            Ok(Measured { checks, facts }) => {
                let details = json!({"checks": checks, "facts": facts});
                (checks, details, None)
            }
            Err(reason) => (Vec::new(), json!({"not_measured": reason}), Some(reason)),
        };
        let headline = checks.first();
        Self {
            name: gate.name(),
            bound: headline.map(|check| check.bound),
            target: headline.map(|check| check.target),
            current: headline.and_then(|check| check.current),
            unit: headline.map(|check| check.unit),
            passed: !checks.is_empty() && checks.iter().all(|check| check.passed),
            critical: gate.is_critical(),
            details,
            commit: commit.to_owned(),
            duration: duration.as_secs_f64(),
            checks,
            reason,
        }
    }
}

/// Returns whether every gate passed. No gate at all is a failure.
pub fn all_passed(reports: &[GateReport]) -> bool {
    !reports.is_empty() && reports.iter().all(|report| report.passed)
}

/// Returns the table for the terminal: a line for each check.
pub fn table(reports: &[GateReport]) -> String {
    let mut text = format!("{:<18} {:<38} {:>14} {:>16}  verdict\n", "gate", "figure", "target", "current");
    for report in reports {
        let mut name = report.name;
        let critical = if report.critical { " (critical)" } else { "" };
        for check in &report.checks {
            let verdict = if check.passed { "passed".to_owned() } else { format!("FAILED{critical}") };
            // Writing into a string never fails.
            writeln!(
                text,
                "{name:<18} {:<38} {:>14} {:>16}  {verdict}",
                check.name,
                check.target_text(),
                check.current_text()
            )
            .ok();
            name = "";
        }
        if let Some(reason) = &report.reason {
            writeln!(text, "{name:<18} not measured: {reason}  FAILED{critical}").ok();
        }
    }
    let passed = reports.iter().filter(|report| report.passed).count();
    write!(text, "{passed} of {} gates passed", reports.len()).ok();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(current: Option<f64>) -> Check {
        Check::new("share", current, Bound::Above, 80.0, "%")
    }

    fn report(measured: Measure) -> GateReport {
        GateReport::of(QualityGate::Execution, measured, "abc", Duration::from_secs(2))
    }

    #[test]
    fn every_check_decides() {
        let of = |checks| report(Ok(Measured { checks, facts: Value::Null }));
        assert!(of(vec![check(Some(81.0)), check(Some(100.0))]).passed);
        assert!(!of(vec![check(Some(81.0)), check(Some(79.0))]).passed);
        assert!(!of(vec![check(Some(81.0)), check(None)]).passed);
    }

    #[test]
    fn a_gate_that_could_not_measure_has_failed() {
        for measured in [Err("no program".to_owned()), Ok(Measured { checks: Vec::new(), facts: Value::Null })] {
            let report = report(measured);
            assert!(!report.passed);
            assert!(report.details["not_measured"].is_string(), "{}", report.details);
            assert!(table(std::slice::from_ref(&report)).contains("FAILED (critical)"));
            assert!(!all_passed(&[report]));
        }
        assert!(!all_passed(&[]));
    }

    #[test]
    fn the_document_has_every_field() {
        let report = report(Ok(Measured { checks: vec![check(Some(93.0))], facts: json!({"cases": 7}) }));
        let document = serde_json::to_value(&report).unwrap();
        let names = ["name", "target", "current", "unit", "passed", "critical", "details", "commit", "duration"];
        assert!(names.iter().all(|name| !document[name].is_null()), "{document}");
        assert_eq!(
            (&document["bound"], &document["target"], &document["current"]),
            (&json!(">"), &json!(80.0), &json!(93.0))
        );
        assert_eq!(document["details"]["facts"]["cases"], 7);
    }
}
