//! Reads source code and says what is wrong with it.
//!
//! Owns the rules, the Python taint analysis and the language detection. It never runs the code it reads, never does
//! I/O, never keeps state between calls, and never puts the text it was given into what it returns.
//!
//! Start reading at [`analyze`]; Python lives in `python`, every other language in `text`, the wording of all
//! findings in `rules`.

mod dedent;
#[expect(clippy::wildcard_enum_match_arm, reason = "the lexer's token kinds are the parser's to extend")]
mod depth_limit;
mod findings;
mod fingerprint;
#[expect(clippy::wildcard_enum_match_arm, reason = "a fix names the syntax it is about; the parser adds node kinds")]
mod fixes;
mod language;
#[expect(clippy::wildcard_enum_match_arm, reason = "the lexer's token kinds are the parser's to extend")]
mod layout;
mod lines;
#[expect(clippy::wildcard_enum_match_arm, reason = "the lexer's token kinds are the parser's to extend")]
mod notebook;
#[expect(clippy::wildcard_enum_match_arm, reason = "a rule names the syntax it is about; the parser adds node kinds")]
mod python;
mod report;
mod request;
mod rules;
mod score;
mod suppression;
mod text;

pub use fixes::apply_fixes;
pub use language::detect_language;
pub use report::{Finding, FindingKind, Report, Severity};
pub use request::{Kind, Request};
pub use rules::{Rule, all as all_rules};
pub use suppression::Suppressions;

use findings::Findings;
use language::Guess;
use suppression::Accepted;

/// The largest source that is analysed, in bytes; beyond it the report holds one finding that says so.
pub const MAX_SOURCE_BYTES: usize = 1024 * 1024;

/// Analyses one source text.
///
/// Total: every input gets a report, whatever its size, nesting or encoding. Deterministic, so the same request
/// always gives the same report; work is bounded by a step budget, not by a clock. The exception is the syntax of other languages than
/// Python: their parsers are stopped after half a second, and of a text that was not read by then, made to be slow or on a machine
/// that is busy, nothing is said about its syntax, and nothing in it is taken for a comment.
pub fn analyze(request: &Request<'_>) -> Report {
    let language = match language::guess(request.language, request.file_path, request.source) {
        Guess::Language(language) => language,
        Guess::Notebook => return notebook::analyze(request),
        Guess::NotCode => return not_analysed(),
    };
    if request.source.len() > MAX_SOURCE_BYTES {
        return oversized(language);
    }
    if request.source.trim_start_matches('\u{feff}').trim().is_empty() {
        let outcome = Outcome { parsed: true, confidence: 1.0, tools: vec!["heimdall"] };
        return report(language, Vec::new(), Vec::new(), outcome);
    }
    let (findings, suppressed, outcome) = examine(request, language);
    report(language, findings, suppressed, outcome)
}

/// The findings of a text in one language, and those that its comments accept.
fn examine(request: &Request<'_>, language: &'static str) -> (Vec<Finding>, Vec<Finding>, Outcome) {
    let mut findings = Findings::new(request.source);
    let outcome = if language == "python" {
        python::analyze(request, &mut findings)
    } else {
        text::analyze(language, &mut findings)
    };
    let layout = findings.take_layout();
    let honored = layout.as_ref().filter(|_| request.suppressions == Suppressions::Honor);
    let accepted = honored.map(|layout| (layout, Accepted::read(layout, language)));
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

fn report(language: &str, findings: Vec<Finding>, suppressed: Vec<Finding>, outcome: Outcome) -> Report {
    Report {
        language: language.to_owned(),
        parsed: outcome.parsed,
        overall_score: score::overall(&findings),
        confidence: outcome.confidence,
        tools: outcome.tools.into_iter().map(str::to_owned).collect(),
        findings,
        suppressed,
    }
}

/// The report on a text of a type that is not analysed: without tools, score or confidence.
fn not_analysed() -> Report {
    let outcome = Outcome { parsed: false, confidence: 0.0, tools: Vec::new() };
    Report { overall_score: 0, ..report(language::UNKNOWN, Vec::new(), Vec::new(), outcome) }
}

/// What a language's analysis says about itself.
pub(crate) struct Outcome {
    pub(crate) parsed: bool,
    /// 0..=1: how far the absence of findings can be trusted.
    pub(crate) confidence: f32,
    pub(crate) tools: Vec<&'static str>,
}

fn oversized(language: &str) -> Report {
    let mut findings = Findings::new("");
    findings.report_line(&rules::TOO_LARGE, 1, 1);
    let mut findings = findings.into_sorted(Kind::General);
    fingerprint::assign(&mut findings, "", language, None);
    report(language, findings, Vec::new(), Outcome { parsed: false, confidence: 0.0, tools: vec!["heimdall"] })
}
