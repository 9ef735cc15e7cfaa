//! Evaluation of calls: sinks, sources, sanitizers, propagators and local functions.

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::Ranged;

use super::call::Call;
use super::interpreter::Interpreter;
use super::models::{containers, fold, format_strings, propagators, regex_calls, sanitizers, sources, url_prefix};
use super::sinks::{self, responses};
use super::value::{AbstractValue, TaintKinds, Value};
use super::{guards, names, paths};

/// Beyond this many arguments, unpacked elements are merged.
const MAX_UNPACKED_ARGUMENTS: usize = 64;

impl Interpreter<'_, '_, '_> {
    pub(crate) fn eval_call(&mut self, expr: &ExprCall) -> Value {
        responses::note_unescaped(self, expr);
        let (target, receiver, name) = match &*expr.func {
            Expr::Attribute(attribute) => {
                let receiver = self.eval(&attribute.value);
                let known = paths::path_of(attribute).and_then(|path| self.scope().names.get(&path).cloned());
                let target = known.unwrap_or_else(|| self.attribute_of(&receiver, &attribute.attr));
                (target, Some(receiver), attribute.attr.as_str())
            }
            Expr::Name(name) => (self.lookup(&name.id), None, name.id.as_str()),
            other => (self.eval(other), None, ""),
        };
        let call = self.prepare_call(expr, &target, receiver, name);
        self.check_sinks(&call);
        self.check_misconfiguration(&call);
        let mut result = self.call_result(&call, &target);
        result.is_normalized |= names::normalizes_path(call.name);
        self.diverges |= self.never_returns(&call, &target);
        self.sanitize_converted(&call);
        guards::refine_relative(self, expr);
        guards::refine_by_failure(self, &call.symbol);
        if result.symbol.is_some() || call.symbol.is_empty() || !matches!(result.content, AbstractValue::Opaque) {
            return result;
        }
        result.with_symbol(&format!("{}()", call.symbol))
    }

    fn prepare_call<'e>(
        &mut self,
        expr: &'e ExprCall,
        target: &Value,
        receiver: Option<Value>,
        name: &'e str,
    ) -> Call<'e> {
        let mut positional = Vec::with_capacity(expr.arguments.args.len());
        let mut unpacked = false;
        for argument in &expr.arguments.args {
            let Expr::Starred(starred) = argument else {
                positional.push(self.eval(argument));
                continue;
            };
            let several = self.eval(&starred.value);
            if let (AbstractValue::Sequence(items), true) =
                (&several.content, positional.len() <= MAX_UNPACKED_ARGUMENTS)
            {
                positional.extend(items.iter().cloned());
            } else {
                positional.push(several.any_element());
                unpacked = true;
            }
        }
        let mut named = Vec::with_capacity(expr.arguments.keywords.len());
        for keyword in &expr.arguments.keywords {
            if let Some(name) = &keyword.arg {
                self.check_secret_assigned(name, &keyword.value);
            }
            let value = self.eval(&keyword.value);
            named.push((keyword.arg.as_ref().map(|arg| arg.as_str()), value));
        }
        let symbol = match &target.symbol {
            Some(symbol) => symbol.to_string(),
            None => String::new(),
        };
        // An alias keeps the path of its target: `run = os.system`.
        Call { expr, range: expr.range(), symbol, name, receiver, positional, named, unpacked }
    }

    fn call_result(&mut self, call: &Call<'_>, target: &Value) -> Value {
        if let Some(value) = self.call_local(call, target) {
            return value;
        }
        if let Some(value) = sources::source_call(&call.symbol) {
            return value;
        }
        if sources::is_referrer(call) {
            return call.positional.get(1).map_or_else(sources::referrer, |default| sources::referrer().join(default));
        }
        // `request.args.get("page", type=int)`
        let convert = call.argument(2, "type").filter(|_| matches!(call.name, "get" | "getlist"));
        if convert.is_some_and(|convert| sanitizers::converts(convert.symbol())) {
            return sanitizers::number();
        }
        if let Some(value) = propagators::decoded(call) {
            return value;
        }
        if let Some(value) = self.model_getattr(call).or_else(|| regex_calls::result(call)) {
            return value;
        }
        if let Some(number) = sanitizers::number_call(&call.symbol) {
            return if call.positional.iter().all(Value::is_constant) { Value::clean() } else { number };
        }
        if sanitizers::is_harmless_call(&call.symbol)
            || call.receiver.is_some() && sanitizers::is_harmless_method(call.name)
        {
            return fold_check(call).unwrap_or_else(Value::clean);
        }
        if let Some(value) = self.model_mutation(call) {
            return value;
        }
        if let Some(value) = text_result(call) {
            return value;
        }
        if let Some(value) = self.model_map(call) {
            return value;
        }
        propagators::result(call, sinks::builds_response(call))
    }

    /// Sanitizes the argument of a conversion that fails on anything but a number, an IP address or a similar format.
    fn sanitize_converted(&mut self, call: &Call<'_>) {
        if sanitizers::refuses_text(&call.symbol)
            && let Some(argument) = call.expr.arguments.args.first()
        {
            guards::sanitize(self, argument, TaintKinds::ALL);
        }
    }

    /// Sanitizes the argument of `int(text)` as a statement of its own.
    pub(crate) fn sanitize_number_check(&mut self, expr: &Expr) {
        if let Expr::Call(call) = expr
            && let (Expr::Name(function), [text]) = (&*call.func, &*call.arguments.args)
            && matches!(function.id.as_str(), "int" | "float")
        {
            guards::sanitize(self, text, TaintKinds::ALL);
        }
    }

    /// `getattr(object, "name", default)`.
    fn model_getattr(&mut self, call: &Call<'_>) -> Option<Value> {
        let ([owner, name, ..], "getattr") = (&*call.positional, call.symbol.as_str()) else { return None };
        let value = self.attribute_of(owner, name.as_text()?);
        Some(call.positional.get(2).map_or_else(|| value.clone(), |default| value.join(default)))
    }

    /// Evaluates `map(function, values)` if the function is local.
    fn model_map(&mut self, call: &Call<'_>) -> Option<Value> {
        let ([function, values @ ..], "map") = (&*call.positional, call.symbol.as_str()) else { return None };
        let each = Call {
            expr: call.expr,
            range: call.range,
            symbol: function.symbol().to_owned(),
            name: "",
            receiver: None,
            positional: values.iter().map(Value::any_element).collect(),
            named: Vec::new(),
            unpacked: call.unpacked,
        };
        self.check_sinks(&each);
        let diverges = self.diverges;
        let result = self.call_local(&each, function);
        // The values may be empty, so the function may not run.
        self.diverges = diverges;
        result.map(|value| Value::container([&value].into_iter()))
    }

    /// Evaluates methods that change their object.
    fn model_mutation(&mut self, call: &Call<'_>) -> Option<Value> {
        let Expr::Attribute(attribute) = &*call.expr.func else { return None };
        let receiver = call.receiver.as_ref()?;
        let change = containers::change(call, receiver)?;
        if let Some(path) = paths::path(&attribute.value)
            && let Some(changed) = change.object
        {
            self.set(&path, changed);
        }
        change.result
    }

    /// Evaluates `container[key] = value`.
    pub(crate) fn store_element(&mut self, subscript: &ruff_python_ast::ExprSubscript, value: Value) {
        let owner = self.eval(&subscript.value);
        let key = self.eval(&subscript.slice);
        self.check_session_write(&owner, &key, subscript.range());
        self.check_session_write(&owner, &value, subscript.range());
        if let Some(path) = paths::path(&subscript.value) {
            let changed = containers::with_element(&owner, &key, value);
            self.set(&path, changed);
        }
    }
}

