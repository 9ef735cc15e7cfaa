//! Reads source code and says what is wrong with it.
//!
//! Owns the rules, the Python taint analysis and the language detection. It never runs the code it reads, never does
//! I/O, never keeps state between calls, and never puts the text it was given into what it returns.
//!
//! Start reading at [`analyze`]; Python lives in `python`, every other language in `text`, the wording of all
//! findings in `rules`.

mod dedent;
mod findings;
mod language;
#[expect(clippy::wildcard_enum_match_arm, reason = "the lexer's token kinds are the parser's to extend")]
mod nesting;
#[expect(clippy::wildcard_enum_match_arm, reason = "a rule names the syntax it is about; the parser adds node kinds")]
mod python;
mod report;
mod request;
mod rules;
mod score;
mod text;

pub use language::detect_language;
pub use report::{Finding, FindingKind, Report, Severity};
pub use request::{Kind, Request};
pub use rules::{Rule, all as all_rules};

use findings::Findings;

/// The largest source that is analysed, in bytes; beyond it the report holds one finding that says so.
pub const MAX_SOURCE_BYTES: usize = 1024 * 1024;

/// Analyses one source text.
///
/// Total: every input gets a report, whatever its size, nesting or encoding. Deterministic, so the same request
/// always gives the same report; work is bounded by a step budget, not by a clock. The exception is the syntax of other languages than
/// Python: their parsers are stopped after half a second in all, and of a text that was not read by then, made to be slow or on a machine
/// that is busy, nothing is said about its syntax.
pub fn analyze(request: &Request<'_>) -> Report {
    let language = language::language_of(request.language, request.file_path, request.source);
    if request.source.len() > MAX_SOURCE_BYTES {
        return oversized(language);
    }
    let mut findings = Findings::new(request.source);
    let outcome = if language == "python" {
        python::analyze(request, &mut findings)
    } else {
        text::analyze(language, &mut findings)
    };
    let findings = findings.into_sorted(request.kind);
    Report {
        language: language.to_owned(),
        parsed: outcome.parsed,
        overall_score: score::overall(&findings),
        confidence: outcome.confidence,
        tools: outcome.tools.into_iter().map(str::to_owned).collect(),
        findings,
    }
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
    let findings = findings.into_sorted(Kind::General);
    Report {
        language: language.to_owned(),
        parsed: false,
        overall_score: score::overall(&findings),
        confidence: 0.0,
        tools: vec!["heimdall".to_owned()],
        findings,
    }
}
