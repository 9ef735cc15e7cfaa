//! Says where a text of another language than Python cannot be parsed.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{Language, Node, ParseOptions, Parser, Tree};

use crate::findings::Findings;
use crate::rules;

/// A parser is stopped after this time. Written code needs 0.1 to 0.3 ms a KiB; a text made to be slow needs the square of its size,
/// and its steps differ so much in cost that counting them bounds nothing (measured: 25 us to 8 ms for a hundred).
const PATIENCE: Duration = Duration::from_millis(500);

/// What a parser said of a text.
pub(super) enum Verdict {
    Valid,
    Broken,
    /// No parser for the language, or none that came to an end.
    Unknown,
}

/// Parses the text and reports the first place that is wrong, without quoting it.
pub(super) fn check(language: &str, findings: &mut Findings<'_>) -> Verdict {
    let source = findings.source();
    let mut verdict = Verdict::Unknown;
    let mut first_wrong = None;
    for grammar in grammars(language) {
        let Some(tree) = parse(&grammar, source) else { continue };
        let Some(wrong) = first_error(tree.root_node()) else { return Verdict::Valid };
        verdict = Verdict::Broken;
        first_wrong = first_wrong.max(Some(wrong));
    }
    if let Some(row) = first_wrong {
        // What is missing at the end stands behind the last line.
        let line = u32::try_from((row + 1).min(source.lines().count())).unwrap_or(u32::MAX);
        findings.report_line(&rules::TEXT_SYNTAX, line, line);
    }
    verdict
}

/// The grammars that a text of the language may follow; the one that gets furthest has the say.
fn grammars(language: &str) -> Vec<Language> {
    match language {
        "javascript" => vec![tree_sitter_javascript::LANGUAGE.into()],
        "typescript" => {
            vec![tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(), tree_sitter_typescript::LANGUAGE_TSX.into()]
        }
        "go" => vec![tree_sitter_go::LANGUAGE.into()],
        "rust" => vec![tree_sitter_rust::LANGUAGE.into()],
        "bash" => vec![tree_sitter_bash::LANGUAGE.into()],
        _ => Vec::new(),
    }
}

fn parse(grammar: &Language, source: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(grammar).ok()?;
    let began = now();
    let mut on_progress =
        |_: &_| if began.elapsed() > PATIENCE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let options = ParseOptions::new().progress_callback(&mut on_progress);
    let mut rest = |offset: usize, _| source.as_bytes().get(offset..).unwrap_or_default();
    parser.parse_with_options(&mut rest, None, Some(options))
}

#[expect(clippy::disallowed_methods, reason = "bounds work that counting cannot bound")]
fn now() -> Instant {
    Instant::now()
}

/// The row, from 0, where the first thing stands that is wrong or before which something is missing.
fn first_error(root: Node<'_>) -> Option<usize> {
    let mut node = root;
    loop {
        if !node.has_error() {
            return None;
        }
        if node.is_error() || node.is_missing() {
            return Some(node.start_position().row);
        }
        let mut cursor = node.walk();
        node = node.children(&mut cursor).find(Node::has_error)?;
    }
}
