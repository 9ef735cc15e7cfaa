//! Control flow: branches, loops, error handling and pattern matching.

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::{
    ElifElseClause, ExceptHandler, Expr, MatchCase, Pattern, Stmt, StmtFor, StmtIf, StmtMatch, StmtTry, StmtWhile,
    StmtWith,
};

use super::environment::Branch;
use super::guards;
use super::interpreter::Interpreter;
use super::value::{AbstractValue, TaintKinds, Value};
use crate::python::ast::{is_always, last_name};

/// Maximum nesting at which a loop body is walked twice; deeper loops are walked once.
const MAX_TWO_PASS_LOOP_DEPTH: u32 = 2;

/// Maximum alternatives of an `if` whose unmet conditions refine values. Each refinement is copied into every
/// alternative.
const MAX_REFINED_ALTERNATIVES: usize = 16;

/// Maximum `break` states of one loop that are kept separate.
const MAX_BREAKS: usize = 32;

/// The way in which control leaves a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// At its end.
    FallsThrough,
    /// By `break` or `continue`; its changes reach the code after the loop.
    LeavesIteration,
    /// By `return` or `raise`; its changes do not reach the following code.
    LeavesFunction,
    /// By a call that is assumed never to return. This ends a branch. Without another branch the following code is
    /// still analysed, so that such a call cannot hide the rest of a program.
    Diverges,
}