/// Evaluates string methods and string conversions.
fn text_result(call: &Call<'_>) -> Option<Value> {
    let receiver = call.receiver.as_ref();
    let arguments: Vec<&Value> = call.positional.iter().collect();
    if let Some(text) = receiver.and_then(Value::as_text)
        && let Some(value) = fold::text_method(text, call.name, &arguments)
    {
        return Some(value);
    }
    match (call.name, receiver) {
        ("format" | "format_map" | "substitute" | "safe_substitute", Some(template)) => {
            Some(format_result(template, call))
        }
        ("join", Some(separator)) if call.positional.len() == 1 => Some(join_result(separator, &call.positional[0])),
        ("replace" | "concat", Some(template)) => {
            let mut value = format_result(template, call).sanitized(removed_kinds(call));
            value.assembled |= template.assembled;
            Some(value)
        }
        ("str" | "repr" | "ascii" | "bytes" | "bytearray", None) => {
            let first = call.positional.first()?;
            let content = if first.as_text().is_some() { first.content.clone() } else { AbstractValue::Opaque };
            let value = Value { content, symbol: None, derived_from_request: false, ..first.clone() };
            // A representation has no line breaks.
            let quoted = matches!(call.name, "repr" | "ascii");
            Some(if quoted { value.sanitized(TaintKinds::LOG | TaintKinds::MAIL) } else { value })
        }
        _ => None,
    }
}

