//! Distinguishes prose, data and code by counting kinds of lines.

use std::panic::catch_unwind;

use ruff_python_ast::helpers::any_over_expr;
use ruff_python_ast::{Expr, PySourceType, Stmt};
use ruff_python_parser::parse_unchecked_source;
use source_text::depth_limit;

use super::triple_quotes::TripleQuotes;

/// Words frequent in sentences and rare in code.
const SENTENCE_WORDS: &[&str] = &[
    "the", "an", "this", "that", "these", "you", "your", "we", "our", "it", "its", "they", "of", "to", "be", "are",
    "was", "were", "will", "can", "should", "und", "der", "die", "das", "ist", "nicht", "les", "des", "est", "los",
    "que",
];

/// Prefixes of code lines without punctuation.
const CODE_STARTS: &[&str] = &[
    "echo ", "export ", "sudo ", "set -", "cd ", "import ", "package ", "return ", "assert ", "raise ", "#include",
    "@", "$", "<", "print(", "print \"", "print '", "FROM ", "RUN ", "COPY ", "fi", "done", "else", "end", "pass",
    "break", "continue",
];

/// Character sequences frequent in code and rare in prose.
const CODE_MARKS: &[&str] = &[
    " = ", "==", "!=", "+=", ":=", "=>", "->", "::", "&&", "||", "()", "${", "$(", "[\"", "['", "\"]", "']", "(\"",
    "('", "={",
];

/// Minimum words of a sentence.
const MIN_WORDS: usize = 4;

/// Number of lines by kind.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct LineCounts {
    code: usize,
    prose: usize,
    other: usize,
}

impl LineCounts {
    /// Counts the lines outside of comments and triple-quoted strings.
    pub(super) fn of(lines: &[&str]) -> Self {
        let mut shape = Self::default();
        let mut quote = TripleQuotes::default();
        lines.iter().for_each(|line| quote.read(line));
        let closes = !quote.is_open();
        let mut in_comment = false;
        for line in lines {
            let quoted = quote.is_open() && closes;
            quote.read(line);
            in_comment |= line.starts_with("/*");
            let skipped = in_comment || quoted || line.is_empty() || is_comment(line);
            in_comment &= !line.contains("*/");
            if skipped {
                continue;
            }
            if is_code(line) {
                shape.code += 1;
            } else if is_sentence(line) {
                shape.prose += 1;
            } else {
                shape.other += 1;
            }
        }
        shape
    }

    pub(super) fn is_prose(self) -> bool {
        self.prose > self.code
    }

    /// Returns true if at least half of the lines are code.
    pub(super) fn is_code(self) -> bool {
        self.code > 0 && self.code >= self.prose + self.other
    }
}

fn is_comment(line: &str) -> bool {
    ["#", "//", "* ", "-- ", "<!--"].iter().any(|mark| line.starts_with(mark)) && !line.starts_with("#include")
}

fn is_code(line: &str) -> bool {
    CODE_STARTS.iter().any(|start| line.starts_with(start))
        || CODE_MARKS.iter().any(|mark| line.contains(mark))
        || line.ends_with([';', '{', '}', '(', '[', '\\'])
        || is_header(line)
        || is_import(line)
        || holds_call(line)
}

/// Returns true for the header of a Python block.
fn is_header(line: &str) -> bool {
    let Some(head) = line.strip_suffix(':') else { return false };
    let first = head.split([' ', '(']).next().unwrap_or_default();
    const WORDS: &[&str] = &[
        "if", "elif", "else", "for", "while", "def", "class", "with", "try", "except", "finally", "async", "match",
        "case",
    ];
    WORDS.contains(&first)
}

fn is_import(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("from") && words.next().is_some() && words.next() == Some("import")
}

/// Returns true if a bracket directly follows a name, except for a plural such as `file(s)`.
fn holds_call(line: &str) -> bool {
    line.match_indices('(').any(|(at, _)| {
        let named = line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        named && !line[at + 1..].starts_with("s)")
    })
}

fn is_sentence(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let plain = words.iter().filter(|word| is_word(word)).count();
    let is_marked = line.ends_with(['.', '!', '?'])
        || words.iter().any(|word| SENTENCE_WORDS.contains(&word.to_ascii_lowercase().as_str()));
    words.len() >= MIN_WORDS && plain * 4 >= words.len() * 3 && is_marked
}

fn is_word(word: &str) -> bool {
    let word = word.trim_matches(|c: char| ",.;:!?\"'()-*".contains(c));
    !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '-' | '’'))
}

/// Maximum depth of a text that is parsed for language detection.
const MAX_DEPTH: usize = 100;

/// Evidence that a text is Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParseEvidence {
    /// It does not parse, or has only names and constants, as prose may have.
    None,
    /// It parses and has an effect.
    Valid,
    /// It parses and has statements or calls that data and other languages do not have.
    Program,
}

/// Parses the text as Python and returns the evidence.
pub(super) fn of_python(source: &str) -> ParseEvidence {
    if depth_limit::python_depth(source) > MAX_DEPTH {
        return ParseEvidence::Valid;
    }
    let parse = || {
        stacker::maybe_grow(1024 * 1024, 4 * 1024 * 1024, || {
            let parsed = parse_unchecked_source(source, PySourceType::Python);
            let body = &parsed.syntax().body;
            match parsed.has_valid_syntax() {
                true if body.iter().any(is_program) => ParseEvidence::Program,
                true if body.is_empty() || body.iter().any(does_something) => ParseEvidence::Valid,
                _ => ParseEvidence::None,
            }
        })
    };
    catch_unwind(parse).unwrap_or(ParseEvidence::None)
}

/// Returns true for a definition, a block, an import, or a call.
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser may add statement kinds")]
fn is_program(statement: &Stmt) -> bool {
    let calls = |value: &Expr| any_over_expr(value, |part| matches!(part, Expr::Call(_)));
    match statement {
        Stmt::FunctionDef(_) | Stmt::ClassDef(_) | Stmt::For(_) | Stmt::While(_) | Stmt::If(_) => true,
        Stmt::With(_) | Stmt::Try(_) | Stmt::Raise(_) | Stmt::Assert(_) | Stmt::ImportFrom(_) => true,
        Stmt::Expr(it) => matches!(*it.value, Expr::Call(_) | Expr::Await(_)) || calls(&it.value),
        Stmt::Assign(it) => calls(&it.value),
        Stmt::AnnAssign(it) => it.value.is_some(),
        _ => false,
    }
}

fn does_something(statement: &Stmt) -> bool {
    if let Stmt::Expr(it) = statement {
        return matches!(
            *it.value,
            Expr::Call(_) | Expr::Attribute(_) | Expr::Await(_) | Expr::Yield(_) | Expr::Lambda(_) | Expr::ListComp(_)
        );
    }
    statement.as_ann_assign_stmt().is_none_or(|it| it.value.is_some())
}
