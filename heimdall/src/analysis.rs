//! Analysis of a text whose language is known, and construction of its report.

use crate::findings::Findings;
use crate::metadata::AnalysisMetadata;
use crate::request::AnalysisRequest;
use crate::suppression::AcceptedFindings;
use crate::{fingerprint, language, python, rules, score, text};
use analysis_report::{AnalysisReport, Finding};
use analysis_report::{AnalysisType, Suppressions};

/// Maximum source size, in bytes. The report on a larger source has one finding, `SOURCE-TOO-LARGE`.
pub const MAX_SOURCE_BYTES: usize = 1024 * 1024;

/// Returns the findings of a text and, separately, those that its comments accept.
pub(crate) fn examine(
    request: &AnalysisRequest<'_>,
    language: &'static str,
) -> (Vec<Finding>, Vec<Finding>, AnalysisMetadata) {
    let mut findings = Findings::new(request.source);
    let outcome = if language == "python" {
        python::analyze(request, &mut findings)
    } else {
        text::analyze(language, &mut findings)
    };
    let layout = findings.take_layout();
    let honored = layout.as_ref().filter(|_| request.suppressions == Suppressions::Honor);
    let accepted = honored.map(|layout| (layout, AcceptedFindings::read(layout, language)));
    for line in accepted.iter().flat_map(|(_, accepted)| accepted.unknown_rules()) {
        findings.report_line(&rules::UNKNOWN_SUPPRESSION, *line, *line);
    }
    let mut findings = findings.into_sorted(request.kind);
    fingerprint::assign(&mut findings, request.source, language, layout.as_ref());
    let is_accepted =
        |finding: &Finding| accepted.as_ref().is_some_and(|(layout, accepted)| accepted.covers(layout, finding));
    let (suppressed, findings) = findings.into_iter().partition(is_accepted);
    (findings, suppressed, outcome)
}

pub(crate) fn report(
    language: &str,
    findings: Vec<Finding>,
    suppressed: Vec<Finding>,
    outcome: AnalysisMetadata,
) -> AnalysisReport {
    AnalysisReport {
        language: language.to_owned(),
        parsed: outcome.parsed,
        overall_score: score::overall(&findings),
        confidence: outcome.confidence,
        tools: outcome.tools.into_iter().map(str::to_owned).collect(),
        findings,
        suppressed,
    }
}

/// Returns the report for text that is not code: no tools, score 0, confidence 0.
pub(crate) fn not_analysed() -> AnalysisReport {
    let outcome = AnalysisMetadata { parsed: false, confidence: 0.0, tools: Vec::new() };
    AnalysisReport { overall_score: 0, ..report(language::UNKNOWN, Vec::new(), Vec::new(), outcome) }
}

pub(crate) fn oversized(language: &str) -> AnalysisReport {
    let mut findings = Findings::new("");
    findings.report_line(&rules::TOO_LARGE, 1, 1);
    let mut findings = findings.into_sorted(AnalysisType::General);
    fingerprint::assign(&mut findings, "", language, None);
    report(language, findings, Vec::new(), AnalysisMetadata { parsed: false, confidence: 0.0, tools: vec!["heimdall"] })
}
