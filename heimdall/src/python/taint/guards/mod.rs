//! Guards: what a condition proves about the values in it.

pub(crate) mod login;
pub(crate) mod named_conditions;
pub(crate) mod never_returns;
pub(crate) mod postconditions;

use std::rc::Rc;

use ruff_python_ast::{BoolOp, CmpOp, Expr, ExprCall, ExprCompare, Stmt, UnaryOp};
use ruff_text_size::Ranged;

use super::interpreter::Interpreter;
use super::names::normalizes_path;
use super::paths::path_of;
use super::value::{AbstractValue, TaintKinds, Value};
use crate::python::ast::{constant_text, last_name};
use crate::python::taint::models::regex_alphabet::ParsedRegex;
use crate::python::taint::models::{regex_calls, url_prefix};

use login::{compares_hashes, is_login_check};

/// Maximum nesting of a condition that refines values. Each level is evaluated again by the one around it.
const MAX_CONDITION_DEPTH: u32 = 8;

/// Refines the values of names, given that a condition is met or not met.
pub(crate) fn refine(interpreter: &mut Interpreter<'_, '_, '_>, condition: &Expr, met: bool) {
    refine_within(interpreter, condition, met, MAX_CONDITION_DEPTH);
}

fn refine_within(interpreter: &mut Interpreter<'_, '_, '_>, condition: &Expr, met: bool, depth: u32) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match condition {
        Expr::UnaryOp(not) if not.op == UnaryOp::Not => refine_within(interpreter, &not.operand, !met, depth),
        // All operands of a met `and` are met; all operands of an unmet `or` are unmet.
        Expr::BoolOp(parts) if (parts.op == BoolOp::And) == met => {
            for part in &parts.values {
                refine_within(interpreter, part, met, depth);
            }
        }
        // If `a or b` is met, or `a and b` is not, only facts that every operand proves hold.
        Expr::BoolOp(parts) => {
            let prove = |part: &Expr| {
                interpreter.names().fork();
                refine_within(interpreter, part, met, depth);
                interpreter.names().rollback()
            };
            let branches = parts.values.iter().map(prove).collect();
            interpreter.names().join(branches);
        }
        Expr::Compare(comparison) => {
            // For a match, `found is not None` is equivalent to `found`.
            if let ([op @ (CmpOp::Is | CmpOp::IsNot)], [Expr::NoneLiteral(_)]) =
                (&*comparison.ops, &*comparison.comparators)
            {
                refine_within(interpreter, &comparison.left, met == (*op == CmpOp::IsNot), depth);
            }
            refine_comparison(interpreter, comparison, met);
        }
        Expr::Call(call) => refine_call(interpreter, call, met),
        Expr::Await(awaited) => refine_within(interpreter, &awaited.value, met, depth),
        Expr::Named(named) => refine_within(interpreter, &named.value, met, depth),
        Expr::Name(name) => {
            refine_named_condition(interpreter, &name.id, met, depth);
            // An empty string is harmless.
            if !met && interpreter.lookup(&name.id).content == AbstractValue::Opaque {
                sanitize(interpreter, condition, TaintKinds::ALL);
            }
        }
        // A URL without a host stays on the same host.
        Expr::Attribute(_) if !met => sanitize_url_of_host(interpreter, condition),
        _ => {}
    }
}

/// Applies the condition that a name holds.
fn refine_named_condition(interpreter: &mut Interpreter<'_, '_, '_>, name: &str, met: bool, depth: u32) {
    if interpreter.scope().named_conditions.is_empty() {
        return;
    }
    if let Some(condition) = interpreter.scope().named_conditions.get(name) {
        refine_within(interpreter, &condition.test, met, depth);
    }
}

