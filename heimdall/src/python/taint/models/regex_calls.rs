//! Models of the `re` module: compile, match and replace.

use std::rc::Rc;

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{Expr, ExprCall};

use super::regex_alphabet::ParsedRegex;
use crate::python::taint::call::Call;
use crate::python::taint::value::{AbstractValue, TaintKinds, Value};

/// Returns the result of a function of `re` or of a method of a compiled pattern.
pub(crate) fn result(call: &Call<'_>) -> Option<Value> {
    if call.symbol == "re.compile" {
        let pattern = call.positional.first().and_then(Value::as_text).filter(|_| is_plain(call.expr, 1));
        return Some(pattern.map_or_else(Value::clean, |pattern| Value::of(AbstractValue::Pattern(Rc::from(pattern)))));
    }
    let (pattern, arguments) = applied(call)?;
    match call.name {
        "match" | "fullmatch" | "search" => Some(found(pattern, arguments.first()?)),
        "findall" => {
            let subject = arguments.first()?;
            let kinds = ParsedRegex::parse(pattern).map_or(TaintKinds::NONE, |expression| expression.harmless());
            Some(subject.clone().sanitized(kinds))
        }
        "sub" => {
            let [replacement, subject, ..] = arguments else { return None };
            let kinds = match (replacement.as_text(), ParsedRegex::parse(pattern)) {
                (Some(replacement), Some(expression)) => expression.removes(replacement),
                _ => TaintKinds::NONE,
            };
            let mut value = Value::combined([replacement, &subject.clone().sanitized(kinds)].into_iter());
            value.query = subject.query;
            Some(value)
        }
        _ => None,
    }
}

/// Returns the pattern and the other arguments of a call, if the pattern is known and no flag changes its meaning.
fn applied<'c>(call: &'c Call<'_>) -> Option<(&'c str, &'c [Value])> {
    if let Some(AbstractValue::Pattern(pattern)) = call.receiver.as_ref().map(|receiver| &receiver.content) {
        return Some((pattern, &call.positional));
    }
    let own = if call.name == "sub" { 3 } else { 2 };
    let function = call.symbol.strip_prefix("re.")?;
    let (pattern, arguments) = call.positional.split_first()?;
    (function == call.name && is_plain(call.expr, own)).then_some((pattern.as_text()?, arguments))
}

/// Returns the groups of a match, each sanitized by its part of the pattern.
fn found(pattern: &str, subject: &Value) -> Value {
    let subject = Value { content: AbstractValue::Opaque, symbol: None, ..subject.clone() };
    let Some(expression) = ParsedRegex::parse(pattern) else { return subject };
    let groups = expression.groups().into_iter();
    Value::dict(groups.map(|(name, kinds)| (Rc::from(name), subject.clone().sanitized(kinds))).collect())
}

/// Returns true if no argument after the first `own` is a flag that changes the pattern's meaning.
pub(crate) fn is_plain(call: &ExprCall, own: usize) -> bool {
    struct Finder {
        found: bool,
    }
    impl<'a> Visitor<'a> for Finder {
        fn visit_expr(&mut self, expr: &'a Expr) {
            let name = match expr {
                Expr::Name(name) => name.id.as_str(),
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                _ => "",
            };
            self.found |= matches!(name, "X" | "VERBOSE" | "M" | "MULTILINE");
            walk_expr(self, expr);
        }
    }
    let mut finder = Finder { found: false };
    call.arguments.args.iter().skip(own).for_each(|argument| finder.visit_expr(argument));
    call.arguments.keywords.iter().for_each(|keyword| finder.visit_expr(&keyword.value));
    !finder.found
}
