//! What a condition proves about the values in it.

use ruff_python_ast::{BoolOp, CmpOp, Expr, ExprCall, ExprCompare, UnaryOp};

use super::expressions::{path_of, selects};
use super::interpreter::Interpreter;
use super::value::{Shape, Uses, Value};

/// Conditions nested deeper than this prove nothing any more; each level is looked at again by the one around it.
const MAX_CONDITION_DEPTH: u32 = 8;

/// Narrows the values of names, given that a condition is met (or is not).
pub(crate) fn refine(interpreter: &mut Interpreter<'_, '_, '_>, condition: &Expr, met: bool) {
    refine_within(interpreter, condition, met, MAX_CONDITION_DEPTH);
}

fn refine_within(interpreter: &mut Interpreter<'_, '_, '_>, condition: &Expr, met: bool, depth: u32) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match condition {
        Expr::UnaryOp(not) if not.op == UnaryOp::Not => refine_within(interpreter, &not.operand, !met, depth),
        // All parts of a met `and` are met; none of an unmet `or` is.
        Expr::BoolOp(parts) if (parts.op == BoolOp::And) == met => {
            for part in &parts.values {
                refine_within(interpreter, part, met, depth);
            }
        }
        // Where `a or b` is met, or `a and b` is not, only what every part proves is proved.
        Expr::BoolOp(parts) => {
            let prove = |part: &Expr| {
                interpreter.names().fork();
                refine_within(interpreter, part, met, depth);
                interpreter.names().take_back()
            };
            let branches = parts.values.iter().map(prove).collect();
            interpreter.names().join(branches);
        }
        Expr::Compare(comparison) => refine_comparison(interpreter, comparison, met),
        Expr::Call(call) => refine_call(interpreter, call, met),
        Expr::Named(named) => refine_within(interpreter, &named.value, met, depth),
        _ => {}
    }
}

fn refine_comparison(interpreter: &mut Interpreter<'_, '_, '_>, comparison: &ExprCompare, met: bool) {
    let ([op], [right]) = (&*comparison.ops, &*comparison.comparators) else { return };
    let left = &*comparison.left;
    if let (Some(text), CmpOp::In | CmpOp::NotIn) = (constant_text(left), op) {
        // The guarded value is on the right: it lacks, or holds, a piece of text.
        if met == (*op == CmpOp::NotIn) {
            // No quote but at both ends: a plain literal.
            if let (Expr::Subscript(inner), "'" | "\"") = (right, text) {
                return clear(interpreter, &inner.value, Uses::XPATH | Uses::CODE);
            }
            let cleared = match text {
                "'" | "\"" => Uses::XPATH,
                ".." | "../" | "/" | "..\\" => Uses::PATH,
                "\n" | "\r" | "\r\n" => Uses::LOG | Uses::MAIL,
                _ => Uses::NONE,
            };
            clear(interpreter, right, cleared);
        }
        return;
    }
    if selects(*op, met) && is_fixed(interpreter, right, *op) {
        clear(interpreter, left, Uses::ALL);
    }
    // `urlparse(url).netloc == "..."` fixes the host of an address.
    if selects(*op, met)
        && let Expr::Attribute(attribute) = left
        && matches!(attribute.attr.as_str(), "netloc" | "hostname" | "host")
    {
        match &*attribute.value {
            Expr::Call(call) => {
                if let Some(inner) = call.arguments.args.first() {
                    clear(interpreter, inner, Uses::URL | Uses::REDIRECT);
                }
            }
            Expr::Name(parsed) => {
                if let Some(text) = interpreter.addresses.get(parsed.id.as_str()).cloned() {
                    clear_path(interpreter, &text, Uses::URL | Uses::REDIRECT);
                }
            }
            _ => {}
        }
    }
}

/// Whether membership in it, or equality with it, leaves no choice to the outside.
fn is_fixed(interpreter: &mut Interpreter<'_, '_, '_>, expr: &Expr, op: CmpOp) -> bool {
    let value = quiet(interpreter, expr);
    match op {
        CmpOp::In | CmpOp::NotIn => {
            let by_name = value.tainted.is_empty() && is_list_name(expr);
            by_name || value.is_constant() && !matches!(value.shape, Shape::Text(_))
        }
        _ => value.is_constant() && value.shape != Shape::Nothing,
    }
}

/// `ALLOWED_NAMES`, `self.permitted`: imported or configured lists that are called what they are.
fn is_list_name(expr: &Expr) -> bool {
    let name = match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    let lower = name.to_ascii_lowercase();
    name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        || ["allow", "permitted", "whitelist", "safe", "valid"].iter().any(|word| lower.contains(word))
}