fn refine_comparison(interpreter: &mut Interpreter<'_, '_, '_>, comparison: &ExprCompare, met: bool) {
    let ([op], [right]) = (&*comparison.ops, &*comparison.comparators) else { return };
    let left = &*comparison.left;
    if let (Some(text), CmpOp::In | CmpOp::NotIn) = (constant_text(left), op) {
        // The guarded value is on the right: it contains a substring, or does not.
        if met == (*op == CmpOp::NotIn) {
            // Without a quote except at both ends it is a plain literal.
            if let (Expr::Subscript(inner), "'" | "\"") = (right, text) {
                return sanitize(interpreter, &inner.value, TaintKinds::XPATH | TaintKinds::CODE);
            }
            let sanitized = match text {
                "'" | "\"" => TaintKinds::XPATH,
                ".." | "../" | "/" | "..\\" => TaintKinds::PATH,
                "\n" | "\r" | "\r\n" => TaintKinds::LOG | TaintKinds::MAIL,
                _ => TaintKinds::NONE,
            };
            sanitize(interpreter, right, sanitized);
        }
        return;
    }
    if selects(*op, met) && is_fixed_choice(interpreter, right, *op) {
        sanitize(interpreter, left, TaintKinds::ALL);
    }
    if selects(*op, met) {
        refine_directory(interpreter, left, right);
        if matches!(op, CmpOp::Eq | CmpOp::NotEq) && compares_hashes(comparison) {
            refine_login(interpreter);
        }
    }
    // `urlparse(url).netloc == "..."` fixes the host of a URL.
    if selects(*op, met) {
        sanitize_url_of_host(interpreter, left);
        if *op == CmpOp::Eq || *op == CmpOp::NotEq {
            sanitize_url_of_host(interpreter, right);
        }
    }
}

/// Matches `commonpath([path, base]) == base` and `base in path.parents`.
fn refine_directory(interpreter: &mut Interpreter<'_, '_, '_>, left: &Expr, right: &Expr) {
    let mut inside = Vec::new();
    for side in [left, right] {
        match side {
            Expr::Call(call) if last_name(&call.func) == "commonpath" => match call.arguments.args.first() {
                Some(Expr::List(paths)) => inside.extend(&paths.elts),
                Some(Expr::Tuple(paths)) => inside.extend(&paths.elts),
                _ => {}
            },
            Expr::Attribute(attribute) if attribute.attr.as_str() == "parents" && std::ptr::eq(side, right) => {
                inside.push(&attribute.value);
            }
            _ => {}
        }
    }
    for path in inside {
        if is_normalized_path(interpreter, path) {
            sanitize(interpreter, path, TaintKinds::PATH);
        }
    }
}

/// Handles `path.relative_to(base)`, which fails for a path outside of the base.
pub(crate) fn refine_relative(interpreter: &mut Interpreter<'_, '_, '_>, call: &ExprCall) {
    if let Expr::Attribute(method) = &*call.func
        && method.attr.as_str() == "relative_to"
        && is_normalized_path(interpreter, &method.value)
    {
        sanitize(interpreter, &method.value, TaintKinds::PATH);
    }
}

/// Sanitizes the URL whose host is given.
fn sanitize_url_of_host(interpreter: &mut Interpreter<'_, '_, '_>, host: &Expr) {
    let Expr::Attribute(attribute) = host else { return };
    if !matches!(attribute.attr.as_str(), "netloc" | "hostname" | "host") {
        return;
    }
    match &*attribute.value {
        Expr::Call(call) => {
            if let Some(inner) = call.arguments.args.first() {
                sanitize(interpreter, inner, TaintKinds::URL | TaintKinds::REDIRECT);
            }
        }
        Expr::Name(parsed) => {
            if let Some(text) = interpreter.parsed_urls.get(parsed.id.as_str()).cloned() {
                sanitize_path(interpreter, &text, TaintKinds::URL | TaintKinds::REDIRECT);
            }
        }
        _ => {}
    }
}

/// Returns true if membership in a container, or equality with a value, leaves the client a fixed choice.
fn is_fixed_choice(interpreter: &mut Interpreter<'_, '_, '_>, expr: &Expr, op: CmpOp) -> bool {
    let value = eval_simple(interpreter, expr);
    match op {
        CmpOp::In | CmpOp::NotIn => {
            let by_name = value.tainted.is_empty() && is_list_name(expr);
            let keys_alone = matches!(value.content, AbstractValue::Dict(_));
            by_name || keys_alone || value.is_constant() && !matches!(value.content, AbstractValue::Text(_))
        }
        _ => value.is_constant() && value.content != AbstractValue::PyNone,
    }
}

