//! Weighs the signs of languages in the content of a file of which nothing else shows the language.

use std::ops::Range;
use std::time::Duration;

use source_text::grammar::Deadline;
use source_text::languages::{Language, PYTHON, by_name};

use super::python_evidence::PythonEvidence;
use super::{data_format, grammar_evidence, line_signs, pasted, python_evidence};

/// Maximum bytes of the text that grammars read.
const MAX_READ_BYTES: usize = 32 << 10;
/// Maximum time of all grammars; text that takes longer is no ordinary program.
const MAX_PARSE_TIME: Duration = Duration::from_millis(200);
/// Cost of a line with a syntax error, relative to the weights of signs.
const ERROR_WEIGHT: i32 = 2;
/// Weight from which signs are clear. Prose and lists may have a weaker one by chance.
const MIN_WEIGHT: i32 = 2;

/// The language of a text by its content.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ContentGuess {
    /// A program.
    Program(&'static Language),
    /// No sign of a language is clear.
    Unclear,
    /// Not a program, but this.
    Data(&'static str),
}

/// Returns the language of a text: Python if it is a Python program, else that with most signs and fewest errors.
pub(crate) fn guess(code: &str) -> ContentGuess {
    if let Some(format) = data_format::of(code) {
        return ContentGuess::Data(format);
    }
    if code.trim_start().starts_with("<?")
        && let Some(php) = by_name("php")
    {
        return ContentGuess::Program(php);
    }
    let python = python_evidence::read(code);
    if python.is_inert {
        return ContentGuess::Data("data");
    }
    if python.is_program {
        return ContentGuess::Program(PYTHON);
    }
    if pasted::shape(code).is_some_and(|shape| shape.hides_language) {
        return ContentGuess::Unclear;
    }
    // Before the grammars: bash takes nearly every line for a command.
    if let Some(format) = data_format::build_file(code) {
        return ContentGuess::Data(format);
    }
    if data_format::is_yaml(code) {
        return ContentGuess::Data("YAML");
    }
    weigh(beginning(code), &python).map_or(ContentGuess::Unclear, ContentGuess::Program)
}

/// A language with its weight.
type Candidate = (&'static Language, i32);

fn weigh(code: &str, python: &PythonEvidence) -> Option<&'static Language> {
    let code = masked(code, &python.long_strings, b' ');
    let mut best: Candidate = (PYTHON, score(python.signs, python.error_lines));
    // Of a program without errors, strings and comments are known. Else those of Python are the best guess.
    let mut strings: &[Range<usize>] = &python.strings;
    let deadline = Deadline::within(MAX_PARSE_TIME);
    let read = ["javascript", "typescript", "bash", "lua", "go", "rust"]
        .map(|name| (by_name(name), grammar_evidence::read(name, &code, deadline)));
    let javascript_is_valid = matches!(&read[0], (_, Some(evidence)) if evidence.error_lines == 0);
    for (language, evidence) in &read {
        let (Some(language), Some(evidence)) = (language, evidence) else { continue };
        // Nearly all JavaScript is TypeScript as well, and code with errors is not refused for its language.
        let is_refused = matches!(language.id, "typescript" | "go" | "rust");
        if is_refused && (evidence.error_lines > 0 || language.id == "typescript" && javascript_is_valid) {
            continue;
        }
        let weight = score(evidence.signs, evidence.error_lines);
        if weight > best.1 {
            best = (language, weight);
            strings = if evidence.error_lines == 0 { &evidence.strings } else { &python.strings };
        }
    }
    let sql = line_signs::of_sql(&code);
    if let Some(language) = by_name("sql").filter(|_| sql > best.1) {
        best = (language, sql);
    }
    if let Some(other) = line_signs::read(&masked(&code, strings, b'_')).filter(|other| other.1 > best.1) {
        best = other;
    }
    (best.1 >= MIN_WEIGHT).then_some(best.0)
}

fn score(signs: i32, error_lines: i32) -> i32 {
    signs.saturating_sub(ERROR_WEIGHT.saturating_mul(error_lines))
}

/// Returns the lines at the beginning that grammars read.
fn beginning(code: &str) -> &str {
    let end = code.floor_char_boundary(MAX_READ_BYTES);
    if end == code.len() { code } else { code[..end].rfind('\n').map_or(&code[..end], |at| &code[..at]) }
}

/// Returns the text with ranges filled; offsets and lines stay.
fn masked(code: &str, ranges: &[Range<usize>], fill: u8) -> String {
    let mut bytes = code.as_bytes().to_vec();
    for range in ranges {
        let end = range.end.min(bytes.len());
        let kept = |byte: u8| if matches!(byte, b'\n' | b'\r') { byte } else { fill };
        bytes.get_mut(range.start..end).into_iter().flatten().for_each(|byte| *byte = kept(*byte));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
