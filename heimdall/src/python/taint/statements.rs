//! What statements do to the values of names.

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::{
    ElifElseClause, ExceptHandler, Expr, MatchCase, Pattern, Stmt, StmtClassDef, StmtFor, StmtFunctionDef, StmtIf,
    StmtMatch, StmtReturn, StmtTry, StmtWhile, StmtWith,
};
use ruff_text_size::Ranged;

use super::environment::Branch;
use super::expressions::path_of;
use super::guards;
use super::interpreter::Interpreter;
use super::value::{Shape, Uses, Value};
use crate::python::checks::performance::last_name;
use crate::python::taint::guards::named_conditions;
use crate::python::taint::guards::postconditions::is_always;
use crate::python::taint::models::fold;
use crate::python::taint::sinks::responses;

/// Loops nested deeper than this are walked once, not twice.
const LOOPS_WALKED_TWICE: u32 = 2;

/// Longest chain of alternatives in which unmet tests are remembered; what they prove is copied for each alternative.
const TESTS_REMEMBERED: usize = 16;

/// Maximum ways out of one loop that are kept apart.
const MAX_BREAKS: usize = 32;

/// How control leaves a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// At its end.
    Goes,
    /// By `break` or `continue`: what it changed is still seen after the loop.
    Skips,
    /// By `return` or `raise`: what it changed is never seen.
    Ends,
    /// By a call that is believed never to return. It ends a branch; where there is no other, what follows is looked at,
    /// so that a call cannot hide the rest of a program.
    Stops,
}

