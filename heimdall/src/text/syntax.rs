//! Syntax check of languages other than Python.

use source_text::grammar::{Deadline, Language, Tree, ascii_for_bash, first_error, grammars, parse};

use crate::findings::Findings;
use crate::rules;

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
    let deadline = Deadline::start();
    let (verdict, first_wrong) = best_verdict(&grammars(language), |grammar| parse(grammar, &read, deadline));
    if let Some(row) = first_wrong {
        // An error at the end of the text is after the last line.
        let line = u32::try_from((row + 1).min(source.lines().count())).unwrap_or(u32::MAX);
        findings.report_line(&rules::TEXT_SYNTAX, line, line);
    }
    verdict
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

#[cfg(test)]
mod tests {
    use super::{Deadline, SyntaxVerdict, best_verdict, grammars, parse};

    const CAST: &str = "const y = <A<number>>{ x: 1 };\n";

    #[test]
    fn a_grammar_that_was_stopped_leaves_the_verdict_open() {
        let grammars = grammars("typescript");
        let [typescript, tsx] = &*grammars else { panic!("two grammars") };
        let all = best_verdict(&grammars, |grammar| parse(grammar, CAST, Deadline::start()));
        assert_eq!(all, (SyntaxVerdict::Valid, None));
        let markup_alone =
            best_verdict(&grammars, |grammar| parse(grammar, CAST, Deadline::start()).filter(|_| grammar == tsx));
        assert_eq!(markup_alone, (SyntaxVerdict::Unknown, None));
        let no_markup = best_verdict(&grammars, |grammar| {
            parse(grammar, "<b>", Deadline::start()).filter(|_| grammar == typescript)
        });
        assert_eq!(no_markup, (SyntaxVerdict::Unknown, None));
    }
}
