//! Static analysis of source code: finds security, performance, style and architecture problems.
//!
//! Owns the rules, the Python taint analysis and the language detection. It never runs the code it reads, does no I/O,
//! keeps no state between calls, and never copies source text into its results.
//!
//! Start reading at [`analyze`]. Python is in `python`, all other languages are in `text`, and the finding texts are in
//! `rules`.

mod analysis;
mod dedent;
mod findings;
mod fingerprint;
#[expect(clippy::wildcard_enum_match_arm, reason = "a fix matches specific syntax; the parser may add node kinds")]
mod fixes;
mod language;
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser may add token kinds")]
mod layout;
mod lines;
mod metadata;
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser may add token kinds")]
mod notebook;
#[expect(clippy::wildcard_enum_match_arm, reason = "a rule matches specific syntax; the parser may add node kinds")]
mod python;
mod request;
mod rules;
mod score;
mod suppression;
mod text;

pub use analysis::MAX_SOURCE_BYTES;
pub use analysis_report::{AnalysisReport, AnalysisType, Finding, FindingKind, Severity, Suppressions};
pub use findings::limit_findings;
pub use fixes::apply_fixes;
pub use language::detect_language;
pub use request::AnalysisRequest;
pub use rules::{Rule, all as all_rules};

use analysis::{examine, not_analysed, oversized, report};
use language::Guess;
use metadata::AnalysisMetadata;

/// Analyses one source text. Total and deterministic: every input gets a report, and the same request gives the same
/// report.
///
/// A step budget bounds the work, not a clock. The exception is the syntax check of other languages: their parsers stop
/// after half a second, and if a parser stops, no syntax error is reported and no text counts as a comment.
pub fn analyze(request: &AnalysisRequest<'_>) -> AnalysisReport {
    let language = match language::guess(request.language, request.file_path, request.source) {
        Guess::Language(language) => language,
        Guess::Notebook => return notebook::analyze(request),
        Guess::NotCode => return not_analysed(),
    };
    if request.source.len() > MAX_SOURCE_BYTES {
        return oversized(language);
    }
    if request.source.trim_start_matches('\u{feff}').trim().is_empty() {
        let outcome = AnalysisMetadata { parsed: true, confidence: 1.0, tools: vec!["heimdall"] };
        return report(language, Vec::new(), Vec::new(), outcome);
    }
    let (findings, suppressed, outcome) = examine(request, language);
    report(language, findings, suppressed, outcome)
}
