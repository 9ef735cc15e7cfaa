//! Size and complexity of definitions.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange};

use crate::findings::Findings;
use crate::rules;

/// Maximum parameters, not counting `self`.
const MAX_PARAMETERS: usize = 6;
/// Maximum lines of a function.
const MAX_FUNCTION_LINES: u32 = 60;
/// Maximum cyclomatic complexity, as McCabe proposed.
const MAX_COMPLEXITY: u32 = 10;
/// Maximum nested blocks.
const MAX_NESTING: usize = 4;
/// Maximum methods of a class.
const MAX_METHODS: usize = 20;
/// Maximum `elif` and `else` clauses of an `if`.
const MAX_ALTERNATIVES: usize = 7;
const MAX_BASES: usize = 3;
const MAX_MODULE_LINES: usize = 1_000;

pub(crate) fn check(body: &[Stmt], source: &str, findings: &mut Findings<'_>) {
    let lines = source.lines().count();
    if lines > MAX_MODULE_LINES {
        findings.report_line(&rules::LARGE_MODULE, 1, u32::try_from(lines).unwrap_or(u32::MAX));
    }
    let mut checker = Checker { findings, in_function: false, in_class: false, nesting: 0 };
    checker.visit_body(body);
}

struct Checker<'f, 's> {
    findings: &'f mut Findings<'s>,
    in_function: bool,
    in_class: bool,
    nesting: usize,
}

impl<'a> Visitor<'a> for Checker<'_, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(def) => return self.function(def, stmt),
            Stmt::ClassDef(class) => return self.class(class, stmt),
            Stmt::Global(global) => self.findings.report(&rules::GLOBAL_STATE, global.range()),
            Stmt::Import(_) | Stmt::ImportFrom(_) if self.in_function => {
                self.findings.report(&rules::LOCAL_IMPORT, stmt.range());
            }
            Stmt::If(conditional) if conditional.elif_else_clauses.len() >= MAX_ALTERNATIVES => {
                self.findings.report(&rules::LONG_CHAIN, conditional.test.range());
            }
            _ => {}
        }
        let nests =
            matches!(stmt, Stmt::If(_) | Stmt::For(_) | Stmt::While(_) | Stmt::With(_) | Stmt::Try(_) | Stmt::Match(_));
        if nests {
            self.nesting += 1;
            if self.nesting == MAX_NESTING + 1 {
                self.findings.report(&rules::DEEP_NESTING, TextRange::new(stmt.start(), stmt.start()));
            }
            walk_stmt(self, stmt);
            self.nesting -= 1;
        } else {
            walk_stmt(self, stmt);
        }
    }

    fn visit_expr(&mut self, _: &'a Expr) {
        // Expressions contain no statements worth measuring.
    }
}

impl Checker<'_, '_> {
    fn function(&mut self, def: &StmtFunctionDef, stmt: &Stmt) {
        let name = def.name.range();
        let bound = usize::from(self.in_class);
        let parameters = def.parameters.iter_non_variadic_params().count().saturating_sub(bound);
        if parameters > MAX_PARAMETERS {
            self.findings.report(&rules::TOO_MANY_PARAMETERS, name);
        }
        if self.findings.lines_in(def.range()) > MAX_FUNCTION_LINES {
            self.findings.report(&rules::LONG_FUNCTION, name);
        }
        if complexity(def) > MAX_COMPLEXITY {
            self.findings.report(&rules::COMPLEX_FUNCTION, name);
        }
        let outer = (self.in_function, self.in_class, self.nesting);
        (self.in_function, self.in_class, self.nesting) = (true, false, 0);
        walk_stmt(self, stmt);
        (self.in_function, self.in_class, self.nesting) = outer;
    }

    fn class(&mut self, class: &StmtClassDef, stmt: &Stmt) {
        let methods = class.body.iter().filter(|stmt| stmt.is_function_def_stmt()).count();
        if methods > MAX_METHODS {
            self.findings.report(&rules::GOD_CLASS, class.name.range());
        }
        if class.bases().len() > MAX_BASES {
            self.findings.report(&rules::DEEP_INHERITANCE, class.name.range());
        }
        let outer = (self.in_function, self.in_class);
        (self.in_function, self.in_class) = (false, true);
        walk_stmt(self, stmt);
        (self.in_function, self.in_class) = outer;
    }
}

/// Returns the cyclomatic complexity: one, plus one per decision.
fn complexity(def: &StmtFunctionDef) -> u32 {
    struct Counter(u32);
    impl<'a> Visitor<'a> for Counter {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            self.0 += match stmt {
                Stmt::If(conditional) => {
                    1 + conditional.elif_else_clauses.iter().map(|clause| u32::from(clause.test.is_some())).sum::<u32>()
                }
                Stmt::For(_) | Stmt::While(_) | Stmt::Assert(_) => 1,
                Stmt::Try(attempt) => u32::try_from(attempt.handlers.len()).unwrap_or(0),
                Stmt::Match(choice) => u32::try_from(choice.cases.len()).unwrap_or(0),
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) => return,
                _ => 0,
            };
            walk_stmt(self, stmt);
        }
        fn visit_expr(&mut self, expr: &'a Expr) {
            self.0 += match expr {
                Expr::If(_) => 1,
                Expr::BoolOp(parts) => u32::try_from(parts.values.len() - 1).unwrap_or(0),
                _ => 0,
            };
            walk_expr(self, expr);
        }
    }
    let mut counter = Counter(1);
    counter.visit_body(&def.body);
    counter.0
}
