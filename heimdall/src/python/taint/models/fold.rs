//! Constant folding, so that branches which cannot be taken are not walked.

use std::rc::Rc;

use ruff_python_ast::{CmpOp, Operator, UnaryOp};

use super::{format_strings, url_prefix};
use crate::python::taint::value::{AbstractValue, TaintKinds, Value};

/// Maximum length of a folded text, in bytes.
const MAX_FOLDED_BYTES: usize = 4 * 1024;

/// Returns the result of a binary operator. Text joined from non-constant parts is `assembled`.
pub(crate) fn binary(op: Operator, left: &Value, right: &Value) -> Value {
    if let Some(content) = fold_binary(op, left, right) {
        return match content {
            AbstractValue::Text(text) => Value::text(&text),
            other => Value::of(other),
        };
    }
    if op == Operator::Add
        && let (AbstractValue::Sequence(a), AbstractValue::Sequence(b)) = (&left.content, &right.content)
    {
        return Value::sequence(a.iter().chain(b.iter()).cloned().collect());
    }
    let right = &added(op, left, right);
    let mut value = Value::combined([left, right].into_iter());
    match op {
        Operator::Add | Operator::Mod => {
            if let Some(text) = left.as_text() {
                let beginning = if op == Operator::Mod { text.split('%').next().unwrap_or(text) } else { text };
                value = value.sanitized(url_prefix::sanitized_by(beginning));
            }
            if is_markup(left) {
                value.symbol.clone_from(&left.symbol);
            }
            value.assembled |= !value.is_constant() && left.as_int().is_none() && right.as_int().is_none();
            value.query = left.query;
            value.filter = left.filter;
        }
        // `base / name` joins paths. All other operators yield numbers or repetitions.
        Operator::Div => value.symbol.clone_from(&left.symbol),
        Operator::Mult => value.query = left.query,
        Operator::Sub
        | Operator::MatMult
        | Operator::Pow
        | Operator::LShift
        | Operator::RShift
        | Operator::BitOr
        | Operator::BitXor
        | Operator::BitAnd
        | Operator::FloorDiv => {}
    }
    value
}

/// Returns the right operand as it enters the result.
fn added(op: Operator, left: &Value, right: &Value) -> Value {
    let right = match (op, left.as_text()) {
        (Operator::Mod, Some(template)) => format_strings::converted(template, right),
        _ => right.clone(),
    };
    // Markup escapes what is added to it.
    if is_markup(left) { right.sanitized(TaintKinds::HTML) } else { right }
}

fn is_markup(value: &Value) -> bool {
    matches!(
        value.symbol(),
        "markupsafe.Markup()" | "flask.Markup()" | "Markup()" | "markupsafe.escape()" | "flask.escape()"
    )
}

fn fold_binary(op: Operator, left: &Value, right: &Value) -> Option<AbstractValue> {
    match (&left.content, op, &right.content) {
        (AbstractValue::Text(a), Operator::Add, AbstractValue::Text(b)) if a.len() + b.len() <= MAX_FOLDED_BYTES => {
            Some(AbstractValue::Text(Rc::from(format!("{a}{b}"))))
        }
        (AbstractValue::Text(text), Operator::Mult, AbstractValue::Int(times)) => {
            let times = usize::try_from(*times).unwrap_or(0);
            (text.len().checked_mul(times)? <= MAX_FOLDED_BYTES)
                .then(|| AbstractValue::Text(Rc::from(text.repeat(times))))
        }
        (AbstractValue::Int(a), op, AbstractValue::Int(b)) => fold_numbers(op, *a, *b).map(AbstractValue::Int),
        _ => None,
    }
}

fn fold_numbers(op: Operator, a: i64, b: i64) -> Option<i64> {
    match op {
        Operator::Add => a.checked_add(b),
        Operator::Sub => a.checked_sub(b),
        Operator::Mult => a.checked_mul(b),
        Operator::FloorDiv if b > 0 => a.checked_div_euclid(b),
        Operator::Mod if b > 0 => a.checked_rem_euclid(b),
        Operator::BitAnd => Some(a & b),
        Operator::BitOr => Some(a | b),
        Operator::BitXor => Some(a ^ b),
        Operator::Pow
        | Operator::Div
        | Operator::MatMult
        | Operator::LShift
        | Operator::RShift
        | Operator::FloorDiv
        | Operator::Mod => None,
    }
}