/// Returns the taint kinds that a `replace` call removes.
fn removed_kinds(call: &Call<'_>) -> TaintKinds {
    match call.positional.first().and_then(Value::as_text) {
        Some("'" | "\"") => TaintKinds::XPATH,
        Some("<") => TaintKinds::HTML,
        Some("\n" | "\r\n" | "\r") => TaintKinds::LOG | TaintKinds::MAIL,
        Some(_) | None => TaintKinds::NONE,
    }
}

fn format_result(template: &Value, call: &Call<'_>) -> Value {
    let sanitized = sanitizers::sanitizes(&call.symbol);
    let mut value = Value::combined(std::iter::once(template).chain(call.everything())).sanitized(sanitized);
    value.assembled = !value.is_constant() && !sanitized.intersects(TaintKinds::SQL);
    value.query = template.query;
    value.filter = template.filter;
    if template.as_text().is_some_and(|text| !call.name.ends_with("substitute") && format_strings::quotes_all(text)) {
        value = value.sanitized(TaintKinds::LOG | TaintKinds::MAIL);
    }
    if let Some(text) = template.as_text() {
        value = value.sanitized(url_prefix::sanitized_by(text.split('{').next().unwrap_or(text)));
    }
    value
}

fn join_result(separator: &Value, parts: &Value) -> Value {
    if let (Some(separator), AbstractValue::Sequence(items)) = (separator.as_text(), &parts.content)
        && let Some(texts) = items.iter().map(Value::as_text).collect::<Option<Vec<_>>>()
    {
        return Value::text(&texts.join(separator));
    }
    let mut value = Value::combined([separator, parts].into_iter());
    value.assembled = !value.is_constant();
    if let AbstractValue::Sequence(items) = &parts.content {
        value.query = items.first().is_some_and(|first| first.query);
        value.filter = items.first().is_some_and(|first| first.filter);
    }
    value
}

/// Returns the truth value of a check on constants.
fn fold_check(call: &Call<'_>) -> Option<Value> {
    let arguments: Vec<&Value> = call.positional.iter().collect();
    match (&call.receiver, call.name) {
        (Some(receiver), name) => fold::text_method(receiver.as_text()?, name, &arguments),
        (None, "len") => {
            let length = match &call.positional.first()?.content {
                AbstractValue::Text(text) => text.chars().count(),
                AbstractValue::Sequence(items) => items.len(),
                _ => return None,
            };
            Some(Value::of(AbstractValue::Int(i64::try_from(length).ok()?)))
        }
        _ => None,
    }
}