impl Interpreter<'_, '_, '_> {
    /// Walks a block; code after a statement that leaves it is not reached.
    pub(crate) fn block(&mut self, body: &[Stmt]) -> Flow {
        let outer = self.scope().is_stopped;
        let flow = self.reached(body);
        self.scope().is_stopped = outer;
        flow
    }

    fn reached(&mut self, body: &[Stmt]) -> Flow {
        let mut stopped = false;
        for (at, stmt) in body.iter().enumerate() {
            if !self.step() {
                return Flow::Goes;
            }
            if let Stmt::Assign(assign) = stmt {
                responses::note_typed(self, assign, &body[at + 1..]);
            }
            let flow = stacker::maybe_grow(crate::python::RED_ZONE, crate::python::STACK_STEP, || self.statement(stmt));
            let never = std::mem::take(&mut self.never);
            match flow {
                Flow::Ends => return Flow::Ends,
                Flow::Skips => return if stopped || never { Flow::Stops } else { Flow::Skips },
                Flow::Goes | Flow::Stops => {}
            }
            if never || flow == Flow::Stops {
                stopped = true;
                self.scope().is_stopped = true;
            }
        }
        if stopped { Flow::Stops } else { Flow::Goes }
    }

    fn statement(&mut self, stmt: &Stmt) -> Flow {
        let is_compound =
            matches!(stmt, Stmt::If(_) | Stmt::While(_) | Stmt::For(_) | Stmt::Try(_) | Stmt::Match(_) | Stmt::With(_));
        if !is_compound {
            return self.simple_statement(stmt);
        }
        // A condition that got its name on one of several ways says nothing after they meet.
        let before = self.scope().remembered.clone();
        let flow = self.compound_statement(stmt);
        self.scope().remembered.retain_common(&before);
        flow
    }

    fn compound_statement(&mut self, stmt: &Stmt) -> Flow {
        match stmt {
            Stmt::If(conditional) => self.conditional(conditional),
            Stmt::While(turn) => self.while_loop(turn),
            Stmt::For(turn) => self.for_loop(turn),
            Stmt::Try(attempt) => self.attempt(attempt),
            Stmt::With(with) => self.with(with),
            Stmt::Match(choice) => self.matching(choice),
            _ => Flow::Goes,
        }
    }

    fn simple_statement(&mut self, stmt: &Stmt) -> Flow {
        match stmt {
            Stmt::Expr(expr) => {
                self.eval(&expr.value);
                self.checked_by_number(&expr.value);
            }
            Stmt::Assign(assign) => self.assignment(&assign.targets, &assign.value),
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.assignment(std::slice::from_ref(&assign.target), value);
                }
            }
            Stmt::AugAssign(assign) => {
                let before = self.eval(&assign.target);
                let added = self.eval(&assign.value);
                let value = fold::binary(assign.op, &before, &added);
                self.assign(&assign.target, value);
            }
            Stmt::Return(result) => return self.leave(result),
            Stmt::Raise(raise) => {
                self.scope().is_abstract |=
                    raise.exc.as_deref().is_some_and(|exc| last_name(exc) == "NotImplementedError");
                for part in [&raise.exc, &raise.cause].into_iter().flatten() {
                    self.eval(part);
                }
                return Flow::Ends;
            }
            Stmt::Break(_) => {
                self.leave_loop();
                return Flow::Skips;
            }
            Stmt::Continue(_) => return Flow::Skips,
            Stmt::FunctionDef(def) => self.define(def),
            Stmt::ClassDef(class) => self.define_class(class),
            Stmt::Import(import) => super::imports::import(self, import),
            Stmt::ImportFrom(import) => super::imports::import_from(self, import),
            Stmt::Assert(assert) => {
                self.eval(&assert.test);
                self.checked_by_assert(assert);
                guards::refine(self, &assert.test, true);
                if matches!(&*assert.test, Expr::BooleanLiteral(flag) if !flag.value) {
                    return Flow::Ends;
                }
            }
            Stmt::Delete(delete) => self.forget(&delete.targets),
            _ => {}
        }
        Flow::Goes
    }

    fn forget(&mut self, targets: &[Expr]) {
        for target in targets {
            if let Expr::Name(name) = target {
                self.names().remove(&name.id);
            }
        }
    }

    fn leave(&mut self, result: &StmtReturn) -> Flow {
        let value = match &result.value {
            Some(expr) => {
                let value = self.eval(expr);
                // An expression that never has a value returns nothing.
                if self.never {
                    return Flow::Ends;
                }
                if self.scope().answers {
                    self.check_answer(expr, &value);
                }
                value
            }
            None => Value::of(Shape::Nothing),
        };
        self.record_exit(result.value.as_deref(), value.truth());
        self.give_back(&value);
        Flow::Ends
    }

    /// Adds to what the function at work returns.
    pub(crate) fn give_back(&mut self, value: &Value) {
        let returned = &mut self.scope().returned;
        *returned = Some(returned.as_ref().map_or_else(|| value.clone(), |known| known.join(value)));
    }

    fn assignment(&mut self, targets: &[Expr], value: &Expr) {
        let purpose = targets.first().map(target_name).unwrap_or_default().to_ascii_lowercase();
        let outer = std::mem::replace(&mut self.purpose, purpose);
        for target in targets {
            self.secret_assigned(target_name(target), value);
            self.setting_assigned(target, value);
        }
        let result = self.eval(value);
        self.purpose = outer;
        self.remember_address(targets, value);
        for target in targets {
            self.assign(target, result.clone());
        }
        if let [Expr::Name(name)] = targets
            && (named_conditions::is_condition(value) || self.proofs.contains_key(&value.end().to_u32()))
        {
            self.scope().remembered.insert(&name.id, value);
        }
    }

    /// `parts = urlsplit(url)`: what is proved of the parts is proved of the address.
    fn remember_address(&mut self, targets: &[Expr], value: &Expr) {
        let ([Expr::Name(target)], Expr::Call(call)) = (targets, value) else { return };
        let text = match call.arguments.args.first() {
            Some(Expr::Call(joined)) if target_name(&joined.func) == "urljoin" => joined.arguments.args.get(1),
            other => other,
        };
        if let ("urlparse" | "urlsplit", Some(Expr::Name(text))) = (target_name(&call.func), text) {
            self.addresses.insert(target.id.to_string(), text.id.to_string());
        }
    }

    /// Binds a value to a name, an attribute, an element or several of them.
    pub(crate) fn assign(&mut self, target: &Expr, value: Value) {
        match target {
            Expr::Name(name) => {
                self.scope().remembered.forget(&name.id);
                self.set(&name.id, value);
            }
            Expr::Attribute(attribute) => {
                if let Some(path) = path_of(attribute) {
                    self.set(&path, value.clone());
                }
                let owner = self.eval(&attribute.value);
                if let Shape::Instance(class) | Shape::Class(class) = owner.shape {
                    self.store_attribute(class, &attribute.attr, value);
                }
            }
            Expr::Subscript(subscript) => self.store_element(subscript, value),
            Expr::Starred(starred) => self.assign(&starred.value, value),
            Expr::Tuple(tuple) => self.unpack(&tuple.elts, &value),
            Expr::List(list) => self.unpack(&list.elts, &value),
            _ => {}
        }
    }

    fn unpack(&mut self, targets: &[Expr], value: &Value) {
        let items = if let Shape::Items(items) = &value.shape { Some(std::rc::Rc::clone(items)) } else { None };
        match items {
            Some(items) if items.len() == targets.len() && !targets.iter().any(Expr::is_starred_expr) => {
                for (target, item) in targets.iter().zip(items.iter()) {
                    self.assign(target, item.clone());
                }
            }
            _ => {
                let element = value.any_element();
                for target in targets {
                    self.assign(target, element.clone());
                }
            }
        }
    }

    /// An object's attribute is what any method ever put there.
    pub(crate) fn store_attribute(&mut self, class: usize, name: &str, value: Value) {
        self.attributes
            .entry((class, name.to_owned()))
            .and_modify(|known| *known = known.join(&value))
            .or_insert(value);
    }

    fn conditional(&mut self, conditional: &StmtIf) -> Flow {
        let mut branches: Vec<(Flow, Branch)> = Vec::new();
        let remember = conditional.elif_else_clauses.len() <= TESTS_REMEMBERED;
        // Each later test is only reached when the ones before were not met: one open branch for all of them.
        self.names().fork();
        let mut open = self.alternative(Some(&conditional.test), &conditional.body, &mut branches, remember);
        for ElifElseClause { test, body, .. } in &conditional.elif_else_clauses {
            if !open {
                break;
            }
            open = self.alternative(test.as_ref(), body, &mut branches, remember);
        }
        let remaining = self.names().take_back();
        if open {
            branches.push((Flow::Goes, remaining.clone()));
        }
        self.resume(branches)
    }

    /// Walks one alternative; true when a later one may still be taken.
    fn alternative(
        &mut self,
        test: Option<&Expr>,
        body: &[Stmt],
        branches: &mut Vec<(Flow, Branch)>,
        remember: bool,
    ) -> bool {
        let truth = test.map_or(Some(true), |test| self.eval(test).truth());
        if truth != Some(false) {
            // A taken alternative starts from what the unmet tests proved, so it is a copy of the open branch.
            let before = self.names().take_back();
            self.names().fork();
            self.names().replay(&before);
            if let Some(test) = test {
                guards::refine(self, test, true);
            }
            let flow = self.block(body);
            branches.push((flow, self.names().take_back()));
            self.names().fork();
            self.names().replay(&before);
        }
        if let (Some(test), true) = (test, remember) {
            guards::refine(self, test, false);
        }
        truth != Some(true)
    }

    /// Goes on after alternatives of which one was taken.
    fn resume(&mut self, branches: Vec<(Flow, Branch)>) -> Flow {
        let goes = branches.iter().any(|(flow, _)| *flow == Flow::Goes);
        let skips = branches.iter().any(|(flow, _)| *flow == Flow::Skips);
        let stops = branches.iter().any(|(flow, _)| *flow == Flow::Stops);
        // After `continue` only the end of the loop sees the changes, but it does, so they count there too: the
        // alternatives that go on decide first, and those that skip add what they changed.
        let mut going = Vec::new();
        let mut skipping = Vec::new();
        let mut stopping = Vec::new();
        for (flow, branch) in branches {
            match flow {
                Flow::Goes => going.push(branch),
                Flow::Skips => skipping.push(branch),
                Flow::Stops => stopping.push(branch),
                Flow::Ends => {}
            }
        }
        if goes {
            self.names().join(going);
            for branch in &skipping {
                self.names().blend(branch);
            }
            return Flow::Goes;
        }
        if skips {
            self.names().join(skipping);
            return Flow::Skips;
        }
        if stops {
            self.names().join(stopping);
            return Flow::Stops;
        }
        Flow::Ends
    }

    fn while_loop(&mut self, turn: &StmtWhile) -> Flow {
        let truth = self.eval(&turn.test).truth();
        let mut breaks = Vec::new();
        if truth != Some(false) {
            breaks = self.turns(|this| {
                guards::refine(this, &turn.test, true);
                this.block(&turn.body);
                this.eval(&turn.test);
            });
        }
        if is_always(&turn.test) {
            return self.left_by_break(breaks);
        }
        self.names().fork();
        guards::refine(self, &turn.test, false);
        let flow = self.block(&turn.orelse);
        let met_no_more = self.names().take_back();
        if matches!(flow, Flow::Ends | Flow::Stops) {
            return self.left_by_break(breaks);
        }
        breaks.push(met_no_more);
        self.names().join(breaks);
        Flow::Goes
    }

    /// Goes on after a loop that only `break` leaves.
    fn left_by_break(&mut self, breaks: Vec<Branch>) -> Flow {
        if breaks.is_empty() {
            return Flow::Ends;
        }
        self.names().join(breaks);
        Flow::Goes
    }

    /// Notes what was changed where a loop is left.
    fn leave_loop(&mut self) {
        let scope = self.scope();
        let Some((depth, breaks)) = scope.breaks.last_mut() else { return };
        let changes = scope.names.changes_since(*depth);
        if breaks.len() < MAX_BREAKS {
            breaks.push(changes);
        } else if let Some(last) = breaks.last_mut() {
            // Too many ways to tell apart: as if nothing was proved on this one.
            *last = Branch::new();
        }
    }

    fn for_loop(&mut self, turn: &StmtFor) -> Flow {
        let iterable = self.eval(&turn.iter);
        let element = iterable.any_element();
        self.turns(|this| {
            this.assign(&turn.target, element.clone());
            this.block(&turn.body);
        });
        self.block(&turn.orelse);
        Flow::Goes
    }

    /// Walks a loop's body so that what one turn leaves is seen by the next, and the loop may not run at all. Returns
    /// what was changed at each `break` of the last turn.
    fn turns(&mut self, mut turn: impl FnMut(&mut Self)) -> Vec<Branch> {
        self.loops += 1;
        let times = if self.loops <= LOOPS_WALKED_TWICE { 2 } else { 1 };
        let mut breaks = Vec::new();
        for _ in 0..times {
            let depth = self.names().depth();
            self.scope().breaks.push((depth, Vec::new()));
            self.names().fork();
            turn(self);
            let branch = self.names().take_back();
            breaks = self.scope().breaks.pop().map(|(_, breaks)| breaks).unwrap_or_default();
            self.names().join(vec![branch, Branch::new()]);
        }
        self.loops -= 1;
        breaks
    }

    fn attempt(&mut self, attempt: &StmtTry) -> Flow {
        if attempt.finalbody.is_empty() {
            return self.handled(attempt);
        }
        self.names().fork();
        let flow = self.handled(attempt);
        let tried = self.names().take_back();
        if swallows(&attempt.finalbody) {
            self.scope().exits = None;
        }
        // The end is reached after an error as well: nothing that was proved before holds there.
        self.names().fork();
        self.names().blend(&tried);
        self.names().fork();
        let last = self.block(&attempt.finalbody);
        let changed = self.names().take_back();
        let all = self.names().take_back();
        self.names().replay(if last == Flow::Goes { &tried } else { &all });
        self.names().replay(&changed);
        if last == Flow::Goes { flow } else { last }
    }

    fn handled(&mut self, attempt: &StmtTry) -> Flow {
        self.names().fork();
        let mut flow = self.block(&attempt.body);
        if flow == Flow::Goes {
            flow = self.block(&attempt.orelse);
        }
        let body = self.names().take_back();
        let mut branches = Vec::new();
        for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
            self.names().fork();
            // The error came somewhere in the body: any of its changes may have been made.
            self.names().blend(&body);
            if let Some(kind) = &handler.type_ {
                self.eval(kind);
            }
            if let Some(name) = &handler.name {
                self.set(name, Value::clean());
            }
            let handled = self.block(&handler.body);
            branches.push((handled, self.names().take_back()));
        }
        branches.insert(0, (flow, body));
        self.resume(branches)
    }

    fn with(&mut self, with: &StmtWith) -> Flow {
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
            return self.block(&with.body);
        }
        // What was raised inside ends there: any of the changes may have been made.
        self.names().fork();
        self.block(&with.body);
        let body = self.names().take_back();
        self.names().blend(&body);
        Flow::Goes
    }

    fn matching(&mut self, choice: &StmtMatch) -> Flow {
        let subject = self.eval(&choice.subject);
        let mut branches = Vec::new();
        let mut open = true;
        for case in &choice.cases {
            let fits = fits(case, &subject);
            if fits == Some(false) {
                continue;
            }
            self.names().fork();
            self.bind_pattern(&case.pattern, &subject);
            if is_literal(&case.pattern)
                && let Expr::Name(name) = &*choice.subject
            {
                self.set(&name.id, subject.clone().cleared(Uses::ALL));
            }
            if let Some(guard) = &case.guard {
                self.eval(guard);
                guards::refine(self, guard, true);
            }
            let flow = self.block(&case.body);
            branches.push((flow, self.names().take_back()));
            if fits == Some(true) {
                open = false;
                break;
            }
        }
        if open {
            branches.push((Flow::Goes, Branch::new()));
        }
        self.resume(branches)
    }

    fn bind_pattern(&mut self, pattern: &Pattern, subject: &Value) {
        let part = Value { shape: Shape::Opaque, symbol: None, ..subject.clone() };
        match pattern {
            Pattern::MatchAs(bound) => {
                let literal = bound.pattern.as_deref().is_some_and(is_literal);
                if let Some(name) = &bound.name {
                    let value = if literal { subject.clone().cleared(Uses::ALL) } else { subject.clone() };
                    self.scope().remembered.forget(name);
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

    fn define(&mut self, def: &StmtFunctionDef) {
        for decorator in &def.decorator_list {
            self.eval(&decorator.expression);
        }
        for parameter in def.parameters.iter_non_variadic_params() {
            if let Some(default) = parameter.default() {
                self.secret_assigned(parameter.name(), default);
                self.eval(default);
            }
        }
        let Some(number) = self.program.function_number(def) else { return };
        // A decorator may replace the function by anything, but nearly always wraps it.
        self.set(&def.name, Value::object(Shape::Function(number)));
        let function = &self.program.functions[number];
        if function.nested && function.class.is_none() {
            self.enter_on_its_own(number);
        }
    }

    fn define_class(&mut self, class: &StmtClassDef) {
        let Some(number) = self.program.class_number(class) else { return };
        for decorator in &class.decorator_list {
            self.eval(&decorator.expression);
        }
        self.set(&class.name, Value::object(Shape::Class(number)));
        let outer = std::mem::replace(&mut self.class_at_hand, class.name.to_string());
        self.names().fork();
        self.block(&class.body);
        let body = self.names().take_back();
        self.class_at_hand = outer;
        for (name, value) in body {
            if let Some(value) = value.filter(|value| !matches!(value.shape, Shape::Function(_))) {
                self.store_attribute(number, &name, value);
            }
        }
        let mut methods: Vec<usize> = self.program.classes[number].methods.values().copied().collect();
        methods.sort_unstable();
        if self.scopes.len() > 1 {
            for method in methods {
                self.enter_on_its_own(method);
            }
        }
    }
}

/// Returns whether a block may leave in a way that makes an error disappear.
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

/// The name, attribute or key that an assignment is about.
pub(crate) fn target_name(target: &Expr) -> &str {
    match target {
        Expr::Name(name) => &name.id,
        Expr::Attribute(attribute) => &attribute.attr,
        Expr::Subscript(subscript) => match &*subscript.slice {
            Expr::StringLiteral(key) => key.value.to_str(),
            _ => "",
        },
        _ => "",
    }
}

/// Whether a case is certainly taken, or certainly not.
fn fits(case: &MatchCase, subject: &Value) -> Option<bool> {
    let certain = pattern_fits(&case.pattern, subject);
    if case.guard.is_some() && certain == Some(true) { None } else { certain }
}

fn pattern_fits(pattern: &Pattern, subject: &Value) -> Option<bool> {
    match pattern {
        Pattern::MatchAs(bound) => bound.pattern.as_ref().map_or(Some(true), |inner| pattern_fits(inner, subject)),
        Pattern::MatchValue(value) => match (&*value.value, &subject.shape) {
            (Expr::StringLiteral(text), Shape::Text(known)) => Some(text.value.to_str() == &**known),
            _ => None,
        },
        Pattern::MatchOr(or) => {
            let parts: Vec<_> = or.patterns.iter().map(|part| pattern_fits(part, subject)).collect();
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
