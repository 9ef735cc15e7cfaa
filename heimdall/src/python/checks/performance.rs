//! Performance problems visible in the syntax tree.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Comprehension, Expr, ExprCall, Operator, Stmt, StmtFor, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::open_files;
use crate::findings::Findings;
use crate::python::ast::last_name;
use crate::rules;

pub(crate) fn check(body: &[Stmt], findings: &mut Findings<'_>) {
    let mut checker = Checker {
        findings,
        loops: Vec::new(),
        coroutine: false,
        kinds: vec![HashMap::new()],
        closed_elsewhere: HashSet::new(),
        bodies: vec![body],
    };
    checker.visit_body(body);
}

/// Type that a name was last bound to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BoundType {
    List,
    Text,
    Other,
}

struct Checker<'a, 'f, 's> {
    findings: &'f mut Findings<'s>,
    /// The collections of the enclosing loops by name; an empty string for a loop without one.
    loops: Vec<String>,
    coroutine: bool,
    kinds: Vec<HashMap<&'a str, BoundType>>,
    /// Start offsets of calls whose file a `with` statement or another object closes.
    closed_elsewhere: HashSet<u32>,
    /// The bodies of the module and the enclosing functions.
    bodies: Vec<&'a [Stmt]>,
}

impl<'a> Visitor<'a> for Checker<'a, '_, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(def) => return self.function(def, stmt),
            Stmt::For(turn) => return self.for_loop(turn),
            Stmt::While(turn) => {
                self.visit_expr(&turn.test);
                self.loops.push(String::new());
                self.visit_body(&turn.body);
                self.loops.pop();
                return self.visit_body(&turn.orelse);
            }
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    self.bind(target, &assign.value);
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.bind(&assign.target, value);
                }
            }
            Stmt::AugAssign(assign)
                if assign.op == Operator::Add && self.is_text(&assign.target, &assign.value) && self.in_loop() =>
            {
                self.findings.report(&rules::STRING_CONCAT_IN_LOOP, assign.range());
            }
            Stmt::With(with) => with.items.iter().for_each(|item| self.mark_closed(&item.context_expr)),
            Stmt::Return(result) => result.value.iter().for_each(|value| self.mark_closed(value)),
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) => self.call(call),
            Expr::Compare(comparison) => {
                for (op, right) in comparison.ops.iter().zip(&*comparison.comparators) {
                    if matches!(op, ruff_python_ast::CmpOp::In | ruff_python_ast::CmpOp::NotIn)
                        && self.in_loop()
                        && self.is_list(right)
                    {
                        self.findings.report(&rules::MEMBERSHIP_IN_LOOP, comparison.range());
                    }
                }
            }
            Expr::Subscript(subscript) => self.extreme(subscript),
            Expr::ListComp(comp) => return self.comprehension(&comp.generators, [Some(&*comp.elt), None]),
            Expr::SetComp(comp) => return self.comprehension(&comp.generators, [Some(&*comp.elt), None]),
            Expr::Generator(comp) => return self.comprehension(&comp.generators, [Some(&*comp.elt), None]),
            Expr::DictComp(comp) => {
                return self.comprehension(&comp.generators, [comp.key.as_deref(), Some(&*comp.value)]);
            }
            Expr::Yield(yielded) => yielded.value.iter().for_each(|value| self.mark_closed(value)),
            Expr::Lambda(lambda) => {
                self.mark_closed(&lambda.body);
                let loops = std::mem::take(&mut self.loops);
                walk_expr(self, expr);
                self.loops = loops;
                return;
            }
            _ => {}
        }
        walk_expr(self, expr);
    }
}

impl<'a> Checker<'a, '_, '_> {
    fn function(&mut self, def: &'a StmtFunctionDef, stmt: &'a Stmt) {
        let coroutine = std::mem::replace(&mut self.coroutine, def.is_async);
        let loops = std::mem::take(&mut self.loops);
        self.kinds.push(HashMap::new());
        self.bodies.push(&def.body);
        walk_stmt(self, stmt);
        self.bodies.pop();
        self.kinds.pop();
        self.loops = loops;
        self.coroutine = coroutine;
        let cached = def.decorator_list.iter().any(|decorator| last_name(&decorator.expression).contains("cache"));
        if !cached && self_calls(def) {
            self.findings.report_line(
                &rules::RECURSION_UNCACHED,
                self.findings.line_of(def.name.start().to_u32()),
                self.findings.line_of(def.name.start().to_u32()),
            );
        }
    }

    fn for_loop(&mut self, turn: &'a StmtFor) {
        self.visit_expr(&turn.iter);
        if range_over_length(&turn.iter) {
            self.findings.report(&rules::RANGE_LEN, turn.iter.range());
        }
        match last_name(&turn.iter) {
            "readlines" => self.findings.report(&rules::READ_WHOLE_FILE, turn.iter.range()),
            "iterrows" => self.findings.report(&rules::DATAFRAME_ROWS, turn.iter.range()),
            _ => {}
        }
        let over = collection(&turn.iter);
        if !over.is_empty() && self.loops.contains(&over) {
            self.findings.report(&rules::QUADRATIC_LOOP, turn.iter.range());
        } else if self.loops.len() == 2 {
            self.findings.report(&rules::DEEP_LOOP, turn.iter.range());
        }
        self.loops.push(over);
        self.visit_body(&turn.body);
        self.loops.pop();
        self.visit_body(&turn.orelse);
    }