/// Recognises imported or configured allow lists by name: `ALLOWED_NAMES`, `self.permitted`.
fn is_list_name(expr: &Expr) -> bool {
    let name = match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Subscript(subscript) => match &*subscript.slice {
            Expr::StringLiteral(key) => key.value.to_str(),
            _ => return false,
        },
        _ => return false,
    };
    let lower = name.to_ascii_lowercase();
    name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        || ["allow", "permitted", "whitelist", "safe", "valid"].iter().any(|word| lower.contains(word))
}

fn refine_call(interpreter: &mut Interpreter<'_, '_, '_>, call: &ExprCall, met: bool) {
    let proved =
        interpreter.postconditions.get(&call.end().to_u32()).map(|proofs| proofs.for_arguments(call, Some(met)));
    for (argument, kinds) in proved.into_iter().flatten() {
        sanitize(interpreter, argument, kinds);
    }
    if let (Expr::Attribute(method), [prefix, ..]) = (&*call.func, &*call.arguments.args)
        && method.attr.as_str() == "startswith"
    {
        refine_prefix(interpreter, &method.value, prefix, met);
    }
    if !met {
        return;
    }
    if is_validator_name(last_name(&call.func)) && !returns_constant(interpreter, call) {
        let named =
            || call.arguments.keywords.iter().find(|keyword| keyword.arg.as_ref().is_some_and(|arg| arg == "url"));
        if let Some(argument) = call.arguments.args.first().or_else(|| Some(&named()?.value)) {
            sanitize(interpreter, argument, TaintKinds::URL | TaintKinds::REDIRECT | TaintKinds::PATH);
        }
    }
    if is_login_check(call) && !returns_constant(interpreter, call) {
        refine_login(interpreter);
    }
    match &*call.func {
        Expr::Attribute(method) => {
            let sanitized = match method.attr.as_str() {
                "isdigit" | "isalnum" | "isnumeric" | "isdecimal" | "isalpha" | "isidentifier" => TaintKinds::TEXT,
                "is_relative_to" if is_normalized_path(interpreter, &method.value) => TaintKinds::PATH,
                "startswith" => sanitized_by_prefix(interpreter, &method.value, call),
                _ => TaintKinds::NONE,
            };
            sanitize(interpreter, &method.value, sanitized);
            refine_match(interpreter, call, &method.value, &method.attr);
        }
        Expr::Name(name) if name.id.as_str() == "isinstance" => refine_type(interpreter, call),
        Expr::Name(name) if name.id.as_str() == "all" => refine_each(interpreter, call),
        _ => {}
    }
}

/// Handles a prefix check: `/path` has no scheme, and a text without the prefix `//` names no host without a scheme.
fn refine_prefix(interpreter: &mut Interpreter<'_, '_, '_>, subject: &Expr, prefix: &Expr, met: bool) {
    let has = |wanted: &str| match prefix {
        Expr::Tuple(several) => several.elts.iter().any(|one| constant_text(one) == Some(wanted)),
        one => constant_text(one) == Some(wanted),
    };
    match met {
        true if has("/") && !prefix.is_tuple_expr() => sanitize(interpreter, subject, TaintKinds::SCHEME),
        false if has("//") => sanitize(interpreter, subject, TaintKinds::SLASHES),
        true | false => {}
    }
}

/// Returns the taint kinds that a prefix check removes: of a URL, if the prefix includes the host; of a resolved path,
/// if the prefix is a directory.
fn sanitized_by_prefix(interpreter: &mut Interpreter<'_, '_, '_>, subject: &Expr, call: &ExprCall) -> TaintKinds {
    let Some(prefix) = call.arguments.args.first() else { return TaintKinds::NONE };
    let value = eval_simple(interpreter, prefix);
    if !value.tainted.is_empty() {
        return TaintKinds::NONE;
    }
    let addresses = match (&value.content, value.as_text()) {
        (_, Some(text)) => url_prefix::sanitized_by(text),
        (AbstractValue::Sequence(items), _) => {
            let fixed = items.iter().map(|item| item.as_text().map_or(TaintKinds::NONE, url_prefix::sanitized_by));
            fixed.reduce(|all, one| all & one).unwrap_or_default()
        }
        (_, None) => TaintKinds::URL | TaintKinds::REDIRECT,
    };
    let is_directory = value.as_text().is_none_or(|text| text.len() > 1) && is_normalized_path(interpreter, subject);
    if is_directory { addresses | TaintKinds::PATH } else { addresses }
}

