//! Layout of languages with a grammar, from the syntax tree.

use source_text::grammar::{self, Deadline, Node, TreeCursor};

use super::{Comment, Layout, Statement, comment_extent, is_line_end};

/// Nodes whose children are statements.
const BLOCKS: &[&str] = &[
    "program",
    "source_file",
    "statement_block",
    "statement_list",
    "block",
    "class_body",
    "interface_body",
    "enum_body",
    "object_type",
    "declaration_list",
    "field_declaration_list",
    "enum_variant_list",
    "match_block",
    "switch_body",
    "switch_case",
    "switch_default",
    "expression_case",
    "type_case",
    "communication_case",
    "default_case",
    "compound_statement",
    "do_group",
    "subshell",
    "if_statement",
    "elif_clause",
    "else_clause",
    "case_item",
    "ERROR",
];

/// An ancestor of the current node.
#[derive(Debug, Clone, Copy, Default)]
struct Parent {
    /// True if its children are statements.
    is_block: bool,
    /// True for JSX markup, which has no comments.
    is_markup: bool,
}

impl Parent {
    fn new(language: &str, node: Node<'_>) -> Self {
        Self { is_block: is_block(language, node), is_markup: node.kind().starts_with("jsx_") }
    }
}

/// Reads comments and statements. Returns `None` if the language has no grammar or the parser was stopped.
pub(crate) fn read(language: &str, source: &str) -> Option<Layout> {
    let (tree, text) = grammar::tree(language, source, Deadline::start())?;
    // After a syntax error the parser may take code for a comment.
    let certain = grammar::first_error(tree.root_node()).map_or(text.len(), |wrong| wrong.start_byte());
    let (mut comments, mut statements) = (Vec::new(), Vec::new());
    let mut cursor = tree.walk();
    let mut parents = vec![Parent::new(language, tree.root_node())];
    if !cursor.goto_first_child() {
        return Some(Layout::default());
    }
    loop {
        let node = cursor.node();
        let Parent { is_block, is_markup } = parents.last().copied().unwrap_or_default();
        if node.kind().contains("comment") {
            if let Some(mut comment) = comment(node, is_block, &text) {
                if node.end_byte() <= certain && !is_markup {
                    comment.inert = comment_extent::of(language, &text, &comment);
                }
                comments.push(comment);
            }
        } else if is_block && node.is_named() {
            statements.push(Statement::new(row(node.start_position().row), last_row(node), [0; 32]));
        }
        if !advance(&mut cursor, &mut parents, language) {
            return Some(Layout::new(comments, statements));
        }
    }
}

/// Moves to the next node in document order. Returns false at the end.
fn advance(cursor: &mut TreeCursor<'_>, parents: &mut Vec<Parent>, language: &str) -> bool {
    let node = cursor.node();
    let is_comment = node.kind().contains("comment");
    if !is_comment && cursor.goto_first_child() {
        parents.push(Parent::new(language, node));
        return true;
    }
    loop {
        if cursor.goto_next_sibling() {
            return true;
        }
        if !cursor.goto_parent() {
            return false;
        }
        parents.pop();
    }
}

fn is_block(language: &str, node: Node<'_>) -> bool {
    // Only in Bash are the statements of a condition its direct children.
    let kind = node.kind();
    BLOCKS.contains(&kind) && (language == "bash" || !matches!(kind, "if_statement" | "else_clause"))
}

fn comment(node: Node<'_>, in_block: bool, text: &str) -> Option<Comment> {
    let content = text.get(node.byte_range())?;
    let line_start = node.start_byte().checked_sub(node.start_position().column)?;
    let before = text.get(line_start..node.start_byte())?;
    let ends_line = content.ends_with('\n') || is_line_end(text.get(node.end_byte()..)?);
    let is_alone = before.trim_end().is_empty() && ends_line;
    let (first, last) = (row(node.start_position().row), last_row(node));
    let (range, inert) = (node.byte_range(), node.start_byte()..node.start_byte());
    Some(Comment {
        text: content.to_owned(),
        range,
        inert,
        first,
        last,
        is_alone,
        is_between_statements: is_alone && in_block,
    })
}

fn row(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}

/// Returns the last line of a node. Some nodes include the following line break.
fn last_row(node: Node<'_>) -> u32 {
    let end = node.end_position();
    let last = if end.column == 0 && end.row > node.start_position().row { end.row - 1 } else { end.row };
    row(last)
}
