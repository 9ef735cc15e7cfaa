//! Evaluation of expressions.

use std::rc::Rc;

use ruff_python_ast::{
    BoolOp, Comprehension, ConversionFlag, Expr, ExprAttribute, ExprCompare, ExprDict, ExprFString, ExprIf, ExprLambda,
    ExprSubscript, ExprYield, FStringPart, InterpolatedStringElement, Number,
};
use ruff_text_size::Ranged;

use super::interpreter::Interpreter;
use super::models::{fold, sanitizers, sources, url_prefix};
use super::paths::path_of;
use super::value::{AbstractValue, Lambda, TaintKinds, Value};
use super::{guards, names};
use crate::python::stack;

impl Interpreter<'_, '_, '_> {
    /// Evaluates an expression and reports the findings in it.
    pub(crate) fn eval(&mut self, expr: &Expr) -> Value {
        if !self.step() {
            return Value::unknown();
        }
        stack::grow(|| self.eval_unbounded(expr))
    }

    fn eval_unbounded(&mut self, expr: &Expr) -> Value {
        match expr {
            Expr::Name(name) => self.lookup(&name.id),
            Expr::StringLiteral(text) => Value::text(text.value.to_str()),
            Expr::BytesLiteral(bytes) => {
                let bytes: Vec<u8> = bytes.value.bytes().collect();
                Value::text(&String::from_utf8_lossy(&bytes))
            }
            Expr::NumberLiteral(number) => match &number.value {
                Number::Int(int) => int.as_i64().map_or_else(Value::clean, |int| Value::of(AbstractValue::Int(int))),
                Number::Float(_) | Number::Complex { .. } => Value::clean(),
            },
            Expr::BooleanLiteral(flag) => Value::of(AbstractValue::Bool(flag.value)),
            Expr::NoneLiteral(_) => Value::of(AbstractValue::PyNone),
            Expr::EllipsisLiteral(_) | Expr::IpyEscapeCommand(_) => Value::clean(),
            Expr::FString(text) => self.eval_f_string(text),
            Expr::TString(text) => {
                let parts = text.value.elements().collect::<Vec<_>>();
                self.eval_interpolated(&parts)
            }
            Expr::BinOp(operation) => {
                let left = self.eval(&operation.left);
                let right = self.eval(&operation.right);
                fold::binary(operation.op, &left, &right)
            }
            Expr::UnaryOp(operation) => {
                let operand = self.eval(&operation.operand);
                fold::unary(operation.op, &operand)
            }
            Expr::BoolOp(operation) => self.eval_bool_op(operation.op, &operation.values),
            Expr::Compare(comparison) => self.eval_compare(comparison),
            Expr::Call(call) => self.eval_call(call),
            Expr::Attribute(attribute) => self.eval_attribute(attribute),
            Expr::Subscript(subscript) => self.eval_subscript(subscript),
            Expr::If(choice) => self.eval_conditional(choice),
            Expr::Named(named) => {
                let value = self.eval(&named.value);
                self.assign(&named.target, value.clone());
                value
            }
            Expr::List(list) => self.eval_sequence(&list.elts),
            Expr::Tuple(tuple) => self.eval_sequence(&tuple.elts),
            Expr::Set(set) => self.eval_sequence(&set.elts),
            Expr::Dict(dict) => self.eval_dict(dict),
            Expr::ListComp(comp) => self.eval_comprehension(&comp.generators, &[&comp.elt]),
            Expr::SetComp(comp) => self.eval_comprehension(&comp.generators, &[&comp.elt]),
            Expr::Generator(comp) => self.eval_comprehension(&comp.generators, &[&comp.elt]),
            Expr::DictComp(comp) => match &comp.key {
                Some(key) => self.eval_comprehension(&comp.generators, &[key, &comp.value]),
                None => self.eval_comprehension(&comp.generators, &[&comp.value]),
            },
            Expr::Starred(starred) => self.eval(&starred.value).any_element(),
            Expr::Await(awaited) => {
                self.awaited = Some(awaited.value.end().to_u32());
                self.eval(&awaited.value)
            }
            Expr::YieldFrom(from) => {
                let value = self.eval(&from.value);
                self.add_return_value(&value.any_element());
                value
            }
            Expr::Yield(yielded) => self.eval_yield(yielded),
            Expr::Lambda(lambda) => self.eval_lambda(lambda),
            Expr::Slice(slice) => {
                for part in [&slice.lower, &slice.upper, &slice.step].into_iter().flatten() {
                    self.eval(part);
                }
                Value::clean()
            }
        }
    }

    fn eval_yield(&mut self, yielded: &ExprYield) -> Value {
        let value = match &yielded.value {
            Some(value) => self.eval(value),
            None => Value::of(AbstractValue::PyNone),
        };
        self.add_return_value(&value);
        Value::unknown()
    }

    fn eval_lambda(&mut self, lambda: &ExprLambda) -> Value {
        self.lambda_depth += 1;
        let diverges = self.diverges;
        let with_unknown = self.lambda_body(lambda, &Value::unknown());
        // Walking nested lambdas twice at each level would take exponentially many steps.
        let with_constants =
            if self.lambda_depth == 1 { self.lambda_body(lambda, &Value::clean()) } else { with_unknown.clone() };
        self.lambda_depth -= 1;
        self.diverges = diverges;
        Value::lambda(Lambda { with_unknown, with_constants })
    }

    /// Evaluates a lambda body with all parameters set to one value.
    fn lambda_body(&mut self, lambda: &ExprLambda, passed: &Value) -> Value {
        self.names().fork();
        if let Some(parameters) = &lambda.parameters {
            for parameter in parameters {
                self.set(parameter.name(), passed.clone());
            }
        }
        let returned = self.eval(&lambda.body);
        self.names().rollback();
        returned
    }

    fn eval_f_string(&mut self, text: &ExprFString) -> Value {
        let mut assembled: Option<Value> = None;
        for part in &text.value {
            let piece = match part {
                FStringPart::Literal(literal) => Value::text(&literal.value),
                FStringPart::FString(formatted) => {
                    let elements: Vec<_> = formatted.elements.iter().collect();
                    self.eval_interpolated(&elements)
                }
            };
            assembled = Some(match assembled {
                Some(before) => fold::binary(ruff_python_ast::Operator::Add, &before, &piece),
                None => piece,
            });
        }
        assembled.unwrap_or_default()
    }

    fn eval_interpolated(&mut self, elements: &[&InterpolatedStringElement]) -> Value {
        let mut text: Option<String> = Some(String::new());
        let mut values = Vec::with_capacity(elements.len());
        let (mut query, mut filter, mut fixed) = (false, false, TaintKinds::NONE);
        for (at, element) in elements.iter().enumerate() {
            let value = match element {
                InterpolatedStringElement::Literal(literal) => Value::text(&literal.value),
                InterpolatedStringElement::Interpolation(inner) => {
                    if let Some(spec) = &inner.format_spec {
                        let parts: Vec<_> = spec.elements.iter().collect();
                        values.push(self.eval_interpolated(&parts));
                    }
                    let value = self.eval(&inner.expression);
                    // A representation has no line breaks.
                    let quoted = matches!(inner.conversion, ConversionFlag::Repr | ConversionFlag::Ascii);
                    if quoted { value.sanitized(TaintKinds::LOG | TaintKinds::MAIL) } else { value }
                }
            };
            if at == 0 {
                query = value.query;
                filter = value.filter;
                fixed = value.as_text().map_or(TaintKinds::NONE, url_prefix::sanitized_by);
            }
            text = match (text, &value.content) {
                (Some(text), AbstractValue::Text(piece)) if text.len() < 4_096 => Some(text + piece),
                (Some(text), AbstractValue::Int(number)) => Some(format!("{text}{number}")),
                _ => None,
            };
            values.push(value);
        }
        if let Some(text) = text {
            return Value::text(&text);
        }
        let mut value = Value::combined(values.iter()).sanitized(fixed);
        value.assembled = !value.is_constant();
        value.query = query;
        value.filter = filter;
        value
    }

    fn eval_bool_op(&mut self, op: BoolOp, values: &[Expr]) -> Value {
        let mut result: Option<Value> = None;
        let mut diverges_at = None;
        self.names().fork();
        for (at, expr) in values.iter().enumerate() {
            let value = self.eval(expr);
            if std::mem::take(&mut self.diverges) {
                diverges_at.get_or_insert(at);
                if at > 0 {
                    break;
                }
            }
            // The operand after `and` is evaluated if the condition is met, after `or` if it is not.
            guards::refine(self, expr, op == BoolOp::And);
            let passes_on = matches!((op, value.truth()), (BoolOp::And, Some(true)) | (BoolOp::Or, Some(false)));
            if passes_on && at + 1 < values.len() {
                continue;
            }
            let decided = value.truth().is_some();
            // An `and` that stops early has a falsy value.
            let value = if op == BoolOp::And && at + 1 < values.len() && !decided { Value::clean() } else { value };
            result = Some(result.map_or_else(|| value.clone(), |result| result.join(&value)));
            if decided {
                break;
            }
        }
        // The refinements hold within this expression only.
        self.names().rollback();
        match diverges_at {
            Some(0) => self.diverges = true,
            // `name in NAMES or abort(400)`: the following code runs only if the condition is met.
            Some(1) => guards::refine(self, &values[0], op == BoolOp::Or),
            Some(_) | None => {}
        }
        result.unwrap_or_default()
    }

    fn eval_compare(&mut self, comparison: &ExprCompare) -> Value {
        let mut left = self.eval(&comparison.left);
        self.check_secret_compared(comparison);
        let mut all = Some(true);
        for (op, right) in comparison.ops.iter().zip(&*comparison.comparators) {
            let right = self.eval(right);
            all = match (all, fold::compare(*op, &left, &right)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                (None, _) | (_, None) => None,
            };
            left = right;
        }
        all.map_or_else(Value::clean, |truth| Value::of(AbstractValue::Bool(truth)))
    }

    fn eval_attribute(&mut self, attribute: &ExprAttribute) -> Value {
        if let Some(path) = path_of(attribute)
            && let Some(known) = self.scope().names.get(&path)
        {
            return known.clone();
        }
        let owner = self.eval(&attribute.value);
        let value = self.attribute_of(&owner, &attribute.attr);
        if owner.from_unknown_call { value.downgraded(TaintKinds::SESSION) } else { value }
    }

    /// Returns the value of an attribute.
    pub(crate) fn attribute_of(&mut self, owner: &Value, name: &str) -> Value {
        if let AbstractValue::Instance(class) | AbstractValue::Class(class) = owner.content {
            if let Some(method) = self.method(class, name) {
                // A property can return any value.
                let plain = self.module.functions[method].def.decorator_list.iter().all(|decorator| {
                    matches!(&decorator.expression, Expr::Name(name) if matches!(name.id.as_str(), "staticmethod" | "classmethod"))
                });
                return if plain { Value::object(AbstractValue::Method(class, method)) } else { Value::unknown() };
            }
            if name == "request" {
                return Value::tainted(TaintKinds::ALL).with_symbol("self.request");
            }
            if let Some(value) = self.attributes.get(&(class, name.to_owned())) {
                return value.clone();
            }
            return Value::unknown();
        }
        let symbol = owner.symbol();
        let derived_from_request = owner.derived_from_request;
        if symbol.is_empty() {
            let value =
                Value { unknown: owner.unknown, tainted: owner.tainted, derived_from_request, ..Value::default() };
            // An alias of a query method still executes queries, on any object.
            return if names::executes_query(name) { value.with_symbol(&format!(".{name}")) } else { value };
        }
        let symbol = format!("{symbol}.{name}");
        if let Some(value) = sources::source_value(&symbol) {
            return value;
        }
        let sanitized = sanitizers::sanitizes(&symbol);
        let (tainted, unknown) = (owner.tainted.minus(sanitized), owner.unknown.minus(sanitized));
        let value = Value { tainted, unknown, derived_from_request, ..Value::default() }.with_symbol(&symbol);
        // A form or serializer has validated these values.
        if matches!(name, "cleaned_data" | "validated_data") { value.downgraded(TaintKinds::SESSION) } else { value }
    }

    fn eval_subscript(&mut self, subscript: &ExprSubscript) -> Value {
        let owner = self.eval(&subscript.value);
        if let (AbstractValue::Text(text), Expr::Slice(slice)) = (&owner.content, &*subscript.slice)
            && slice.step.is_none()
        {
            let text = Rc::clone(text);
            let bound = |this: &mut Self, part: &Option<Box<Expr>>| match part {
                None => Some(None),
                Some(expr) => this.eval(expr).as_int().map(Some),
            };
            if let (Some(lower), Some(upper)) = (bound(self, &slice.lower), bound(self, &slice.upper)) {
                return fold::slice(&text, lower, upper);
            }
            return Value::clean();
        }
        let key = self.eval(&subscript.slice);
        if let Some(value) = fold::index(&owner, &key) {
            return value;
        }
        if key.as_text().is_some_and(|key| sources::is_referrer_key(owner.symbol(), key)) {
            return sources::referrer();
        }
        if let AbstractValue::Sequence(_) = owner.content {
            return if subscript.slice.is_slice_expr() {
                Value { content: AbstractValue::Opaque, ..owner }
            } else {
                owner.any_element()
            };
        }
        let (assembled, derived_from_request) = (owner.assembled, owner.derived_from_request);
        let value = Value {
            tainted: owner.tainted,
            unknown: owner.unknown,
            assembled,
            derived_from_request,
            ..Value::default()
        }
        .with_symbol(&format!("{}[]", owner.symbol()));
        // The result of a look-up is not the key.
        if owner.from_unknown_call { value.downgraded(TaintKinds::SESSION) } else { value }
    }

    fn eval_conditional(&mut self, choice: &ExprIf) -> Value {
        let test = self.eval(&choice.test);
        let body = |this: &mut Self| this.eval_guarded(&choice.test, true, &choice.body);
        let orelse = |this: &mut Self| this.eval_guarded(&choice.test, false, &choice.orelse);
        match test.truth() {
            Some(true) => body(self),
            Some(false) => orelse(self),
            None => {
                let first = body(self);
                let first_diverges = std::mem::take(&mut self.diverges);
                let second = orelse(self);
                let second_diverges = std::mem::take(&mut self.diverges);
                match (first_diverges, second_diverges) {
                    (false, false) => first.join(&second),
                    (true, true) => {
                        self.diverges = true;
                        first
                    }
                    (first_diverges, _) => {
                        guards::refine(self, &choice.test, second_diverges);
                        if first_diverges { second } else { first }
                    }
                }
            }
        }
    }

    /// Evaluates an expression that is reached only if a condition is met, or only if it is not.
    fn eval_guarded(&mut self, test: &Expr, met: bool, expr: &Expr) -> Value {
        self.names().fork();
        guards::refine(self, test, met);
        let value = self.eval(expr);
        self.names().rollback();
        value
    }

    fn eval_sequence(&mut self, elements: &[Expr]) -> Value {
        let items: Vec<Value> = elements.iter().map(|element| self.eval(element)).collect();
        if elements.iter().any(Expr::is_starred_expr) {
            return Value::container(items.iter());
        }
        Value::sequence(items)
    }

    fn eval_dict(&mut self, dict: &ExprDict) -> Value {
        let mut entries = Vec::with_capacity(dict.items.len());
        let mut others = Vec::new();
        for item in &dict.items {
            let key = item.key.as_ref().map(|key| self.eval(key));
            if let Some(Expr::StringLiteral(key)) = &item.key {
                self.check_secret_assigned(key.value.to_str(), &item.value);
            }
            let value = self.eval(&item.value);
            match key.as_ref().and_then(Value::as_text) {
                Some(key) => entries.push((Rc::from(key), value)),
                None => others.push(value),
            }
        }
        if others.is_empty() {
            return Value::dict(entries);
        }
        others.extend(entries.into_iter().map(|(_, value)| value));
        Value::container(others.iter())
    }

    fn eval_comprehension(&mut self, generators: &[Comprehension], results: &[&Expr]) -> Value {
        let diverges = self.diverges;
        self.names().fork();
        for generator in generators {
            let iterable = self.eval(&generator.iter);
            self.assign(&generator.target, iterable.any_element());
            for condition in &generator.ifs {
                self.eval(condition);
                guards::refine(self, condition, true);
            }
        }
        let values: Vec<Value> = results.iter().map(|result| self.eval(result)).collect();
        self.names().rollback();
        // The iterable may be empty.
        self.diverges = diverges;
        Value::container(values.iter())
    }
}