pub(crate) fn unary(op: UnaryOp, operand: &Value) -> Value {
    match (op, &operand.content) {
        (UnaryOp::Not, _) => operand.truth().map_or_else(Value::clean, |truth| Value::of(AbstractValue::Bool(!truth))),
        (UnaryOp::USub, AbstractValue::Int(number)) => {
            Value::of(number.checked_neg().map_or(AbstractValue::Opaque, AbstractValue::Int))
        }
        (UnaryOp::UAdd | UnaryOp::USub | UnaryOp::Invert, _) => Value::clean(),
    }
}

/// Returns the truth of a comparison, if it is certain.
pub(crate) fn compare(op: CmpOp, left: &Value, right: &Value) -> Option<bool> {
    if !left.is_constant() || !right.is_constant() {
        return None;
    }
    match (&left.content, op, &right.content) {
        (AbstractValue::Text(a), CmpOp::Eq, AbstractValue::Text(b)) => Some(a == b),
        (AbstractValue::Text(a), CmpOp::NotEq, AbstractValue::Text(b)) => Some(a != b),
        (AbstractValue::Text(a), CmpOp::In, AbstractValue::Text(b)) => Some(b.contains(&**a)),
        (AbstractValue::Text(a), CmpOp::NotIn, AbstractValue::Text(b)) => Some(!b.contains(&**a)),
        (AbstractValue::Int(a), CmpOp::Eq, AbstractValue::Int(b)) => Some(a == b),
        (AbstractValue::Int(a), CmpOp::NotEq, AbstractValue::Int(b)) => Some(a != b),
        (AbstractValue::Int(a), CmpOp::Lt, AbstractValue::Int(b)) => Some(a < b),
        (AbstractValue::Int(a), CmpOp::LtE, AbstractValue::Int(b)) => Some(a <= b),
        (AbstractValue::Int(a), CmpOp::Gt, AbstractValue::Int(b)) => Some(a > b),
        (AbstractValue::Int(a), CmpOp::GtE, AbstractValue::Int(b)) => Some(a >= b),
        (AbstractValue::PyNone, CmpOp::Is | CmpOp::Eq, AbstractValue::PyNone) => Some(true),
        (AbstractValue::PyNone, CmpOp::IsNot | CmpOp::NotEq, AbstractValue::PyNone) => Some(false),
        (
            AbstractValue::Text(_) | AbstractValue::Int(_) | AbstractValue::Bool(_),
            CmpOp::Is | CmpOp::Eq,
            AbstractValue::PyNone,
        ) => Some(false),
        (
            AbstractValue::Text(_) | AbstractValue::Int(_) | AbstractValue::Bool(_),
            CmpOp::IsNot | CmpOp::NotEq,
            AbstractValue::PyNone,
        ) => Some(true),
        (_, CmpOp::In | CmpOp::NotIn, AbstractValue::Sequence(items)) => membership(op, left, items),
        _ => None,
    }
}

fn membership(op: CmpOp, left: &Value, items: &[Value]) -> Option<bool> {
    let known = |value: &Value| {
        matches!(
            value.content,
            AbstractValue::Text(_) | AbstractValue::Int(_) | AbstractValue::Bool(_) | AbstractValue::PyNone
        )
    };
    if !known(left) || !items.iter().all(known) {
        return None;
    }
    let found = items.iter().any(|item| item.content == left.content);
    Some(if op == CmpOp::In { found } else { !found })
}

