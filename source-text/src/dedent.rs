//! Removes the common indentation of a code snippet.

use std::borrow::Cow;

use ruff_python_ast::token::{Token, TokenKind};
use ruff_text_size::Ranged;

use crate::python;

const MAX_ROUNDS: usize = 8;

/// Removes the indentation that all lines share and preserves everything else, line ends included.
///
/// Lines of comments and multi-line strings further left are ignored: statements move left, and a string that is not
/// wholly indented keeps its text. Idempotent; returns text without common indentation unchanged.
pub fn dedent(source: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(source);
    // A comment left of the code needs another round.
    for _ in 0..MAX_ROUNDS {
        match dedent_once(&text) {
            Some(dedented) => text = Cow::Owned(dedented),
            None => break,
        }
    }
    text
}

/// Returns the dedented text; `None` if its code starts at the left margin or cannot be parsed.
fn dedent_once(source: &str) -> Option<String> {
    let (mark, text) = split_byte_order_mark(source);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines.iter().find(|line| is_code(line)).filter(|line| line.starts_with([' ', '\t']))?;
    let everywhere = common_indent(lines.iter().copied());
    let dedented = match everywhere {
        "" => dedent_statements(&lines, &roles(text, lines.len())?),
        prefix => strip(&lines, prefix, |_| true),
    };
    (dedented.len() < text.len()).then(|| format!("{mark}{dedented}"))
}

fn split_byte_order_mark(source: &str) -> (&str, &str) {
    source.split_at(if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 })
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

fn is_code(line: &str) -> bool {
    !is_blank(line) && !line.trim_start().starts_with('#')
}

fn indent_of(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Returns the longest common prefix of spaces and tabs of all lines that are not blank.
fn common_indent<'a>(lines: impl Iterator<Item = &'a str>) -> &'a str {
    let indents = lines.filter(|line| !is_blank(line)).map(indent_of);
    indents
        .reduce(|common, indent| {
            let shared = common.bytes().zip(indent.bytes()).take_while(|(a, b)| a == b).count();
            &common[..shared]
        })
        .unwrap_or("")
}

fn strip(lines: &[&str], prefix: &str, applies: impl Fn(usize) -> bool) -> String {
    let stripped = lines
        .iter()
        .enumerate()
        .map(|(number, line)| if applies(number) { line.strip_prefix(prefix).unwrap_or(line) } else { line });
    stripped.collect()
}

/// The meaning of a line to the tokenizer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineRole {
    /// A statement starts here.
    Statement,
    /// Inside brackets, a comment or blank: indentation is insignificant.
    Free,
    /// Inside the multi-line string with this number: indentation is content.
    String(usize),
}

/// Classifies the lines of an indented snippet; `None` if it cannot be parsed safely.
fn roles(text: &str, count: usize) -> Option<Vec<LineRole>> {
    // An enclosing block makes the indentation legal for the tokenizer.
    let header = "if 1:\n";
    let (statements, literals) = python::with_module(&format!("{header}{text}"), |parsed| {
        let inside = |token: &&Token| token.start().to_usize() >= header.len();
        let tokens: Vec<Token> = parsed.tokens().iter().filter(inside).copied().collect();
        (statement_starts(&tokens), literals(&tokens))
    })?;
    let breaks: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + header.len()).collect();
    let line_of = |offset: usize| breaks.partition_point(|end| *end < offset);
    let mut roles = vec![LineRole::Free; count];
    for start in statements {
        roles.iter_mut().skip(line_of(start)).take(1).for_each(|role| *role = LineRole::Statement);
    }
    for (number, (start, last)) in literals.into_iter().enumerate() {
        let following = line_of(last).saturating_sub(line_of(start));
        roles.iter_mut().skip(line_of(start) + 1).take(following).for_each(|role| *role = LineRole::String(number));
    }
    Some(roles)
}

/// Returns the offset of the first token of each statement.
fn statement_starts(tokens: &[Token]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at_start = true;
    for token in tokens {
        let kind = token.kind();
        let layout = matches!(kind, TokenKind::Indent | TokenKind::Dedent | TokenKind::EndOfFile);
        if kind == TokenKind::Newline {
            at_start = true;
        } else if !layout && !kind.is_trivia() && std::mem::take(&mut at_start) {
            starts.push(token.start().to_usize());
        }
    }
    starts
}

