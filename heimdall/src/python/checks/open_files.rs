//! Files that are closed without a `with` statement.

use std::collections::HashSet;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Stmt};

use crate::python::ast::last_name;

/// Returns true for functions that close their argument later.
pub(crate) fn closes_argument(name: &str) -> bool {
    matches!(
        name,
        "enter_context" | "enterContext" | "enter_async_context" | "closing" | "aclosing" | "push" | "addCleanup"
    )
}

/// Returns true if an expression, or a part of it, opens a file.
pub(crate) fn opens(expr: &Expr) -> bool {
    struct Opening(bool);
    impl<'a> Visitor<'a> for Opening {
        fn visit_expr(&mut self, expr: &'a Expr) {
            self.0 |= matches!(expr, Expr::Call(call) if last_name(&call.func) == "open");
            walk_expr(self, expr);
        }
    }
    let mut opening = Opening(false);
    opening.visit_expr(expr);
    opening.0
}

/// Returns the names in a body whose file is closed or handed over: by `with`, `close`, `return` or storage in an
/// object.
pub(crate) fn closed_names(body: &[Stmt]) -> HashSet<&str> {
    let mut finder = Finder { names: HashSet::new() };
    finder.visit_body(body);
    finder.names
}

struct Finder<'a> {
    names: HashSet<&'a str>,
}

impl<'a> Finder<'a> {
    fn add(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                self.names.insert(&name.id);
            }
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| self.add(part)),
            Expr::BoolOp(parts) => parts.values.iter().for_each(|part| self.add(part)),
            Expr::If(choice) => {
                self.add(&choice.body);
                self.add(&choice.orelse);
            }
            Expr::List(list) => list.elts.iter().for_each(|part| self.add(part)),
            Expr::Call(call) => call.arguments.args.iter().for_each(|part| self.add(part)),
            _ => {}
        }
    }
}

impl<'a> Visitor<'a> for Finder<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            // Nested functions close their own files.
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => return,
            Stmt::With(with) => with.items.iter().for_each(|item| self.add(&item.context_expr)),
            Stmt::Return(result) => result.value.iter().for_each(|value| self.add(value)),
            Stmt::Assign(assign)
                if assign.targets.iter().any(|it| it.is_attribute_expr() || it.is_subscript_expr()) =>
            {
                self.add(&assign.value);
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Attribute(attribute) if attribute.attr.as_str() == "close" => self.add(&attribute.value),
            Expr::Yield(yielded) => yielded.value.iter().for_each(|value| self.add(value)),
            Expr::Call(call) if closes_argument(last_name(&call.func)) => {
                call.arguments.args.iter().for_each(|argument| self.add(argument));
            }
            _ => {}
        }
        walk_expr(self, expr);
    }
}
