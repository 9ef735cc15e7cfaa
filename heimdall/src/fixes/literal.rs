//! Pieces of assembled strings, and string literals in source form.

use ruff_python_ast::{Expr, InterpolatedStringElement, Operator};
use ruff_text_size::{Ranged, TextRange};

/// A piece of a string: constant text, or the value of an expression.
#[derive(Debug, PartialEq)]
pub(super) enum StringPiece {
    Fixed(String),
    Value(TextRange),
}

/// Returns the pieces of an f-string, a sum, a `%` of one value or a tuple, or a `.format` with `{}`; `None` for
/// others.
pub(super) fn pieces(expr: &Expr) -> Option<Vec<StringPiece>> {
    let mut found = Vec::new();
    collect(expr, &mut found)
        .then_some(found)
        .filter(|found| found.iter().any(|piece| matches!(piece, StringPiece::Value(_))))
}

fn collect(expr: &Expr, found: &mut Vec<StringPiece>) -> bool {
    if let Some(text) = expr.as_string_literal_expr() {
        found.push(StringPiece::Fixed(text.value.to_str().to_owned()));
        return true;
    }
    if let Some(text) = expr.as_f_string_expr() {
        return text.value.elements().all(|element| match element {
            InterpolatedStringElement::Literal(literal) => {
                found.push(StringPiece::Fixed(literal.value.to_string()));
                true
            }
            InterpolatedStringElement::Interpolation(value) => {
                found.push(StringPiece::Value(value.expression.range()));
                value.format_spec.is_none() && value.debug_text.is_none() && value.conversion.is_none()
            }
        }) && text.value.iter().all(|part| part.is_f_string());
    }
    if let Some(sum) = expr.as_bin_op_expr() {
        return match sum.op {
            Operator::Add => collect(&sum.left, found) && collect(&sum.right, found),
            Operator::Mod => split_at(&sum.left, &["%s", "%d"], &values_of(&sum.right), found),
            _ => false,
        };
    }
    if let Some(call) = expr.as_call_expr() {
        let format = call.func.as_attribute_expr().filter(|method| method.attr.as_str() == "format");
        if let Some(method) = format.filter(|_| call.arguments.keywords.is_empty()) {
            return split_at(
                &method.value,
                &["{}"],
                &call.arguments.args.iter().map(Ranged::range).collect::<Vec<_>>(),
                found,
            );
        }
        // In `"..." + str(number)` the value is the number.
        let is_str = call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "str");
        if let [value] = &*call.arguments.args
            && is_str
        {
            found.push(StringPiece::Value(value.range()));
            return true;
        }
    }
    let is_plain = expr.is_name_expr() || expr.is_attribute_expr() || expr.is_subscript_expr() || expr.is_call_expr();
    if is_plain {
        found.push(StringPiece::Value(expr.range()));
    }
    is_plain
}

fn values_of(expr: &Expr) -> Vec<TextRange> {
    match expr.as_tuple_expr() {
        Some(tuple) => tuple.elts.iter().map(Ranged::range).collect(),
        None => vec![expr.range()],
    }
}

/// Splits a template at its placeholders. Returns false if they do not match the values or other special characters are
/// left.
fn split_at(template: &Expr, marks: &[&str], values: &[TextRange], found: &mut Vec<StringPiece>) -> bool {
    let Some(text) = template.as_string_literal_expr().map(|text| text.value.to_str()) else { return false };
    let mut rest = text;
    for value in values {
        let next = marks.iter().filter_map(|mark| Some((rest.find(mark)?, mark.len()))).min();
        let Some((at, length)) = next else { return false };
        found.push(StringPiece::Fixed(rest[..at].to_owned()));
        found.push(StringPiece::Value(*value));
        rest = &rest[at + length..];
    }
    found.push(StringPiece::Fixed(rest.to_owned()));
    let special = marks[0].chars().next().unwrap_or('%');
    !found.iter().any(|piece| matches!(piece, StringPiece::Fixed(text) if text.contains(special)))
}

/// Returns a text as a Python string literal.
pub(super) fn quoted(text: &str) -> String {
    if text.contains('\n') && !text.contains("\"\"\"") && !text.contains('\\') && !text.ends_with('"') {
        return format!("\"\"\"{text}\"\"\"");
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
    format!("\"{escaped}\"")
}
