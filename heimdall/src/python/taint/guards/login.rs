//! Conditions that authenticate a user.

use ruff_python_ast::{Expr, ExprCall, ExprCompare};

use crate::python::ast::{constant_text, last_name};

/// Returns true if a condition authenticates a user: by its name, by the name of its object, or because it takes a
/// password.
pub(crate) fn is_login_check(call: &ExprCall) -> bool {
    let name = last_name(&call.func).to_ascii_lowercase();
    let checks = ["check", "verify", "valid", "authenticate"].iter().any(|verb| name.contains(verb));
    let of_login = ["pass", "pw", "hash", "credential", "user"].iter().any(|what| name.contains(what));
    let object = match &*call.func {
        Expr::Attribute(method) => last_name(&method.value).to_ascii_lowercase(),
        _ => String::new(),
    };
    let named = matches!(name.as_str(), "authenticate" | "bind" | "compare_digest" | "verify" | "checkpw")
        || name.ends_with("_bind")
        || is_about_login(&name);
    let arguments = call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|keyword| &keyword.value));
    named || checks && (of_login || is_about_login(&object)) || arguments.into_iter().any(is_password)
}

/// Matches `login_ok` and `auth`, but not `author`.
fn is_about_login(name: &str) -> bool {
    let is_author = name.contains("author") && !name.contains("authori");
    name.contains("login") || name.contains("auth") && !is_author
}

/// Matches `password`, `form.password.data` and `request.form["password"]`.
fn is_password(expr: &Expr) -> bool {
    let name = match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) if attribute.attr.as_str() == "data" => last_name(&attribute.value),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Subscript(subscript) => constant_text(&subscript.slice).unwrap_or_default(),
        Expr::Call(call) => return call.arguments.args.iter().any(is_password),
        _ => return false,
    };
    matches!(name.to_ascii_lowercase().as_str(), "pass" | "pw" | "pwd" | "passwd" | "password")
}

/// Matches `stored != hash_it(password)`.
pub(crate) fn compares_hashes(comparison: &ExprCompare) -> bool {
    let is_hash = |side: &Expr| {
        let Expr::Call(call) = side else { return false };
        let name = last_name(&call.func).to_ascii_lowercase();
        ["hash", "crypt", "digest", "pbkdf2", "scrypt"].iter().any(|word| name.contains(word))
    };
    is_hash(&comparison.left) || comparison.comparators.iter().any(is_hash)
}
