//! Comments, statements and scopes of a text, by line.
//!
//! Suppression comments and fingerprints need to know which lines belong together; the rules do not. Python is read
//! from the parser's tokens (`python`), languages with a grammar from the syntax tree (`grammar`), others by a scanner
//! for comments and quotes (`scanner`).

mod comment_extent;
mod grammar;
mod python;
mod scanner;

use std::ops::Range;

pub(crate) use python::read as read_python;

/// Reads the layout of a language other than Python. Returns `None` if its comments cannot be distinguished from code.
pub(crate) fn read(language: &str, source: &str) -> Option<Layout> {
    grammar::read(language, source).or_else(|| scanner::read(language, source))
}

/// Returns true if only whitespace is left on the line.
fn is_line_end(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t', '\r']);
    rest.is_empty() || rest.starts_with('\n')
}

/// Digest of the names of the enclosing functions and classes.
pub(crate) type ScopeDigest = [u8; 32];

/// Maximum enclosing statements considered for one line.
const MAX_ENCLOSING: usize = 16;

/// A comment and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    /// Text including the comment marks.
    pub(crate) text: String,
    /// Byte range in the text.
    pub(crate) range: Range<usize>,
    /// The part that no interpreter executes.
    pub(crate) inert: Range<usize>,
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// True if its lines have no code.
    pub(crate) is_alone: bool,
    /// True if it is between two statements and part of neither.
    pub(crate) is_between_statements: bool,
}

/// Lines of a statement, including its nested statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) scope: ScopeDigest,
    parent: Option<usize>,
}

impl Statement {
    fn new(first: u32, last: u32, scope: ScopeDigest) -> Self {
        Self { first, last: last.max(first), scope, parent: None }
    }
}

/// Comments and statements of a text. Lines are counted from 1.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    comments: Vec<Comment>,
    statements: Vec<Statement>,
    /// The innermost statement of each line.
    owners: Vec<Option<usize>>,
}

impl Layout {
    /// Builds a layout from statements in order of their first line, outer ones first.
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

    /// Returns the text without comments that are certainly not executed, with the same lines.
    pub(crate) fn code(&self, source: &str) -> String {
        without(source, self.comments.iter().map(|comment| &comment.inert))
    }

    /// Returns the text without comments, with the same lines.
    pub(crate) fn without_comments(&self, source: &str) -> String {
        without(source, self.comments.iter().map(|comment| &comment.range))
    }

    /// Returns the index of the innermost statement of a line.
    pub(crate) fn owner(&self, line: u32) -> Option<usize> {
        *self.owners.get(usize::try_from(line).ok()?)?
    }

    /// Returns the innermost statement of a line.
    pub(crate) fn statement(&self, line: u32) -> Option<&Statement> {
        self.owner(line).map(|number| &self.statements[number])
    }

    /// Returns the statements that a finding on `line` belongs to: the innermost, and its ancestors that start on the
    /// line.
    pub(crate) fn beginning_at(&self, line: u32) -> impl Iterator<Item = usize> {
        self.around(line, move |statement| statement.first == line)
    }

    /// Returns the statements that a comment on `line` belongs to: the innermost, and its ancestors that end on the
    /// line.
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

/// Removes ordered ranges. Line breaks are kept, and names on both sides stay separate.
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
