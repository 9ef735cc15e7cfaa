//! Reports syntax errors without quoting the source.

use ruff_python_ast::ModModule;
use ruff_python_parser::{ParseErrorType, Parsed};
use ruff_text_size::{TextRange, TextSize};

use crate::findings::Findings;
use crate::rules;

/// Maximum syntax errors reported. With more, the text is probably not Python.
const MAX_REPORTED: usize = 20;

pub(crate) fn report(parsed: &Parsed<ModModule>, nul: bool, source: &str, findings: &mut Findings<'_>) {
    for error in parsed.errors().iter().take(MAX_REPORTED) {
        let note = explain(&error.error);
        let start = error.location.start();
        findings.report_with_note(&rules::SYNTAX, TextRange::new(start, start), note);
    }
    if nul {
        let before = source.find('\0').unwrap_or(0);
        let offset = TextSize::try_from(before).unwrap_or_default();
        let note = "The text contains a NUL byte, which Python does not allow.".to_owned();
        findings.report_with_note(&rules::SYNTAX, TextRange::new(offset, offset), note);
    }
}

/// Returns the parser's message if it has fixed words only, because some messages quote the source.
fn explain(error: &ParseErrorType) -> String {
    let message = match error {
        ParseErrorType::ExpectedToken { expected, .. } => return format!("Expected {}.", plain(&expected.to_string())),
        ParseErrorType::OtherError(_)
        | ParseErrorType::StringAnnotationError(_)
        | ParseErrorType::UnexpectedTokenAfterAsync(_) => "The statement is incomplete or not valid here.".to_owned(),
        ParseErrorType::FStringError(_) | ParseErrorType::TStringError(_) => {
            "A formatted string is not valid.".to_owned()
        }
        ParseErrorType::Lexical(_) => {
            "A string is not terminated, the indentation is inconsistent, or a character is not allowed here."
                .to_owned()
        }
        fixed => plain(&fixed.to_string()),
    };
    if message.ends_with('.') { message } else { format!("{message}.") }
}

fn plain(message: &str) -> String {
    message.replace('`', "")
}
