//! Common mistakes visible in the syntax tree.

use ruff_python_ast::visitor::{Visitor, walk_except_handler, walk_expr, walk_stmt};
use ruff_python_ast::{CmpOp, ExceptHandler, Expr, ExprCompare, Stmt, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange};

use super::unreachable_code::Terminators;
use crate::findings::Findings;
use crate::python::ast::last_name;
use crate::rules;

/// Built-in names that are often shadowed by mistake.
const BUILTINS: &[&str] = &[
    "list", "dict", "set", "str", "int", "float", "bool", "tuple", "type", "id", "input", "open", "print", "len",
    "sum", "min", "max", "map", "filter", "range", "sorted", "object", "bytes", "iter", "next", "hash", "all", "any",
    "dir", "vars", "eval", "exec", "format", "zip",
];

/// Minimum lines of a definition that needs a docstring.
const MIN_DOCUMENTED_LINES: u32 = 8;

pub(crate) fn check(body: &[Stmt], findings: &mut Findings<'_>) {
    let mut checker = Checker { findings, in_class: false, terminators: Terminators::of(body) };
    checker.visit_body(body);
}

struct Checker<'a, 'f, 's> {
    findings: &'f mut Findings<'s>,
    in_class: bool,
    terminators: Terminators<'a>,
}

impl<'a> Visitor<'a> for Checker<'a, '_, '_> {
    fn visit_body(&mut self, body: &'a [Stmt]) {
        let left = body.windows(2).find(|pair| self.terminators.ends_block(&pair[0]));
        if let Some([_, never_reached]) = left
            && !makes_generator(never_reached)
        {
            self.findings.report(&rules::UNREACHABLE, never_reached.range());
        }
        for stmt in body {
            self.visit_stmt(stmt);
        }
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(def) => {
                self.function(def);
                let in_class = std::mem::replace(&mut self.in_class, false);
                walk_stmt(self, stmt);
                self.in_class = in_class;
                return;
            }
            Stmt::ClassDef(class) => {
                self.documented(&class.name, &class.body, class.range());
                let in_class = std::mem::replace(&mut self.in_class, true);
                walk_stmt(self, stmt);
                self.in_class = in_class;
                return;
            }
            Stmt::Assign(assign) if !self.in_class => {
                for target in &assign.targets {
                    if let Expr::Name(name) = target
                        && BUILTINS.contains(&name.id.as_str())
                    {
                        self.findings.report(&rules::SHADOWED_BUILTIN, target.range());
                    }
                }
            }
            Stmt::ImportFrom(import) if import.names.iter().any(|alias| alias.name.as_str() == "*") => {
                self.findings.report(&rules::WILDCARD_IMPORT, import.range());
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        let header = TextRange::new(inner.start(), inner.start());
        // An exception that is raised again was not swallowed.
        if inner.type_.is_none() && !matches!(inner.body.last(), Some(Stmt::Raise(_))) {
            self.findings.report(&rules::BARE_EXCEPT, header);
        }
        let broad = inner.type_.as_deref().is_none_or(|kind| matches!(last_name(kind), "Exception" | "BaseException"));
        let silent = inner.body.iter().all(|stmt| match stmt {
            Stmt::Pass(_) | Stmt::Continue(_) => true,
            Stmt::Expr(expr) => expr.value.is_ellipsis_literal_expr() || expr.value.is_string_literal_expr(),
            _ => false,
        });
        if broad && silent {
            self.findings.report(&rules::EXCEPTION_SWALLOWED, header);
        }
        walk_except_handler(self, handler);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Compare(comparison) = expr {
            self.comparison(comparison);
        }
        walk_expr(self, expr);
    }
}

impl Checker<'_, '_, '_> {
    fn function(&mut self, def: &StmtFunctionDef) {
        for parameter in def.parameters.iter_non_variadic_params() {
            let mutable = parameter.default().is_some_and(|default| match default {
                Expr::List(_) | Expr::Dict(_) | Expr::Set(_) | Expr::ListComp(_) | Expr::DictComp(_) => true,
                Expr::Call(call) => {
                    call.func.is_name_expr()
                        && matches!(last_name(&call.func), "list" | "dict" | "set" | "bytearray" | "defaultdict")
                }
                _ => false,
            });
            if mutable {
                self.findings.report(&rules::MUTABLE_DEFAULT, parameter.range());
            }
            if BUILTINS.contains(&parameter.name().as_str()) && !self.in_class {
                self.findings.report(&rules::SHADOWED_BUILTIN, parameter.range());
            }
        }
        self.documented(&def.name, &def.body, def.range());
    }

    fn documented(&mut self, name: &str, body: &[Stmt], range: TextRange) {
        let public = !name.starts_with('_');
        let documented = matches!(body.first(), Some(Stmt::Expr(first)) if first.value.is_string_literal_expr());
        if public && !documented && self.findings.lines_in(range) >= MIN_DOCUMENTED_LINES {
            self.findings.report(&rules::MISSING_DOCSTRING, TextRange::new(range.start(), range.start()));
        }
    }

    fn comparison(&mut self, comparison: &ExprCompare) {
        for (op, right) in comparison.ops.iter().zip(&*comparison.comparators) {
            if !matches!(op, CmpOp::Eq | CmpOp::NotEq) {
                continue;
            }
            let rule = match right {
                Expr::NoneLiteral(_) => &rules::COMPARE_NONE,
                Expr::BooleanLiteral(_) => &rules::COMPARE_BOOL,
                _ if is_type_of(&comparison.left) => &rules::TYPE_COMPARED,
                _ => continue,
            };
            self.findings.report(rule, comparison.range());
        }
    }
}

/// Returns true for `yield` after `return`: it makes the function a generator without values.
fn makes_generator(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Expr(expr) if matches!(&*expr.value, Expr::Yield(_) | Expr::YieldFrom(_)))
}

fn is_type_of(expr: &Expr) -> bool {
    matches!(expr, Expr::Call(call) if call.func.is_name_expr() && last_name(&call.func) == "type" && call.arguments.len() == 1)
}
