//! The overall score of a report.

use analysis_report::{Finding, FindingKind, Severity};

/// Returns 100 minus the weights of all security findings, at least 0. Repeats of a rule count half.
pub(crate) fn overall(findings: &[Finding]) -> u8 {
    let mut seen: Vec<&str> = Vec::new();
    let mut lost = 0_u32;
    for finding in findings.iter().filter(|finding| finding.kind == FindingKind::Security) {
        let weight = weight(finding.severity);
        if seen.contains(&finding.rule.as_str()) {
            lost += weight / 2;
        } else {
            seen.push(&finding.rule);
            lost += weight;
        }
    }
    u8::try_from(100_u32.saturating_sub(lost)).unwrap_or(0)
}

const fn weight(severity: Severity) -> u32 {
    match severity {
        Severity::Critical => 40,
        Severity::High => 25,
        Severity::Medium => 10,
        Severity::Low => 2,
    }
}
