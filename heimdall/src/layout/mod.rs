//! Comments, statements and scopes of a text, by line.
//!
//! Suppression comments and fingerprints need to know which lines belong together; the rules do not. Python is read from its parser's
//! tokens (`python`), the languages with a grammar from its tree (`grammar`), and the others by a scanner that knows comments and
//! quotes (`scanner`).

mod comment_extent;
mod grammar;
mod python;
mod scanner;

use std::ops::Range;

pub(crate) use python::read as read_python;

/// Reads a text of another language than Python; `None` where its comments cannot be told from its code.
pub(crate) fn read(language: &str, source: &str) -> Option<Layout> {
    grammar::read(language, source).or_else(|| scanner::read(language, source))
}

/// The text goes on with at most space before the line ends.
fn is_line_end(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t', '\r']);
    rest.is_empty() || rest.starts_with('\n')
}

/// The digest of the names of the enclosing functions and classes.
pub(crate) type Scope = [u8; 32];

/// Maximum statements on one line that are looked at around the innermost one.
const MAX_ENCLOSING: usize = 16;

/// A comment and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    /// With the characters that mark it as one.
    pub(crate) text: String,
    /// Its place in the text that was read, in bytes.
    pub(crate) range: Range<usize>,
    /// The part of it that no interpreter runs.
    pub(crate) inert: Range<usize>,
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// No code is on its lines.
    pub(crate) alone: bool,
    /// It is between two statements and part of neither.
    pub(crate) between: bool,
}

/// The lines of a statement; those of statements nested in it belong to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) scope: Scope,
    parent: Option<usize>,
}

impl Statement {
    fn new(first: u32, last: u32, scope: Scope) -> Self {
        Self { first, last: last.max(first), scope, parent: None }
    }
}

/// The comments and statements of one text. Lines count from 1.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    comments: Vec<Comment>,
    statements: Vec<Statement>,
    /// For each line, the innermost statement that covers it.
    owners: Vec<Option<usize>>,
}

impl Layout {
    /// `statements` are ordered by their first line, an outer one before its inner ones.
    fn new(comments: Vec<Comment>, mut statements: Vec<Statement>) -> Self {
        let lines = statements.iter().map(|statement| statement.last).max().unwrap_or(0);
        let mut owners = vec![None];
        let mut open: Vec<usize> = Vec::new();
        let mut next = 0;
        for line in 1..=lines {
            while let Some(begins) = statements.get(next).filter(|statement| statement.first <= line) {
                let first = begins.first;
                while open.last().is_some_and(|outer| statements[*outer].last < first) {
                    open.pop();
                }
                statements[next].parent = open.last().copied();
                open.push(next);
                next += 1;
            }
            while open.last().is_some_and(|outer| statements[*outer].last < line) {
                open.pop();
            }
            owners.push(open.last().copied());
        }
        Self { comments, statements, owners }
    }

    pub(crate) fn comments(&self) -> &[Comment] {
        &self.comments
    }

    /// The text without what is certain to be a comment, with the same lines.
    pub(crate) fn code(&self, source: &str) -> String {
        without(source, self.comments.iter().map(|comment| &comment.inert))
    }

    /// The text without all of its comments, with the same lines.
    pub(crate) fn without_comments(&self, source: &str) -> String {
        without(source, self.comments.iter().map(|comment| &comment.range))
    }

    /// The innermost statement that covers a line, by number.
    pub(crate) fn owner(&self, line: u32) -> Option<usize> {
        *self.owners.get(usize::try_from(line).ok()?)?
    }

    /// The innermost statement that covers a line.
    pub(crate) fn statement(&self, line: u32) -> Option<&Statement> {
        self.owner(line).map(|number| &self.statements[number])
    }

    /// The statements that a finding on `line` belongs to: the innermost, and those around it that begin on the line.
    pub(crate) fn beginning_at(&self, line: u32) -> impl Iterator<Item = usize> {
        self.around(line, move |statement| statement.first == line)
    }

    /// The statements that a comment on `line` belongs to: the innermost, and those around it that end on the line.
    pub(crate) fn ending_at(&self, line: u32) -> impl Iterator<Item = usize> {
        self.around(line, move |statement| statement.last == line)
    }

    fn around(&self, line: u32, keeps: impl Fn(&Statement) -> bool) -> impl Iterator<Item = usize> {
        let parent = |number: &usize| self.statements[*number].parent;
        let chain = std::iter::successors(self.owner(line), parent).take(MAX_ENCLOSING);
        let mut is_first = true;
        chain.take_while(move |number| std::mem::take(&mut is_first) || keeps(&self.statements[*number]))
    }
}

/// The text without these ranges, which are in order. Names around a range stay apart, and lines stay as they are.
fn without<'r>(source: &str, ranges: impl Iterator<Item = &'r Range<usize>>) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut at = 0;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    for range in ranges {
        let (Some(before), Some(inside)) = (source.get(at..range.start), source.get(range.clone())) else { continue };
        kept.push_str(before);
        kept.extend(inside.chars().filter(|c| *c == '\n'));
        if kept.ends_with(is_name) && source[range.end..].starts_with(is_name) {
            kept.push(' ');
        }
        at = range.end;
    }
    kept.push_str(source.get(at..).unwrap_or_default());
    kept
}

#[cfg(test)]
mod tests;
