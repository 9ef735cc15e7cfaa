//! Hard-coded secrets.

use ruff_python_ast::{CmpOp, Expr, ExprCompare};
use ruff_text_size::Ranged;

use crate::python::ast::target_name;
use crate::python::taint::interpreter::Interpreter;
use crate::rules;
use crate::text::secrets::{is_placeholder, is_secret_name};

impl Interpreter<'_, '_, '_> {
    /// Reports a constant that is bound to a name of a secret.
    pub(crate) fn check_secret_assigned(&mut self, name: &str, value: &Expr) {
        let Some(text) = constant(value) else { return };
        if matches!(name, "SECRET_KEY" | "secret_key" | "JWT_SECRET_KEY") && text.len() >= 3 {
            self.report_range(&rules::FLASK_SECRET_KEY, value.range());
        } else if is_secret_name(name) && !is_placeholder(name, text) {
            self.report_range(&rules::HARDCODED_SECRET, value.range());
        }
    }

    /// Reports `password == "..."`.
    pub(crate) fn check_secret_compared(&mut self, comparison: &ExprCompare) {
        let ([CmpOp::Eq | CmpOp::NotEq], [right]) = (&*comparison.ops, &*comparison.comparators) else { return };
        let name = target_name(&comparison.left);
        let Some(text) = constant(right) else { return };
        if is_secret_name(name) && !is_placeholder(name, text) {
            self.report_range(&rules::SECRET_COMPARED, comparison.range());
        }
    }
}

/// Returns a constant, also as the default of a look-up: `os.environ.get("X", "constant")`.
fn constant(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::StringLiteral(text) => Some(text.value.to_str()),
        Expr::BytesLiteral(bytes) => {
            bytes.value.as_slice().first().and_then(|part| std::str::from_utf8(&part.value).ok())
        }
        Expr::Call(call) if target_name(&call.func) == "getenv" || target_name(&call.func) == "get" => {
            match call.arguments.args.get(1) {
                Some(Expr::StringLiteral(text)) => Some(text.value.to_str()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Returns true if a lower-case name suggests an unguessable value.
pub(crate) fn is_secret_purpose(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "token",
        "password",
        "passwd",
        "secret",
        "session",
        "otp",
        "nonce",
        "salt",
        "csrf",
        "cookie",
        "key",
        "pin",
        "captcha",
        "reset",
        "verification",
        "auth",
        "invite",
        "voucher",
        "credential",
    ];
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| WORDS.contains(&part))
        || ["token", "password", "secret", "session"].iter().any(|word| name.contains(word))
}
