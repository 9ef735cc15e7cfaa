//! Parses untrusted text with the grammars of languages other than Python.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{ParseOptions, Parser};

pub use tree_sitter::{Language, Node, Tree, TreeCursor};

/// Maximum total parse time of a text, for all its grammars. Typical code takes 0.1 to 0.3 ms per KiB. A hostile text
/// takes quadratic time, and counting parser steps does not bound it (measured: 25 us to 8 ms per hundred steps).
const PARSE_TIMEOUT: Duration = Duration::from_millis(500);

/// The end of the time in which one text is parsed.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// Starts the time limit of a text.
    pub fn start() -> Self {
        Self::within(PARSE_TIMEOUT)
    }

    /// Starts a shorter time limit.
    #[expect(clippy::disallowed_methods, reason = "bounds work that a step count does not bound")]
    pub fn within(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    #[expect(clippy::disallowed_methods, reason = "bounds work that a step count does not bound")]
    fn is_over(self) -> bool {
        Instant::now() > self.0
    }
}

/// Returns the tree of the first grammar that accepts the text, else of the first grammar, with the text its offsets
/// refer to. Returns `None` if there is no grammar or the parser was stopped.
pub fn tree<'s>(language: &str, source: &'s str, deadline: Deadline) -> Option<(Tree, Cow<'s, str>)> {
    let read = ascii_for_bash(language, source);
    let mut first = None;
    for grammar in grammars(language) {
        let tree = parse(&grammar, &read, deadline)?;
        if !tree.root_node().has_error() {
            return Some((tree, read));
        }
        first = first.or(Some(tree));
    }
    first.map(|tree| (tree, read))
}

/// Returns true if the language has a grammar.
pub fn is_known(language: &str) -> bool {
    !grammars(language).is_empty()
}

/// Replaces non-ASCII characters for the Bash grammar, keeping offsets. That grammar calls `isdigit` out of range for
/// them, which aborts the process (tree-sitter-bash 0.25.1, issue 337).
pub fn ascii_for_bash<'s>(language: &str, source: &'s str) -> Cow<'s, str> {
    if language == "bash" && !source.is_ascii() {
        let letters = |c: char| std::iter::repeat_n(if c.is_ascii() { c } else { 'x' }, c.len_utf8());
        source.chars().flat_map(letters).collect()
    } else {
        Cow::Borrowed(source)
    }
}

/// Returns the grammars of a language.
pub fn grammars(language: &str) -> Vec<Language> {
    match language {
        "javascript" => vec![tree_sitter_javascript::LANGUAGE.into()],
        "typescript" => {
            vec![tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(), tree_sitter_typescript::LANGUAGE_TSX.into()]
        }
        "go" => vec![tree_sitter_go::LANGUAGE.into()],
        "rust" => vec![tree_sitter_rust::LANGUAGE.into()],
        "bash" => vec![tree_sitter_bash::LANGUAGE.into()],
        "lua" => vec![tree_sitter_lua::LANGUAGE.into()],
        _ => Vec::new(),
    }
}

/// Parses a text; returns `None` if the parser was stopped.
pub fn parse(grammar: &Language, source: &str, deadline: Deadline) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(grammar).ok()?;
    let mut on_progress = |_: &_| if deadline.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let options = ParseOptions::new().progress_callback(&mut on_progress);
    let mut rest = |offset: usize, _| source.as_bytes().get(offset..).unwrap_or_default();
    parser.parse_with_options(&mut rest, None, Some(options))
}

/// Returns the first error node or missing node.
pub fn first_error(root: Node<'_>) -> Option<Node<'_>> {
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

/// Calls `visit` for every node in order. Does not recurse. `visit` must not ask for a node's parent, which takes time
/// with its depth and its siblings.
pub fn walk(tree: &Tree, mut visit: impl FnMut(Node<'_>)) {
    let mut cursor = tree.walk();
    loop {
        visit(cursor.node());
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}