/// Returns the first and last byte of each string; an interpolated string counts as one.
fn literals(tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    for token in tokens {
        let (kind, start, last) = (token.kind(), token.start().to_usize(), token.end().to_usize().saturating_sub(1));
        if matches!(kind, TokenKind::FStringStart | TokenKind::TStringStart) {
            open.push(start);
        } else if matches!(kind, TokenKind::FStringEnd | TokenKind::TStringEnd) {
            let start = open.pop().unwrap_or(start);
            if open.is_empty() {
                found.push((start, last));
            }
        } else if kind == TokenKind::String && open.is_empty() {
            found.push((start, last));
        } else if kind == TokenKind::Newline {
            open.clear();
        }
    }
    found
}

fn dedent_statements(lines: &[&str], roles: &[LineRole]) -> String {
    let statements = lines.iter().zip(roles).filter(|(_, role)| **role == LineRole::Statement).map(|(line, _)| *line);
    let prefix = common_indent(statements);
    let wholly_indented = |string: usize| {
        let inside = lines.iter().zip(roles).filter(|(_, role)| **role == LineRole::String(string));
        inside.map(|(line, _)| *line).all(|line| is_blank(line) || line.starts_with(prefix))
    };
    strip(lines, prefix, |number| match roles[number] {
        LineRole::Statement | LineRole::Free => true,
        LineRole::String(string) => wholly_indented(string),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(dedent(input), expected);
        assert_eq!(dedent(expected), expected, "not idempotent");
    }

    #[test]
    fn uniform_indentation_is_removed() {
        check("    a = 1\n    if a:\n        b = 2\n", "a = 1\nif a:\n    b = 2\n");
        check("\ta = 1\n\tif a:\n\t\tb = 2", "a = 1\nif a:\n\tb = 2");
        check(" \ta\n \tb\n", "a\nb\n");
    }

    #[test]
    fn line_ends_and_blank_lines_stay() {
        check("  a\r\n\r\n  b\r\n", "a\r\n\r\nb\r\n");
        check("    a\n\n  \n      \n    b", "a\n\n  \n  \nb");
        check("\u{feff}  a\n  b\n", "\u{feff}a\nb\n");
    }

    #[test]
    fn text_without_indentation_is_unchanged() {
        for text in ["", "\n", "   ", "a\n", "a\n    b\n", "def f():\n\treturn 1\n", "a\n  b\n c\n"] {
            assert!(matches!(dedent(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn mixed_tabs_and_spaces_share_only_what_is_equal() {
        check("\t  a\n\t\tb\n", "  a\n\tb\n");
    }

    #[test]
    fn a_string_that_lies_further_left_keeps_its_text() {
        check("    x = '''\nleft\n      right\n'''\n    y = 1\n", "x = '''\nleft\n      right\n'''\ny = 1\n");
        check("    x = f'''\nleft {1}\n    in\n'''\n    y\n", "x = f'''\nleft {1}\n    in\n'''\ny\n");
    }

    #[test]
    fn a_wholly_indented_string_moves_with_the_code() {
        check("    x = '''\n    in\n    '''\n", "x = '''\nin\n'''\n");
        check("    x = '''\n    in\n    '''\n# left\n    y\n", "x = '''\nin\n'''\n# left\ny\n");
    }

    #[test]
    fn comments_and_continuations_further_left_do_not_count() {
        check("    a = [\n1,\n    2]\n# note\n    b\n", "a = [\n1,\n2]\n# note\nb\n");
    }

    proptest! {
        #[test]
        fn indenting_is_undone(lines in proptest::collection::vec("[ -~\t]{0,20}", 1..20), prefix in "[ \t]{1,8}") {
            let text = format!("x\n{}", lines.join("\n"));
            let indented: String = text.split_inclusive('\n').map(|line| format!("{prefix}{line}")).collect();
            prop_assert_eq!(dedent(&indented), text);
        }

        #[test]
        fn any_text_is_survived_and_once_is_enough(text in "(?s).{0,200}|([ \t]{0,4}['\"#(\\[]{0,3}[a-z:=]{0,4}\r?\n){0,20}") {
            let once = dedent(&text).into_owned();
            prop_assert!(once.len() <= text.len());
            prop_assert_eq!(dedent(&once), once.as_str());
        }
    }
}
