//! Comments, statements and scopes of a text, by line.
//!
//! Suppression comments and fingerprints need to know which lines belong together; the rules do not. Python is read from its parser's
//! tokens (`python`), the languages with a grammar from its tree (`grammar`), and the others by a scanner that knows comments and
//! quotes (`scanner`).

mod grammar;
mod python;
mod scanner;

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

#[cfg(test)]
mod tests {
    use super::{Layout, Statement};

    #[test]
    fn a_line_belongs_to_the_innermost_statement() {
        let statement = |first, last| Statement::new(first, last, [0; 32]);
        let layout = Layout::new(Vec::new(), vec![statement(1, 6), statement(2, 3), statement(3, 3), statement(5, 5)]);
        let owners: Vec<_> = (1..=7).map(|line| layout.owner(line)).collect();
        assert_eq!(owners, [Some(0), Some(1), Some(2), Some(0), Some(3), Some(0), None]);
        assert_eq!(layout.beginning_at(3).collect::<Vec<_>>(), [2]);
        assert_eq!(layout.ending_at(3).collect::<Vec<_>>(), [2, 1]);
    }
}