fn refine_call(interpreter: &mut Interpreter<'_, '_, '_>, call: &ExprCall, met: bool) {
    if !met {
        return;
    }
    match &*call.func {
        Expr::Attribute(method) => {
            let cleared = match method.attr.as_str() {
                "isdigit" | "isalnum" | "isnumeric" | "isdecimal" | "isalpha" | "isidentifier" => Uses::ALL,
                "is_relative_to" => Uses::PATH,
                "startswith" => Uses::PATH | Uses::URL | Uses::REDIRECT,
                _ => Uses::NONE,
            };
            if method.attr.as_str() == "startswith" && !starts_safely(interpreter, call) {
                return;
            }
            clear(interpreter, &method.value, cleared);
            refine_match(interpreter, call, &method.attr);
        }
        Expr::Name(name) if name.id.as_str() == "isinstance" => refine_type(interpreter, call),
        Expr::Name(name) if is_check(&name.id) => {
            if let Some(argument) = call.arguments.args.first() {
                clear(interpreter, argument, Uses::URL | Uses::REDIRECT | Uses::PATH);
            }
        }
        _ => {}
    }
}

/// A prefix proves something only when it is fixed, and long enough to pin a directory or a host.
fn starts_safely(interpreter: &mut Interpreter<'_, '_, '_>, call: &ExprCall) -> bool {
    let Some(prefix) = call.arguments.args.first() else { return false };
    let value = quiet(interpreter, prefix);
    value.tainted.is_empty() && value.as_text().is_none_or(|text| text.len() > 8)
}

fn is_check(name: &str) -> bool {
    ["is_safe", "is_allowed", "is_valid", "url_has_allowed_host"].iter().any(|start| name.starts_with(start))
}

/// `re.fullmatch` against a constant pattern without wildcards.
fn refine_match(interpreter: &mut Interpreter<'_, '_, '_>, call: &ExprCall, method: &str) {
    if !matches!(method, "match" | "fullmatch") {
        return;
    }
    let (pattern, subject) = match &*call.arguments.args {
        [pattern, subject, ..] => (quiet(interpreter, pattern), subject),
        _ => return,
    };
    let strict = pattern.as_text().is_some_and(|pattern| {
        let ends = method == "fullmatch" || pattern.ends_with('$') || pattern.ends_with("\\Z");
        ends && !pattern.replace("\\.", "").contains('.') && !pattern.contains("\\S") && !pattern.contains("[^")
    });
    if strict {
        clear(interpreter, subject, Uses::ALL);
    }
}

fn refine_type(interpreter: &mut Interpreter<'_, '_, '_>, call: &ExprCall) {
    if let [subject, Expr::Name(kind)] = &*call.arguments.args
        && matches!(kind.id.as_str(), "int" | "float" | "bool")
    {
        clear(interpreter, subject, Uses::ALL);
    }
}

/// The value of a simple expression, without looking into calls again.
fn quiet(interpreter: &mut Interpreter<'_, '_, '_>, expr: &Expr) -> Value {
    match expr {
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
            quiet(interpreter, &call.arguments.args[0])
        }
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == "keys" => quiet(interpreter, &method.value),
            _ => Value::unknown(),
        },
        _ => Value::unknown(),
    }
}

fn constant_text(expr: &Expr) -> Option<&str> {
    if let Expr::StringLiteral(text) = expr { Some(text.value.to_str()) } else { None }
}

/// Makes the value that a name or path holds harmless for some uses.
fn clear(interpreter: &mut Interpreter<'_, '_, '_>, expr: &Expr, uses: Uses) {
    if uses.is_empty() {
        return;
    }
    let path = match expr {
        Expr::Name(name) => name.id.to_string(),
        Expr::Attribute(attribute) => match path_of(attribute) {
            Some(path) => path,
            None => return,
        },
        // A guard on `str(path)` or `name.lower()` is one on the value itself.
        Expr::Call(call) => {
            let inner = match (&*call.func, &*call.arguments.args) {
                (Expr::Name(_), [inner]) => inner,
                (Expr::Attribute(method), []) => &method.value,
                _ => return,
            };
            return clear(interpreter, inner, uses);
        }
        _ => return,
    };
    clear_path(interpreter, &path, uses);
}

fn clear_path(interpreter: &mut Interpreter<'_, '_, '_>, path: &str, uses: Uses) {
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
        let value = value.cleared(uses);
        interpreter.set(path, value);
    }
}
