//! Layout of Python, from the parser's tokens.

use ruff_python_ast::token::{Token, TokenKind};
use ruff_text_size::{Ranged, TextSize};
use sha2::{Digest, Sha256};

use super::{Comment, Layout, ScopeDigest, Statement};

/// Reads comments and logical lines. A definition and its decorators are one statement.
pub(crate) fn read(text: &str, tokens: &[Token], line_of: impl Fn(u32) -> u32) -> Layout {
    let line = |offset: TextSize| line_of(offset.to_u32());
    let mut reader = Reader::default();
    let (mut comments, mut statements) = (Vec::new(), Vec::new());
    for token in tokens {
        let range = token.range();
        match token.kind() {
            TokenKind::Comment => {
                let at = line(range.start());
                let before = text[..range.start().to_usize()].rsplit(['\n', '\r']).next().unwrap_or_default();
                let is_alone = before.trim().is_empty();
                let is_between_statements = is_alone && reader.began.is_none();
                let place = range.start().to_usize()..range.end().to_usize();
                let (inert, text) = (place.clone(), text[range].to_owned());
                comments.push(Comment {
                    text,
                    range: place,
                    inert,
                    first: at,
                    last: at,
                    is_alone,
                    is_between_statements,
                });
            }
            TokenKind::Newline => statements.extend(reader.end(line(range.start()))),
            TokenKind::NonLogicalNewline | TokenKind::EndOfFile => {}
            TokenKind::Indent => reader.enter(),
            TokenKind::Dedent => reader.leave(),
            kind => reader.read(kind, &text[range], line(range.start())),
        }
    }
    Layout::new(comments, statements)
}

/// Tracks scopes and the current statement.
#[derive(Default)]
struct Reader<'t> {
    /// First line of the current statement.
    began: Option<u32>,
    is_decorator: bool,
    at_start: bool,
    /// True if the next token is the name of a definition.
    names: bool,
    name: Option<&'t str>,
    scopes: Vec<ScopeDigest>,
}

impl<'t> Reader<'t> {
    fn scope(&self) -> ScopeDigest {
        self.scopes.last().copied().unwrap_or_default()
    }

    fn read(&mut self, kind: TokenKind, text: &'t str, line: u32) {
        if self.began.is_none() {
            self.began = Some(line);
            self.at_start = true;
        }
        if self.at_start {
            self.is_decorator = kind == TokenKind::At;
            self.names = matches!(kind, TokenKind::Def | TokenKind::Class);
            self.at_start = kind == TokenKind::Async;
        } else if std::mem::take(&mut self.names) {
            self.name = Some(text);
        }
    }

    fn end(&mut self, line: u32) -> Option<Statement> {
        if std::mem::take(&mut self.is_decorator) {
            self.at_start = true;
            return None;
        }
        self.names = false;
        self.began.take().map(|first| Statement::new(first, line, self.scope()))
    }

    fn enter(&mut self) {
        let outer = self.scope();
        let inner = self
            .name
            .take()
            .map_or(outer, |name| Sha256::new().chain_update(outer).chain_update(name).finalize().into());
        self.scopes.push(inner);
    }

    fn leave(&mut self) {
        self.scopes.pop();
        self.name = None;
    }
}
