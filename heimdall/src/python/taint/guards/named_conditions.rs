//! Conditions bound to names: `valid = name in NAMES`, `found = re.fullmatch(pattern, name)`.

use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::Expr;
use ruff_python_ast::visitor::{Visitor, walk_expr};

/// The conditions of one scope whose names have not been rebound.
#[derive(Default, Clone)]
pub(crate) struct NamedConditions {
    conditions: HashMap<String, Rc<NamedCondition>>,
}

/// A condition and the names in it.
pub(crate) struct NamedCondition {
    pub(crate) test: Expr,
    names: Vec<String>,
}

impl NamedConditions {
    pub(crate) fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    pub(crate) fn insert(&mut self, name: &str, test: &Expr) {
        let mut names = Names(Vec::new());
        names.visit_expr(test);
        if !names.0.iter().any(|known| known == name) {
            self.conditions.insert(name.to_owned(), Rc::new(NamedCondition { test: test.clone(), names: names.0 }));
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Rc<NamedCondition>> {
        self.conditions.get(name).map(Rc::clone)
    }

    /// Removes the conditions of a rebound name and those that contain it.
    pub(crate) fn forget(&mut self, name: &str) {
        if !self.conditions.is_empty() {
            self.conditions
                .retain(|held, condition| held != name && !condition.names.iter().any(|known| known == name));
        }
    }

    /// Keeps only conditions that `before` also holds.
    pub(crate) fn retain_common(&mut self, before: &Self) {
        self.conditions
            .retain(|name, condition| before.conditions.get(name).is_some_and(|known| Rc::ptr_eq(known, condition)));
    }
}

struct Names(Vec<String>);

impl<'a> Visitor<'a> for Names {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr {
            self.0.push(name.id.to_string());
        }
        walk_expr(self, expr);
    }
}

/// Returns true if an expression is a condition worth keeping under a name.
pub(crate) fn is_condition(expr: &Expr) -> bool {
    match expr {
        Expr::Compare(_) => true,
        Expr::BoolOp(parts) => parts.values.iter().all(is_condition),
        Expr::UnaryOp(not) => not.op == ruff_python_ast::UnaryOp::Not && is_condition(&not.operand),
        Expr::Call(call) => match &*call.func {
            Expr::Name(function) => ["is", "has", "valid", "check"].iter().any(|start| function.id.starts_with(start)),
            Expr::Attribute(method) => {
                let name = method.attr.as_str();
                matches!(name, "match" | "fullmatch" | "search" | "startswith" | "is_relative_to")
                    || name.starts_with("is")
            }
            _ => false,
        },
        _ => false,
    }
}