/// Returns true if the links and `..` of a path are resolved.
fn is_normalized_path(interpreter: &mut Interpreter<'_, '_, '_>, path: &Expr) -> bool {
    match path {
        Expr::Call(call) if normalizes_path(last_name(&call.func)) => true,
        Expr::Call(call) => match (&*call.func, &*call.arguments.args) {
            (Expr::Name(_), [inner]) => is_normalized_path(interpreter, inner),
            _ => false,
        },
        Expr::Name(_) | Expr::Attribute(_) => eval_simple(interpreter, path).is_normalized,
        _ => false,
    }
}

fn is_validator_name(name: &str) -> bool {
    ["is_safe", "is_allowed", "is_valid", "url_has_allowed_host"].iter().any(|start| name.starts_with(start))
}

/// Handles `re.fullmatch` and similar, as functions or as methods of a compiled pattern.
fn refine_match(interpreter: &mut Interpreter<'_, '_, '_>, call: &ExprCall, object: &Expr, method: &str) {
    if !matches!(method, "match" | "fullmatch" | "search") {
        return;
    }
    let owner = eval_simple(interpreter, object);
    let (pattern, subject) = match (&owner.content, &*call.arguments.args) {
        (AbstractValue::Pattern(pattern), [subject, ..]) => (Rc::clone(pattern), subject),
        (_, [pattern, subject, ..]) if owner.symbol() == "re" && regex_calls::is_plain(call, 2) => {
            let pattern = eval_simple(interpreter, pattern);
            let Some(text) = pattern.as_text() else { return };
            (Rc::from(text), subject)
        }
        // A pattern of another module that must match the whole text.
        (_, [subject]) if method == "fullmatch" && !owner.symbol().is_empty() && is_list_name(object) => {
            return sanitize(interpreter, subject, TaintKinds::ALL);
        }
        _ => return,
    };
    if let Some(expression) = ParsedRegex::parse(&pattern) {
        sanitize(interpreter, subject, expression.proves(method));
    }
}

/// Handles `all(c.isalnum() for c in text)`: a fact about every character holds for the text.
fn refine_each(interpreter: &mut Interpreter<'_, '_, '_>, call: &ExprCall) {
    let [Expr::Generator(each)] = &*call.arguments.args else { return };
    let [generator] = &*each.generators else { return };
    let (Expr::Name(part), true) = (&generator.target, generator.ifs.is_empty()) else { return };
    let whole = eval_simple(interpreter, &generator.iter);
    let before = whole.tainted | whole.unknown;
    interpreter.names().fork();
    interpreter.set(&part.id, Value { content: AbstractValue::Opaque, symbol: None, ..whole });
    refine(interpreter, &each.elt, true);
    let after = interpreter.names().get(&part.id).map_or(before, |part| part.tainted | part.unknown);
    interpreter.names().rollback();
    sanitize(interpreter, &generator.iter, before.minus(after));
}

/// Returns true if a local function always returns a constant, so that its name is misleading.
fn returns_constant(interpreter: &mut Interpreter<'_, '_, '_>, call: &ExprCall) -> bool {
    let AbstractValue::Function(number) = eval_simple(interpreter, &call.func).content else { return false };
    let body = &interpreter.module.functions[number].def.body;
    matches!(body.last(), Some(Stmt::Return(result)) if result.value.as_deref().is_none_or(Expr::is_literal_expr))
        && body.iter().all(|stmt| matches!(stmt, Stmt::Return(_) | Stmt::Expr(_) | Stmt::Pass(_)))
}