impl Interpreter<'_, '_, '_> {
    pub(crate) fn walk_compound_statement(&mut self, stmt: &Stmt) -> Flow {
        match stmt {
            Stmt::If(conditional) => self.walk_if(conditional),
            Stmt::While(while_loop) => self.walk_while(while_loop),
            Stmt::For(for_loop) => self.walk_for(for_loop),
            Stmt::Try(attempt) => self.walk_try(attempt),
            Stmt::With(with) => self.walk_with(with),
            Stmt::Match(choice) => self.walk_match(choice),
            _ => Flow::FallsThrough,
        }
    }

    fn walk_if(&mut self, conditional: &StmtIf) -> Flow {
        let mut branches: Vec<(Flow, Branch)> = Vec::new();
        let remember = conditional.elif_else_clauses.len() <= MAX_REFINED_ALTERNATIVES;
        // A later condition is only evaluated if the earlier ones were not met, so all share one open branch.
        self.names().fork();
        let mut open = self.walk_alternative(Some(&conditional.test), &conditional.body, &mut branches, remember);
        for ElifElseClause { test, body, .. } in &conditional.elif_else_clauses {
            if !open {
                break;
            }
            open = self.walk_alternative(test.as_ref(), body, &mut branches, remember);
        }
        let remaining = self.names().rollback();
        if open {
            branches.push((Flow::FallsThrough, remaining.clone()));
        }
        self.join_alternatives(branches)
    }

    /// Walks one alternative. Returns true if a later one may be taken.
    fn walk_alternative(
        &mut self,
        test: Option<&Expr>,
        body: &[Stmt],
        branches: &mut Vec<(Flow, Branch)>,
        remember: bool,
    ) -> bool {
        let truth = test.map_or(Some(true), |test| self.eval(test).truth());
        if truth != Some(false) {
            // A taken alternative starts from the refinements of the unmet conditions, so it copies the open branch.
            let before = self.names().rollback();
            self.names().fork();
            self.names().apply(&before);
            if let Some(test) = test {
                guards::refine(self, test, true);
            }
            let flow = self.walk_block(body);
            branches.push((flow, self.names().rollback()));
            self.names().fork();
            self.names().apply(&before);
        }
        if let (Some(test), true) = (test, remember) {
            guards::refine(self, test, false);
        }
        truth != Some(true)
    }

    /// Merges the branches of alternatives of which one was taken.
    fn join_alternatives(&mut self, branches: Vec<(Flow, Branch)>) -> Flow {
        let falls_through = branches.iter().any(|(flow, _)| *flow == Flow::FallsThrough);
        let leaves_iteration = branches.iter().any(|(flow, _)| *flow == Flow::LeavesIteration);
        let diverges = branches.iter().any(|(flow, _)| *flow == Flow::Diverges);
        // Changes before `continue` reach the end of the loop: branches that fall through are joined first, then these
        // changes are merged in.
        let mut falling_through = Vec::new();
        let mut leaving_iteration = Vec::new();
        let mut diverging = Vec::new();
        for (flow, branch) in branches {
            match flow {
                Flow::FallsThrough => falling_through.push(branch),
                Flow::LeavesIteration => leaving_iteration.push(branch),
                Flow::Diverges => diverging.push(branch),
                Flow::LeavesFunction => {}
            }
        }
        if falls_through {
            self.names().join(falling_through);
            for branch in &leaving_iteration {
                self.names().merge(branch);
            }
            return Flow::FallsThrough;
        }
        if leaves_iteration {
            self.names().join(leaving_iteration);
            return Flow::LeavesIteration;
        }
        if diverges {
            self.names().join(diverging);
            return Flow::Diverges;
        }
        Flow::LeavesFunction
    }

    fn walk_while(&mut self, while_loop: &StmtWhile) -> Flow {
        let truth = self.eval(&while_loop.test).truth();
        let mut breaks = Vec::new();
        if truth != Some(false) {
            breaks = self.walk_iterations(|this| {
                guards::refine(this, &while_loop.test, true);
                this.walk_block(&while_loop.body);
                this.eval(&while_loop.test);
            });
        }
        if is_always(&while_loop.test) {
            return self.join_breaks(breaks);
        }
        self.names().fork();
        guards::refine(self, &while_loop.test, false);
        let flow = self.walk_block(&while_loop.orelse);
        let met_no_more = self.names().rollback();
        if matches!(flow, Flow::LeavesFunction | Flow::Diverges) {
            return self.join_breaks(breaks);
        }
        breaks.push(met_no_more);
        self.names().join(breaks);
        Flow::FallsThrough
    }

    /// Continues after a loop that only `break` leaves.
    fn join_breaks(&mut self, breaks: Vec<Branch>) -> Flow {
        if breaks.is_empty() {
            return Flow::LeavesFunction;
        }
        self.names().join(breaks);
        Flow::FallsThrough
    }

    /// Records the changes at a `break`.
    pub(crate) fn record_break(&mut self) {
        let scope = self.scope();
        let Some((depth, breaks)) = scope.breaks.last_mut() else { return };
        let changes = scope.names.changes_since(*depth);
        if breaks.len() < MAX_BREAKS {
            breaks.push(changes);
        } else if let Some(last) = breaks.last_mut() {
            // Too many states: this one keeps no refinements.
            *last = Branch::new();
        }
    }

    fn walk_for(&mut self, for_loop: &StmtFor) -> Flow {
        let iterable = self.eval(&for_loop.iter);
        let element = iterable.any_element();
        self.walk_iterations(|this| {
            this.assign(&for_loop.target, element.clone());
            this.walk_block(&for_loop.body);
        });
        self.walk_block(&for_loop.orelse);
        Flow::FallsThrough
    }

    /// Walks a loop body so that changes of one iteration reach the next, and the body may also not run. Returns the
    /// changes at each `break` of the last iteration.
    fn walk_iterations(&mut self, mut body: impl FnMut(&mut Self)) -> Vec<Branch> {
        self.loop_depth += 1;
        let times = if self.loop_depth <= MAX_TWO_PASS_LOOP_DEPTH { 2 } else { 1 };
        let mut breaks = Vec::new();
        for _ in 0..times {
            let depth = self.names().depth();
            self.scope().breaks.push((depth, Vec::new()));
            self.names().fork();
            body(self);
            let branch = self.names().rollback();
            breaks = self.scope().breaks.pop().map(|(_, breaks)| breaks).unwrap_or_default();
            self.names().join(vec![branch, Branch::new()]);
        }
        self.loop_depth -= 1;
        breaks
    }

    fn walk_try(&mut self, attempt: &StmtTry) -> Flow {
        if attempt.finalbody.is_empty() {
            return self.walk_try_handlers(attempt);
        }
        self.names().fork();
        let flow = self.walk_try_handlers(attempt);
        let tried = self.names().rollback();
        if swallows(&attempt.finalbody) {
            self.scope().returns = None;
        }
        // `finally` also runs after an error, so refinements of the `try` block do not hold in it.
        self.names().fork();
        self.names().merge(&tried);
        self.names().fork();
        let last = self.walk_block(&attempt.finalbody);
        let changed = self.names().rollback();
        let all = self.names().rollback();
        self.names().apply(if last == Flow::FallsThrough { &tried } else { &all });
        self.names().apply(&changed);
        if last == Flow::FallsThrough { flow } else { last }
    }

    fn walk_try_handlers(&mut self, attempt: &StmtTry) -> Flow {
        self.names().fork();
        let mut flow = self.walk_block(&attempt.body);
        if flow == Flow::FallsThrough {
            flow = self.walk_block(&attempt.orelse);
        }
        let body = self.names().rollback();
        let mut branches = Vec::new();
        for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
            self.names().fork();
            // The error may come from any statement of the body, so any of its changes may have happened.
            self.names().merge(&body);
            if let Some(kind) = &handler.type_ {
                self.eval(kind);
            }
            if let Some(name) = &handler.name {
                self.set(name, Value::clean());
            }
            let handled = self.walk_block(&handler.body);
            branches.push((handled, self.names().rollback()));
        }
        branches.insert(0, (flow, body));
        self.join_alternatives(branches)
    }

    fn walk_with(&mut self, with: &StmtWith) -> Flow {
        let mut swallows = false;
        for item in &with.items {
            swallows |=
                matches!(last_name(&item.context_expr), "suppress" | "raises" | "assertRaises" | "assertRaisesRegex");
            let value = self.eval(&item.context_expr);
            if let Some(target) = &item.optional_vars {
                self.assign(target, value);
            }
        }
        if !swallows {
            return self.walk_block(&with.body);
        }
        // The context manager swallows errors, so any of the changes may have happened.
        self.names().fork();
        self.walk_block(&with.body);
        let body = self.names().rollback();
        self.names().merge(&body);
        Flow::FallsThrough
    }

    fn walk_match(&mut self, choice: &StmtMatch) -> Flow {
        let subject = self.eval(&choice.subject);
        let mut branches = Vec::new();
        let mut open = true;
        for case in &choice.cases {
            let matches_subject = matches_subject(case, &subject);
            if matches_subject == Some(false) {
                continue;
            }
            self.names().fork();
            self.bind_pattern(&case.pattern, &subject);
            if is_literal(&case.pattern)
                && let Expr::Name(name) = &*choice.subject
            {
                self.set(&name.id, subject.clone().sanitized(TaintKinds::ALL));
            }
            if let Some(guard) = &case.guard {
                self.eval(guard);
                guards::refine(self, guard, true);
            }
            let flow = self.walk_block(&case.body);
            branches.push((flow, self.names().rollback()));
            if matches_subject == Some(true) {
                open = false;
                break;
            }
        }
        if open {
            branches.push((Flow::FallsThrough, Branch::new()));
        }
        self.join_alternatives(branches)
    }

    fn bind_pattern(&mut self, pattern: &Pattern, subject: &Value) {
        let part = Value { content: AbstractValue::Opaque, symbol: None, ..subject.clone() };
        match pattern {
            Pattern::MatchAs(bound) => {
                let literal = bound.pattern.as_deref().is_some_and(is_literal);
                if let Some(name) = &bound.name {
                    let value = if literal { subject.clone().sanitized(TaintKinds::ALL) } else { subject.clone() };
                    self.scope().named_conditions.forget(name);
                    self.set(name, value);
                }
                if let Some(inner) = &bound.pattern {
                    self.bind_pattern(inner, subject);
                }
            }
            Pattern::MatchStar(bound) => {
                if let Some(name) = &bound.name {
                    self.set(name, part);
                }
            }
            Pattern::MatchSequence(sequence) => sequence.patterns.iter().for_each(|p| self.bind_pattern(p, &part)),
            Pattern::MatchMapping(mapping) => mapping.patterns.iter().for_each(|p| self.bind_pattern(p, &part)),
            Pattern::MatchClass(class) => class.arguments.patterns.iter().for_each(|p| self.bind_pattern(p, &part)),
            Pattern::MatchOr(or) => or.patterns.iter().for_each(|p| self.bind_pattern(p, subject)),
            Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
        }
    }
}