    fn comprehension(&mut self, generators: &'a [Comprehension], results: [Option<&'a Expr>; 2]) {
        let outer = self.loops.len();
        for generator in generators {
            // The first collection is evaluated once, everything else for each element.
            self.visit_expr(&generator.iter);
            self.loops.push(collection(&generator.iter));
            generator.ifs.iter().for_each(|condition| self.visit_expr(condition));
        }
        results.into_iter().flatten().for_each(|result| self.visit_expr(result));
        self.loops.truncate(outer);
    }

    fn in_loop(&self) -> bool {
        !self.loops.is_empty()
    }

    fn bind(&mut self, target: &'a Expr, value: &'a Expr) {
        if let Expr::Name(name) = target {
            let built = match value {
                Expr::List(_) | Expr::ListComp(_) => BoundType::List,
                Expr::Call(call) if matches!(last_name(&call.func), "list" | "sorted") => BoundType::List,
                Expr::StringLiteral(_) | Expr::FString(_) => BoundType::Text,
                _ => BoundType::Other,
            };
            if let Some(kinds) = self.kinds.last_mut() {
                kinds.insert(&name.id, built);
            }
        }
        let is_kept = match target {
            Expr::Attribute(_) | Expr::Subscript(_) => true,
            Expr::Name(name) if open_files::opens(value) => {
                self.bodies.iter().any(|body| open_files::closed_names(body).contains(name.id.as_str()))
            }
            _ => false,
        };
        if is_kept {
            self.mark_closed(value);
        }
    }

    /// Marks the files opened in an expression as closed elsewhere.
    fn mark_closed(&mut self, expr: &Expr) {
        self.closed_elsewhere.insert(expr.start().to_u32());
        match expr {
            Expr::If(choice) => {
                self.mark_closed(&choice.body);
                self.mark_closed(&choice.orelse);
            }
            Expr::BoolOp(parts) => parts.values.iter().for_each(|part| self.mark_closed(part)),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| self.mark_closed(part)),
            Expr::List(list) => list.elts.iter().for_each(|part| self.mark_closed(part)),
            Expr::Named(named) => self.mark_closed(&named.value),
            Expr::Await(awaited) => self.mark_closed(&awaited.value),
            Expr::Starred(starred) => self.mark_closed(&starred.value),
            // A wrapper closes its file; a method of the file does not.
            Expr::Call(call) => {
                call.arguments.args.iter().for_each(|argument| self.mark_closed(argument));
                call.arguments.keywords.iter().for_each(|keyword| self.mark_closed(&keyword.value));
            }
            _ => {}
        }
    }

    fn kind(&self, expr: &Expr) -> BoundType {
        match expr {
            Expr::Name(name) => self
                .kinds
                .iter()
                .rev()
                .find_map(|kinds| kinds.get(name.id.as_str()))
                .copied()
                .unwrap_or(BoundType::Other),
            Expr::List(list) if list.elts.len() > 3 => BoundType::List,
            _ => BoundType::Other,
        }
    }

    fn is_list(&self, expr: &Expr) -> bool {
        self.kind(expr) == BoundType::List
    }

    fn is_text(&self, target: &Expr, added: &Expr) -> bool {
        self.kind(target) == BoundType::Text
            || matches!(added, Expr::StringLiteral(_) | Expr::FString(_)) && self.kind(target) != BoundType::List
    }

    fn call(&mut self, call: &'a ExprCall) {
        let name = last_name(&call.func);
        let owner = owner_name(&call.func);
        if open_files::closes_argument(name) {
            call.arguments.args.iter().for_each(|argument| self.mark_closed(argument));
        }
        if self.in_loop() {
            self.call_in_loop(call, name, owner);
        }
        if self.coroutine && blocks(owner, name) {
            self.findings.report(&rules::BLOCKING_IN_ASYNC, call.range());
        }
        if owner.is_empty() && name == "open" && !self.closed_elsewhere.contains(&call.start().to_u32()) {
            self.findings.report(&rules::OPEN_WITHOUT_WITH, call.range());
        }
        // `open(...).read()` leaves the file to the garbage collector.
        let consumes = matches!(name, "sum" | "any" | "all" | "min" | "max" | "set" | "tuple" | "sorted" | "join");
        if consumes && matches!(&*call.arguments.args, [Expr::ListComp(_)]) && name != "sorted" && name != "join" {
            self.findings.report(&rules::NEEDLESS_LIST, call.range());
        }
    }

    fn call_in_loop(&mut self, call: &ExprCall, name: &str, owner: &str) {
        let rule = match (owner, name) {
            ("re", "compile" | "search" | "match" | "sub" | "findall" | "fullmatch" | "split") => {
                if !matches!(call.arguments.args.first(), Some(Expr::StringLiteral(_))) {
                    return;
                }
                &rules::REGEX_IN_LOOP
            }
            ("requests" | "httpx", "get" | "post" | "put" | "delete" | "request") => &rules::REQUEST_IN_LOOP,
            ("copy", "deepcopy") => &rules::NEEDLESS_COPY_IN_LOOP,
            (_, "execute" | "executescript" | "fetchone" | "fetchval" | "fetchrow") if !owner.is_empty() => {
                &rules::QUERY_IN_LOOP
            }
            (_, "get" | "filter" | "first" | "all" | "save" | "query") if is_model_access(call) => {
                &rules::QUERY_IN_LOOP
            }
            (_, "insert") if first_is_zero(call) => &rules::INSERT_AT_FRONT,
            (_, "pop") if first_is_zero(call) => &rules::INSERT_AT_FRONT,
            _ => return,
        };
        self.findings.report(rule, call.range());
    }

    fn extreme(&mut self, subscript: &ruff_python_ast::ExprSubscript) {
        let Expr::Call(call) = &*subscript.value else { return };
        let end = match &*subscript.slice {
            Expr::NumberLiteral(_) => true,
            Expr::UnaryOp(minus) => minus.operand.is_number_literal_expr(),
            _ => false,
        };
        let at_end = matches!(integer(&subscript.slice), Some(0 | -1));
        if end && at_end && call.func.is_name_expr() && last_name(&call.func) == "sorted" {
            self.findings.report(&rules::SORT_FOR_EXTREME, subscript.range());
        }
    }
}

