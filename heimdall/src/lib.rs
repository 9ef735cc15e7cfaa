//! Reads source code and says what is wrong with it.
//!
//! Owns the rules, the Python taint analysis and the language detection. It never runs the code it reads, never does
//! I/O, never keeps state between calls, and never puts the text it was given into what it returns.
//!
//! Start reading at [`analyze`]; Python lives in `python`, every other language in `text`, the wording of all
//! findings in `rules`.

mod analysis;
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
mod outcome;
#[expect(clippy::wildcard_enum_match_arm, reason = "a rule names the syntax it is about; the parser adds node kinds")]
mod python;
mod report;
mod request;
mod rules;
mod score;
mod suppression;
mod text;

pub use analysis::MAX_SOURCE_BYTES;
pub use fixes::apply_fixes;
pub use language::detect_language;
pub use report::{Finding, FindingKind, Report, Severity};
pub use request::{Kind, Request};
pub use rules::{Rule, all as all_rules};
pub use suppression::Suppressions;

use analysis::{examine, not_analysed, oversized, report};
use language::Guess;
use outcome::Outcome;

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