/// Returns true if a `finally` block may discard an error.
fn swallows(body: &[Stmt]) -> bool {
    struct Finder(bool);
    impl<'a> StatementVisitor<'a> for Finder {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            match stmt {
                Stmt::Return(_) | Stmt::Break(_) | Stmt::Continue(_) => self.0 = true,
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
                _ => walk_stmt(self, stmt),
            }
        }
    }
    let mut finder = Finder(false);
    finder.visit_body(body);
    finder.0
}

/// Returns whether a case matches, if that is certain.
fn matches_subject(case: &MatchCase, subject: &Value) -> Option<bool> {
    let certain = pattern_matches(&case.pattern, subject);
    if case.guard.is_some() && certain == Some(true) { None } else { certain }
}

fn pattern_matches(pattern: &Pattern, subject: &Value) -> Option<bool> {
    match pattern {
        Pattern::MatchAs(bound) => bound.pattern.as_ref().map_or(Some(true), |inner| pattern_matches(inner, subject)),
        Pattern::MatchValue(value) => match (&*value.value, &subject.content) {
            (Expr::StringLiteral(text), AbstractValue::Text(known)) => Some(text.value.to_str() == &**known),
            _ => None,
        },
        Pattern::MatchOr(or) => {
            let parts: Vec<_> = or.patterns.iter().map(|part| pattern_matches(part, subject)).collect();
            if parts.contains(&Some(true)) {
                Some(true)
            } else if parts.iter().all(|part| *part == Some(false)) {
                Some(false)
            } else {
                None
            }
        }
        Pattern::MatchSingleton(_)
        | Pattern::MatchSequence(_)
        | Pattern::MatchMapping(_)
        | Pattern::MatchClass(_)
        | Pattern::MatchStar(_) => None,
    }
}

fn is_literal(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => true,
        Pattern::MatchOr(or) => or.patterns.iter().all(is_literal),
        Pattern::MatchAs(bound) => bound.pattern.as_deref().is_some_and(is_literal),
        Pattern::MatchSequence(_) | Pattern::MatchMapping(_) | Pattern::MatchClass(_) | Pattern::MatchStar(_) => false,
    }
}
