//! Syntax check of languages other than Python.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{Language, Node, ParseOptions, Parser, Tree};

use crate::findings::Findings;
use crate::rules;

/// Maximum total parse time of a text, for all its grammars. Typical code takes 0.1 to 0.3 ms per KiB. A hostile text
/// takes quadratic time, and counting parser steps does not bound it (measured: 25 us to 8 ms per hundred steps).
const PARSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Result of a syntax check.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SyntaxVerdict {
    Valid,
    Broken,
    /// The language has no grammar, or the parser was stopped.
    Unknown,
}

/// Parses the text and reports the first syntax error without quoting it.
pub(super) fn check(language: &str, findings: &mut Findings<'_>) -> SyntaxVerdict {
    let source = findings.source();
    let read = ascii_for_bash(language, source);
    let began = now();
    let (verdict, first_wrong) = best_verdict(&grammars(language), |grammar| parse(grammar, &read, began));
    if let Some(row) = first_wrong {
        // An error at the end of the text is after the last line.
        let line = u32::try_from((row + 1).min(source.lines().count())).unwrap_or(u32::MAX);
        findings.report_line(&rules::TEXT_SYNTAX, line, line);
    }
    verdict
}

/// Returns the tree of the first grammar that accepts the text, else of the first grammar, with the text its offsets
/// refer to. Returns `None` if there is no grammar or the parser was stopped.
pub(crate) fn tree<'s>(language: &str, source: &'s str) -> Option<(Tree, Cow<'s, str>)> {
    let read = ascii_for_bash(language, source);
    let began = now();
    let mut first = None;
    for grammar in grammars(language) {
        let tree = parse(&grammar, &read, began)?;
        if !tree.root_node().has_error() {
            return Some((tree, read));
        }
        first = first.or(Some(tree));
    }
    first.map(|tree| (tree, read))
}

/// Returns true if the language has a grammar.
pub(super) fn is_known(language: &str) -> bool {
    !grammars(language).is_empty()
}

/// Replaces non-ASCII characters for the Bash grammar, keeping offsets. That grammar calls `isdigit` out of range for
/// them, which aborts the process (tree-sitter-bash 0.25.1, issue 337).
fn ascii_for_bash<'s>(language: &str, source: &'s str) -> Cow<'s, str> {
    if language == "bash" && !source.is_ascii() {
        let letters = |c: char| std::iter::repeat_n(if c.is_ascii() { c } else { 'x' }, c.len_utf8());
        source.chars().flat_map(letters).collect()
    } else {
        Cow::Borrowed(source)
    }
}

/// Returns the verdict, and the error row of the grammar that gets furthest. If a grammar was stopped, only acceptance
/// by an earlier one counts, because the stopped one might accept the text.
fn best_verdict(
    grammars: &[Language],
    mut parse: impl FnMut(&Language) -> Option<Tree>,
) -> (SyntaxVerdict, Option<usize>) {
    let mut first_wrong = None;
    for grammar in grammars {
        let Some(tree) = parse(grammar) else { return (SyntaxVerdict::Unknown, None) };
        let wrong = first_error(tree.root_node()).map(|node| node.start_position().row);
        let Some(wrong) = wrong else { return (SyntaxVerdict::Valid, None) };
        first_wrong = first_wrong.max(Some(wrong));
    }
    (if first_wrong.is_some() { SyntaxVerdict::Broken } else { SyntaxVerdict::Unknown }, first_wrong)
}

/// Returns the grammars of a language.
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

/// Parses a text; returns `None` if the parser was stopped.
fn parse(grammar: &Language, source: &str, began: Instant) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(grammar).ok()?;
    let mut on_progress =
        |_: &_| if began.elapsed() > PARSE_TIMEOUT { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let options = ParseOptions::new().progress_callback(&mut on_progress);
    let mut rest = |offset: usize, _| source.as_bytes().get(offset..).unwrap_or_default();
    parser.parse_with_options(&mut rest, None, Some(options))
}

#[expect(clippy::disallowed_methods, reason = "bounds work that a step count does not bound")]
fn now() -> Instant {
    Instant::now()
}

/// Returns the first error node or missing node.
pub(crate) fn first_error(root: Node<'_>) -> Option<Node<'_>> {
    let mut node = root;
    loop {
        if !node.has_error() {
            return None;
        }
        if node.is_error() || node.is_missing() {
            return Some(node);
        }
        let mut cursor = node.walk();
        node = node.children(&mut cursor).find(Node::has_error)?;
    }
}

#[cfg(test)]
mod tests {
    use super::{SyntaxVerdict, best_verdict, grammars, now, parse};

    const CAST: &str = "const y = <A<number>>{ x: 1 };\n";

    #[test]
    fn a_grammar_that_was_stopped_leaves_the_verdict_open() {
        let grammars = grammars("typescript");
        let [typescript, tsx] = &*grammars else { panic!("two grammars") };
        let all = best_verdict(&grammars, |grammar| parse(grammar, CAST, now()));
        assert_eq!(all, (SyntaxVerdict::Valid, None));
        let markup_alone = best_verdict(&grammars, |grammar| parse(grammar, CAST, now()).filter(|_| grammar == tsx));
        assert_eq!(markup_alone, (SyntaxVerdict::Unknown, None));
        let no_markup =
            best_verdict(&grammars, |grammar| parse(grammar, "<b>", now()).filter(|_| grammar == typescript));
        assert_eq!(no_markup, (SyntaxVerdict::Unknown, None));
    }
}
