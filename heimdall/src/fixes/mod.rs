//! Mechanical fixes for findings in Python: edits that depend only on the call they change. Other findings are not
//! fixed.
//!
//! A fix may change the result of the code, as a different hash function does. Tests have to show whether the code
//! still works.

mod commands;
mod literal;
mod misconfiguration;
mod queries;

use std::collections::BTreeMap;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprCall, PySourceType, Stmt};
use ruff_python_parser::parse_unchecked_source;
use ruff_text_size::{Ranged, TextRange};
use source_text::depth_limit;

use crate::lines::LineIndex;

/// Maximum depth of code that is fixed. Walking a deeper tree would need a larger stack.
const MAX_DEPTH: usize = 300;

/// Replacement of a range of the source.
pub(crate) struct Edit {
    range: TextRange,
    text: String,
}

/// The parts of a module that fixes need.
pub(crate) struct Module<'a> {
    source: &'a str,
    lines: LineIndex,
    calls: Vec<&'a ExprCall>,
    /// Statements in text order, each with the range of its function.
    statements: Vec<(&'a Stmt, Option<TextRange>)>,
}

/// Edits of one finding, and the modules they need to import.
pub(crate) type Fix = (Vec<Edit>, Vec<&'static str>);

/// Applies the available fixes to findings given as rule and line (from 1), and returns the new source.
pub fn apply_fixes(source: &str, findings: &[(&str, u32)]) -> String {
    if depth_limit::python_depth(source) > MAX_DEPTH {
        return source.to_owned();
    }
    let parsed = parse_unchecked_source(source, PySourceType::Python);
    if parsed.has_syntax_errors() {
        return source.to_owned();
    }
    let body = &parsed.syntax().body;
    let mut collector = Collector { calls: Vec::new(), statements: Vec::new(), function: None };
    collector.visit_body(body);
    let (lines, Collector { calls, statements, .. }) = (LineIndex::of(source), collector);
    let module = Module { source, lines, calls, statements };
    let (mut edits, mut imports) = (BTreeMap::new(), Vec::new());
    for (rule, line) in findings {
        for (found, modules) in fixes_at(&module, rule, *line) {
            imports.extend(modules);
            edits.extend(found.into_iter().map(|edit| (edit.range.start().to_usize(), edit)));
        }
    }
    let fixed = applied(source, edits.into_values());
    imports.sort_unstable();
    imports.dedup();
    with_imports(fixed, source, body, &imports)
}

fn fixes_at(module: &Module<'_>, rule: &str, line: u32) -> Vec<Fix> {
    let of_calls =
        module.calls.iter().filter(|call| module.line_of(call.range()) == line).filter_map(|call| match rule {
            "PY-SQL-INJECTION" => queries::fix(module, call),
            "PY-COMMAND-INJECTION" => commands::fix(module, call),
            _ => misconfiguration::fix_call(module, rule, call),
        });
    let statements = module.statements.iter().filter(|(statement, _)| module.line_of(statement.range()) == line);
    of_calls.chain(statements.filter_map(|(statement, _)| misconfiguration::fix_statement(rule, statement))).collect()
}

impl Module<'_> {
    pub(crate) fn text(&self, range: TextRange) -> &str {
        &self.source[range]
    }

    fn line_of(&self, range: TextRange) -> u32 {
        self.lines.line_of(range.start().to_u32())
    }

    /// Returns the function around a range; `None` for module-level code.
    fn function_around(&self, range: TextRange) -> Option<TextRange> {
        let mut inside = self.statements.iter().filter(|(statement, _)| statement.range().contains_range(range));
        inside.next_back().and_then(|(_, function)| *function)
    }

    /// Returns true if a module is imported, under any name.
    fn imports(&self, name: &str) -> bool {
        self.statements.iter().any(|(statement, _)| {
            let plain = statement.as_import_stmt().is_some_and(|import| {
                import.names.iter().any(|alias| alias.name.as_str().split('.').next() == Some(name))
            });
            plain
                || statement.as_import_from_stmt().is_some_and(|import| {
                    import.module.as_ref().is_some_and(|module| module.as_str().split('.').next() == Some(name))
                })
        })
    }
}

/// Returns the dotted name of an expression, such as `hashlib.md5`; empty if it has none.
pub(crate) fn dotted(expr: &Expr) -> String {
    if let Some(name) = expr.as_name_expr() {
        return name.id.to_string();
    }
    let Some(attribute) = expr.as_attribute_expr() else { return String::new() };
    match dotted(&attribute.value) {
        owner if owner.is_empty() => String::new(),
        owner => format!("{owner}.{}", attribute.attr),
    }
}

struct Collector<'a> {
    calls: Vec<&'a ExprCall>,
    statements: Vec<(&'a Stmt, Option<TextRange>)>,
    function: Option<TextRange>,
}

impl<'a> Visitor<'a> for Collector<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        self.statements.push((statement, self.function));
        let before = self.function;
        if statement.is_function_def_stmt() {
            self.function = Some(statement.range());
        }
        walk_stmt(self, statement);
        self.function = before;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Some(call) = expr.as_call_expr() {
            self.calls.push(call);
        }
        walk_expr(self, expr);
    }
}

/// Applies edits in text order. Of two overlapping edits the first wins.
fn applied(source: &str, edits: impl Iterator<Item = Edit>) -> String {
    let (mut text, mut at) = (String::with_capacity(source.len()), 0);
    for edit in edits {
        let start = edit.range.start().to_usize();
        if start >= at {
            text.push_str(&source[at..start]);
            text.push_str(&edit.text);
            at = edit.range.end().to_usize();
        }
    }
    text.push_str(&source[at..]);
    text
}

/// Inserts imports before the first statement that may follow one. Text before it has no edits.
fn with_imports(fixed: String, source: &str, body: &[Stmt], imports: &[&str]) -> String {
    let is_new = |name: &&&str| {
        !body.iter().any(|statement| {
            statement.as_import_stmt().is_some_and(|import| {
                import.names.iter().any(|alias| alias.name.as_str() == **name && alias.asname.is_none())
            })
        })
    };
    let lines: String = imports.iter().filter(is_new).map(|name| format!("import {name}\n")).collect();
    let may_follow = |statement: &&Stmt| {
        let describes = statement.as_expr_stmt().is_some_and(|expression| expression.value.is_string_literal_expr());
        let future = statement
            .as_import_from_stmt()
            .is_some_and(|import| import.module.as_ref().is_some_and(|module| module.as_str() == "__future__"));
        !describes && !future
    };
    let Some(first) = body.iter().find(may_follow).filter(|_| !lines.is_empty()) else { return fixed };
    let start = first.range().start().to_usize();
    let line = source[..start].rfind('\n').map_or(0, |end| end + 1);
    let (before, after) = fixed.split_at(line.min(fixed.len()));
    format!("{before}{lines}{after}")
}

#[cfg(test)]
mod tests;
