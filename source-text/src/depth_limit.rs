//! Bounds the depth of a syntax tree before any recursive code runs.
//!
//! A tree of 10,000 levels is easy to write. Walking or dropping it overflows the thread's stack and aborts the
//! process. The lexer, which is not recursive, therefore bounds the depth first.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

/// Returns an upper bound for the depth of a Python text's syntax tree.
pub fn python_depth(text: &str) -> usize {
    depth(text, Mode::Module)
}

/// Returns the same bound for a notebook cell.
pub fn cell_depth(text: &str) -> usize {
    depth(text, Mode::Ipython)
}

fn depth(text: &str, mode: Mode) -> usize {
    let mut levels = vec![Level::default()];
    let mut open: usize = 0;
    let mut deepest: usize = 0;
    let mut line = Line::default();
    let mut statements: usize = 0;
    let mut lexer = lexer::lex(text, mode);
    loop {
        let kind = lexer.next_token();
        line.take(kind);
        statements = statements.max(line.depth());
        let level = levels.last_mut().expect("the outermost level is never popped");
        match kind {
            TokenKind::EndOfFile => break,
            TokenKind::Newline => {
                levels.clear();
                levels.push(Level::default());
                open = 0;
            }
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                // The bracket, and one more for a call or subscript after a name.
                level.lasting += 1;
                open += 1;
                levels.push(Level::default());
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::FStringEnd | TokenKind::TStringEnd => {
                if levels.len() > 1
                    && let Some(closed) = levels.pop()
                {
                    open -= closed.total();
                }
            }
            TokenKind::Comma => {
                open -= level.passing;
                level.passing = 0;
                // A chain of calls or subscripts ends at a comma.
                open -= level.lasting - level.lambdas;
                level.lasting = level.lambdas;
            }
            TokenKind::Lambda => {
                level.lambdas += 1;
                level.lasting += 1;
                open += 1;
            }
            kind if deepens(kind) => {
                level.passing += 1;
                open += 1;
            }
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest + indentation_depth(text) + statements
}

/// Open levels within one bracket.
#[derive(Default)]
struct Level {
    /// Operators since the last comma.
    passing: usize,
    /// Brackets and lambdas.
    lasting: usize,
    lambdas: usize,
}

impl Level {
    fn total(&self) -> usize {
        self.passing + self.lasting
    }
}

const fn deepens(kind: TokenKind) -> bool {
    kind.is_operator() && !matches!(kind, TokenKind::Colon | TokenKind::Equal)
        || matches!(
            kind,
            TokenKind::Not
                | TokenKind::If
                | TokenKind::Else
                | TokenKind::Await
                | TokenKind::Yield
                | TokenKind::From
                | TokenKind::Is
                | TokenKind::In
                | TokenKind::And
                | TokenKind::Or
                | TokenKind::For
        )
}

/// Each block is indented by at least one more column than its parent.
fn indentation_depth(text: &str) -> usize {
    text.split(['\n', '\r'])
        .map(|line| line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | 0x0c)).count())
        .max()
        .unwrap_or(0)
}

/// Nested statements on one line.
///
/// When the parser recovers from an error, it may nest statements on one line. Each needs a keyword and a colon, so a
/// long dictionary or annotation does not count as deep.
#[derive(Default)]
struct Line {
    colons: usize,
    keywords: usize,
}

impl Line {
    fn take(&mut self, kind: TokenKind) {
        match kind {
            TokenKind::Newline | TokenKind::NonLogicalNewline => *self = Self::default(),
            TokenKind::Colon => self.colons += 1,
            kind if opens_block(kind) => self.keywords += 1,
            _ => {}
        }
    }

    fn depth(&self) -> usize {
        self.colons.min(self.keywords)
    }
}

const fn opens_block(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::If
            | TokenKind::Elif
            | TokenKind::Else
            | TokenKind::While
            | TokenKind::For
            | TokenKind::With
            | TokenKind::Try
            | TokenKind::Except
            | TokenKind::Finally
            | TokenKind::Def
            | TokenKind::Class
            | TokenKind::Match
            | TokenKind::Case
            | TokenKind::Async
    )
}

#[cfg(test)]
mod tests {
    use super::python_depth;

    #[test]
    fn deep_texts_are_seen_as_deep() {
        for text in [
            "(".repeat(5_000),
            format!("x = {}1", "-".repeat(5_000)),
            format!("x = 1{}", " + 1".repeat(5_000)),
            format!("x = {}1", "not ".repeat(5_000)),
            format!("x = {}1", "lambda a, b: ".repeat(5_000)),
            format!("x{}", ".a".repeat(5_000)),
            format!("x{}", "()".repeat(5_000)),
            format!("x{}", "[0]".repeat(5_000)),
            format!("x = {}1", "1 if 1 else ".repeat(5_000)),
            format!("x = 2{}", " ** 2".repeat(5_000)),
            format!("{}{}", "f(".repeat(5_000), ")".repeat(5_000)),
        ] {
            assert!(python_depth(&text) >= 5_000, "{}", &text[..20]);
        }
        let stairs: String = (0..1_000).map(|level| format!("{}if x:\n", " ".repeat(level))).collect();
        assert!(python_depth(&stairs) >= 999);
    }

    #[test]
    fn statements_on_one_line_are_seen_as_deep() {
        for text in ["if x: ".repeat(5_000), "if x: \\\n".repeat(5_000), format!("({}", "while x: ".repeat(5_000))] {
            assert!(python_depth(&text) >= 5_000, "{}", &text[..10]);
        }
    }

    #[test]
    fn long_flat_texts_are_not() {
        let dictionary = format!("x = {{{}}}\n", "'a': 1, ".repeat(5_000));
        assert!(python_depth(&dictionary) < 10);
        let nested = format!("x = {{{}}}\n", "'a': {'b': [1, 2, 'c:d'], 'e': y[1:2]}, ".repeat(5_000));
        assert!(python_depth(&nested) < 10);
        let table = format!("x = [{}]\n", "-1, f(2), a.b,".repeat(5_000));
        assert!(python_depth(&table) < 10);
        let lines = "x = a.b(c)[0] + 1  # (((\ns = '((('\n".repeat(5_000);
        assert!(python_depth(&lines) < 10, "{}", python_depth(&lines));
    }
}
