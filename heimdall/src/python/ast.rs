//! Queries on single nodes of the syntax tree.

use ruff_python_ast::Expr;

/// Returns the name or last attribute of an expression or of the function it calls.
pub(crate) fn last_name(expr: &Expr) -> &str {
    match expr {
        Expr::Name(name) => &name.id,
        Expr::Attribute(attribute) => &attribute.attr,
        Expr::Call(call) => last_name(&call.func),
        _ => "",
    }
}

/// Returns the name, attribute or constant key that an assignment binds.
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

/// Returns the text of a string literal.
pub(crate) fn constant_text(expr: &Expr) -> Option<&str> {
    if let Expr::StringLiteral(text) = expr { Some(text.value.to_str()) } else { None }
}

/// Returns true for a constant true condition, as in `while True`.
pub(crate) fn is_always(test: &Expr) -> bool {
    match test {
        Expr::BooleanLiteral(flag) => flag.value,
        Expr::NumberLiteral(number) => {
            matches!(&number.value, ruff_python_ast::Number::Int(int) if int.as_i64().is_some_and(|int| int != 0))
        }
        _ => false,
    }
}
