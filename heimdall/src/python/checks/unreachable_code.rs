//! Finds statements after which the block does not continue.

use std::cell::OnceCell;
use std::collections::HashMap;

use ruff_python_ast::visitor::{Visitor, walk_stmt};
use ruff_python_ast::{Expr, Pattern, Stmt, StmtIf, StmtMatch, StmtTry};

use crate::python::ast::{is_always, last_name};
use crate::python::stack;

/// Functions that never return, by full name.
const TERMINATING_CALLS: &[&str] = &[
    "sys.exit",
    "os._exit",
    "os.abort",
    "flask.abort",
    "quart.abort",
    "werkzeug.abort",
    "werkzeug.exceptions.abort",
    "bottle.abort",
];

/// Built-in functions that never return.
const TERMINATING_BUILTINS: &[&str] = &["exit", "quit"];

/// The imports of a module, used to recognise calls that never return.
pub(crate) struct Terminators<'a> {
    body: &'a [Stmt],
    /// Imported names with their full names; local functions have an empty one. Collected on first use.
    names: OnceCell<HashMap<String, String>>,
}

impl<'a> Terminators<'a> {
    pub(crate) fn of(body: &'a [Stmt]) -> Self {
        Self { body, names: OnceCell::new() }
    }

    fn names(&self) -> &HashMap<String, String> {
        self.names.get_or_init(|| {
            let mut collector = Collector { names: HashMap::new() };
            collector.visit_body(self.body);
            collector.names
        })
    }

    /// Returns true if the following statement is unreachable.
    pub(crate) fn ends_block(&self, stmt: &Stmt) -> bool {
        stack::grow(|| match stmt {
            Stmt::Return(_) | Stmt::Raise(_) | Stmt::Break(_) | Stmt::Continue(_) => true,
            Stmt::Expr(expr) => self.ends(&expr.value),
            Stmt::If(conditional) => self.all_ways_leave(conditional),
            Stmt::While(turn) => is_always(&turn.test) && !breaks(&turn.body),
            Stmt::Try(attempt) => self.attempt_leaves(attempt),
            Stmt::Match(choice) => self.all_cases_leave(choice),
            _ => false,
        })
    }

    fn block_leaves(&self, body: &[Stmt]) -> bool {
        body.iter().any(|stmt| self.ends_block(stmt))
    }

    fn all_ways_leave(&self, conditional: &StmtIf) -> bool {
        let has_else = conditional.elif_else_clauses.last().is_some_and(|clause| clause.test.is_none());
        has_else
            && self.block_leaves(&conditional.body)
            && conditional.elif_else_clauses.iter().all(|clause| self.block_leaves(&clause.body))
    }

    fn attempt_leaves(&self, attempt: &StmtTry) -> bool {
        let handlers = attempt.handlers.iter().all(|handler| {
            let ruff_python_ast::ExceptHandler::ExceptHandler(handler) = handler;
            self.block_leaves(&handler.body)
        });
        let body = self.block_leaves(&attempt.body) || self.block_leaves(&attempt.orelse);
        body && handlers || self.block_leaves(&attempt.finalbody)
    }

    fn all_cases_leave(&self, choice: &StmtMatch) -> bool {
        let is_wildcard = |pattern: &Pattern| matches!(pattern, Pattern::MatchAs(bound) if bound.pattern.is_none());
        let last = choice.cases.last();
        last.is_some_and(|case| case.guard.is_none() && is_wildcard(&case.pattern))
            && choice.cases.iter().all(|case| self.block_leaves(&case.body))
    }

    fn ends(&self, expr: &Expr) -> bool {
        let Expr::Call(call) = expr else { return false };
        if !TERMINATING_CALLS
            .iter()
            .chain(TERMINATING_BUILTINS)
            .any(|end| end.rsplit('.').next() == Some(last_name(&call.func)))
            && !call.func.is_name_expr()
        {
            return false;
        }
        match &*call.func {
            Expr::Name(name) => match self.names().get(name.id.as_str()) {
                Some(full) => TERMINATING_CALLS.contains(&full.as_str()),
                None => TERMINATING_BUILTINS.contains(&name.id.as_str()),
            },
            Expr::Attribute(attribute) => {
                let Expr::Name(owner) = &*attribute.value else { return false };
                let owner = self.names().get(owner.id.as_str()).map_or("", String::as_str);
                TERMINATING_CALLS.contains(&format!("{owner}.{}", attribute.attr).as_str())
            }
            _ => false,
        }
    }
}

struct Collector {
    names: HashMap<String, String>,
}

impl<'a> Visitor<'a> for Collector {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.names.insert(name.to_string(), alias.name.to_string());
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map_or("", |module| module.as_str());
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.names.insert(name.to_string(), format!("{module}.{}", alias.name));
                }
            }
            Stmt::FunctionDef(def) => {
                self.names.insert(def.name.to_string(), String::new());
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr
            && name.ctx.is_store()
        {
            self.names.insert(name.id.to_string(), String::new());
        }
    }
}

/// Returns true if a body has a `break` of this loop, and not only of a nested one.
fn breaks(body: &[Stmt]) -> bool {
    struct Finder(bool);
    impl<'a> Visitor<'a> for Finder {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            match stmt {
                Stmt::Break(_) => self.0 = true,
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
                Stmt::While(turn) => self.visit_body(&turn.orelse),
                Stmt::For(turn) => self.visit_body(&turn.orelse),
                _ => walk_stmt(self, stmt),
            }
        }
        fn visit_expr(&mut self, _: &'a Expr) {
            // Only statements leave a loop.
        }
    }
    let mut finder = Finder(false);
    finder.visit_body(body);
    finder.0
}