/// Removes `SESSION` from all names: after authentication the client no longer chooses the session's user.
fn refine_login(interpreter: &mut Interpreter<'_, '_, '_>) {
    for name in interpreter.names().names_where(|value| value.tainted.intersects(TaintKinds::SESSION)) {
        if let Some(value) = interpreter.names().get(&name).cloned() {
            interpreter.set(&name, value.sanitized(TaintKinds::SESSION));
        }
    }
}

/// Handles password checks that raise on failure, such as argon2's.
pub(crate) fn refine_by_failure(interpreter: &mut Interpreter<'_, '_, '_>, symbol: &str) {
    if symbol.ends_with("PasswordHasher().verify") {
        refine_login(interpreter);
    }
}

fn refine_type(interpreter: &mut Interpreter<'_, '_, '_>, call: &ExprCall) {
    if let [subject, Expr::Name(kind)] = &*call.arguments.args
        && matches!(kind.id.as_str(), "int" | "float" | "bool")
    {
        sanitize(interpreter, subject, TaintKinds::ALL);
    }
}

/// Evaluates a simple expression without walking calls again.
fn eval_simple(interpreter: &mut Interpreter<'_, '_, '_>, expr: &Expr) -> Value {
    match expr {
        Expr::Call(call) if last_name(&call.func) == "compile" => interpreter.eval(expr),
        Expr::Name(_)
        | Expr::Attribute(_)
        | Expr::StringLiteral(_)
        | Expr::NumberLiteral(_)
        | Expr::BooleanLiteral(_)
        | Expr::NoneLiteral(_)
        | Expr::List(_)
        | Expr::Tuple(_)
        | Expr::Set(_)
        | Expr::Dict(_) => interpreter.eval(expr),
        Expr::Call(call) if call.arguments.args.len() == 1 && call.func.is_name_expr() => {
            eval_simple(interpreter, &call.arguments.args[0])
        }
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == "keys" => eval_simple(interpreter, &method.value),
            _ => Value::unknown(),
        },
        _ => Value::unknown(),
    }
}

/// Removes taint kinds from the value of a name or path.
pub(crate) fn sanitize(interpreter: &mut Interpreter<'_, '_, '_>, expr: &Expr, kinds: TaintKinds) {
    if kinds.is_empty() {
        return;
    }
    let path = match expr {
        Expr::Name(name) => name.id.to_string(),
        Expr::Attribute(attribute) => match path_of(attribute) {
            Some(path) => path,
            None => return,
        },
        Expr::Named(named) => return sanitize(interpreter, &named.target, kinds),
        // `value or ""` is the value or a constant.
        Expr::BoolOp(either) if either.op == BoolOp::Or => {
            let Some((first, others)) = either.values.split_first() else { return };
            if others.iter().all(Expr::is_literal_expr) {
                sanitize(interpreter, first, kinds);
            }
            return;
        }
        // A guard on `str(path)` or `name.lower()` also guards the value itself.
        Expr::Call(call) => {
            let inner = match (&*call.func, &*call.arguments.args) {
                (Expr::Name(_), [inner]) => inner,
                (Expr::Attribute(method), [inner]) if normalizes_path(&method.attr) => inner,
                (Expr::Attribute(method), []) => &method.value,
                _ => return,
            };
            return sanitize(interpreter, inner, kinds);
        }
        _ => return,
    };
    sanitize_path(interpreter, &path, kinds);
}

fn sanitize_path(interpreter: &mut Interpreter<'_, '_, '_>, path: &str, kinds: TaintKinds) {
    let value = match path.split_once('.') {
        None => interpreter.lookup(path),
        Some((owner, attribute)) => match interpreter.names().get(path).cloned() {
            Some(known) => known,
            None => {
                let owner = interpreter.lookup(owner);
                interpreter.attribute_of(&owner, attribute)
            }
        },
    };
    if !value.is_constant() {
        let value = value.sanitized(kinds);
        interpreter.set(path, value);
    }
}

/// Returns true if a comparison with this truth means membership or equality.
fn selects(op: CmpOp, met: bool) -> bool {
    matches!((op, met), (CmpOp::In | CmpOp::Eq | CmpOp::Is, true) | (CmpOp::NotIn | CmpOp::NotEq | CmpOp::IsNot, false))
}