fn integer(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::NumberLiteral(number) => match &number.value {
            ruff_python_ast::Number::Int(int) => int.as_i64(),
            ruff_python_ast::Number::Float(_) | ruff_python_ast::Number::Complex { .. } => None,
        },
        Expr::UnaryOp(minus) if minus.op == ruff_python_ast::UnaryOp::USub => integer(&minus.operand).map(|n| -n),
        _ => None,
    }
}

fn first_is_zero(call: &ExprCall) -> bool {
    call.arguments.args.first().and_then(integer) == Some(0)
}

/// Returns true for calls that block the event loop.
fn blocks(owner: &str, name: &str) -> bool {
    matches!(
        (owner, name),
        ("time", "sleep")
            | ("requests", "get" | "post" | "put" | "patch" | "delete" | "head" | "request")
            | ("subprocess", "run" | "call" | "check_output" | "check_call")
            | ("os", "system" | "popen")
            | ("urllib.request" | "request", "urlopen")
            | ("", "input" | "urlopen")
    )
}

/// Matches `Model.objects.get(...)`, `session.query(...)` and `Model.query.filter(...)`.
fn is_model_access(call: &ExprCall) -> bool {
    let Expr::Attribute(attribute) = &*call.func else { return false };
    match &*attribute.value {
        Expr::Attribute(inner) => matches!(inner.attr.as_str(), "objects" | "query"),
        Expr::Name(name) => attribute.attr.as_str() == "query" && matches!(name.id.as_str(), "session" | "db" | "conn"),
        _ => false,
    }
}

fn owner_name(func: &Expr) -> &str {
    match func {
        Expr::Attribute(attribute) => match &*attribute.value {
            Expr::Name(name) => &name.id,
            Expr::Attribute(inner) => &inner.attr,
            _ => "?",
        },
        _ => "",
    }
}

/// Returns the name of the iterated collection, also within `range(len(...))` and `enumerate(...)`.
fn collection(iter: &Expr) -> String {
    match iter {
        Expr::Name(name) => name.id.to_string(),
        Expr::Attribute(attribute) => match &*attribute.value {
            Expr::Name(name) => format!("{}.{}", name.id, attribute.attr),
            _ => String::new(),
        },
        Expr::Call(call) if matches!(last_name(&call.func), "range" | "len" | "enumerate" | "reversed" | "list") => {
            call.arguments.args.last().map_or_else(String::new, collection)
        }
        _ => String::new(),
    }
}

fn range_over_length(iter: &Expr) -> bool {
    let Expr::Call(call) = iter else { return false };
    last_name(&call.func) == "range"
        && matches!(&*call.arguments.args, [Expr::Call(inner)] if last_name(&inner.func) == "len")
}

/// Returns true if one expression calls its own function twice.
fn self_calls(def: &StmtFunctionDef) -> bool {
    struct Counter<'n> {
        name: &'n str,
        found: bool,
    }
    impl<'a> Visitor<'a> for Counter<'_> {
        fn visit_expr(&mut self, expr: &'a Expr) {
            if let Expr::BinOp(operation) = expr {
                let calls = |side: &Expr| matches!(side, Expr::Call(call) if matches!(&*call.func, Expr::Name(name) if name.id.as_str() == self.name));
                self.found |= calls(&operation.left) && calls(&operation.right);
            }
            walk_expr(self, expr);
        }
    }
    let mut counter = Counter { name: def.name.as_str(), found: false };
    counter.visit_body(&def.body);
    counter.found
}