/// Returns one element or character, if position and content are known.
pub(crate) fn index(value: &Value, key: &Value) -> Option<Value> {
    match (&value.content, &key.content) {
        (AbstractValue::Sequence(items), AbstractValue::Int(at)) => items.get(position(*at, items.len())?).cloned(),
        // A group of a match.
        (AbstractValue::Dict(entries), AbstractValue::Int(at)) => {
            let key = at.to_string();
            entries.iter().find(|(name, _)| **name == *key).map(|(_, value)| value.clone())
        }
        (AbstractValue::Dict(entries), AbstractValue::Text(key)) => {
            entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.clone())
        }
        (AbstractValue::Text(text), AbstractValue::Int(at)) => {
            let count = text.chars().count();
            text.chars().nth(position(*at, count)?).map(|c| Value::text(c.encode_utf8(&mut [0; 4])))
        }
        _ => None,
    }
}

/// Returns a slice of a constant text.
pub(crate) fn slice(text: &str, lower: Option<i64>, upper: Option<i64>) -> Value {
    let chars: Vec<char> = text.chars().collect();
    let bound = |at: Option<i64>, default: usize| at.map_or(default, |at| clamp(at, chars.len()));
    let (from, to) = (bound(lower, 0), bound(upper, chars.len()));
    Value::text(&chars.get(from..to.max(from)).unwrap_or_default().iter().collect::<String>())
}

fn position(at: i64, len: usize) -> Option<usize> {
    if at < 0 { len.checked_sub(usize::try_from(at.unsigned_abs()).ok()?) } else { usize::try_from(at).ok() }
}

fn clamp(at: i64, len: usize) -> usize {
    position(at, len).unwrap_or(0).min(len)
}

/// Evaluates a method of a constant text with constant arguments.
pub(crate) fn text_method(text: &str, method: &str, arguments: &[&Value]) -> Option<Value> {
    let argument = |at: usize| arguments.get(at).and_then(|value| value.as_text());
    Some(match (method, arguments.len()) {
        ("lower", 0) => Value::text(&text.to_lowercase()),
        ("upper", 0) => Value::text(&text.to_uppercase()),
        ("strip", 0) => Value::text(text.trim()),
        ("encode" | "decode", _) => Value::text(text),
        ("replace", 2) => {
            let (from, to) = (argument(0)?, argument(1)?);
            (!from.is_empty() && text.len().saturating_mul(to.len().max(1)) <= MAX_FOLDED_BYTES)
                .then(|| Value::text(&text.replace(from, to)))?
        }
        ("startswith", 1) => Value::of(AbstractValue::Bool(text.starts_with(argument(0)?))),
        ("endswith", 1) => Value::of(AbstractValue::Bool(text.ends_with(argument(0)?))),
        ("split", 1) if !argument(0)?.is_empty() => {
            Value::sequence(text.split(argument(0)?).map(Value::text).collect())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{binary, compare, index, slice};
    use crate::python::taint::value::{AbstractValue, Value};
    use ruff_python_ast::{CmpOp, Operator};

    fn int(number: i64) -> Value {
        Value::of(AbstractValue::Int(number))
    }

    #[test]
    fn constants_fold() {
        assert_eq!(binary(Operator::Mult, &int(7), &int(42)).as_int(), Some(294));
        assert_eq!(binary(Operator::Add, &Value::text("a"), &Value::text("b")).as_text(), Some("ab"));
        assert_eq!(binary(Operator::Pow, &int(9), &int(99)).as_int(), None);
        assert_eq!(binary(Operator::Add, &int(i64::MAX), &int(1)).as_int(), None);
        assert_eq!(compare(CmpOp::Gt, &int(188), &int(200)), Some(false));
        assert_eq!(compare(CmpOp::In, &Value::text("b"), &Value::text("abc")), Some(true));
        assert_eq!(compare(CmpOp::In, &Value::unknown(), &Value::text("abc")), None);
    }

    #[test]
    fn elements_are_distinguished() {
        let list = Value::sequence(vec![Value::text("safe"), Value::unknown()]);
        assert!(index(&list, &int(0)).is_some_and(|value| value.is_constant()));
        assert!(index(&list, &int(-1)).is_some_and(|value| !value.is_constant()));
        assert_eq!(index(&list, &int(2)), None);
        assert_eq!(slice("abcdef", Some(1), Some(-1)).as_text(), Some("bcde"));
        assert_eq!(slice("abc", Some(5), Some(-9)).as_text(), Some(""));
    }
}
