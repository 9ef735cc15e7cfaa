//! Keys under which the values of names and attributes are stored.

use ruff_python_ast::{Expr, ExprAttribute};

/// Returns the dotted path of an attribute of a name, such as `self.name`.
pub(crate) fn path_of(attribute: &ExprAttribute) -> Option<String> {
    match &*attribute.value {
        Expr::Name(name) => Some(format!("{}.{}", name.id, attribute.attr)),
        _ => None,
    }
}

/// Returns the key under which a container's value is stored.
pub(crate) fn path(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => path_of(attribute),
        _ => None,
    }
}
