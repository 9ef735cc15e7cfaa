//! Walks functions of the module: as entry points with unknown arguments, and at calls with the given ones.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{AnyParameterRef, Expr, ParameterWithDefault, Stmt, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::call::Call;
use super::control_flow::Flow;
use super::guards;
use super::guards::postconditions::{Postconditions, ReturnKind, ReturnTracker, TrackedParameter};
use super::interpreter::{Interpreter, Scope};
use super::models::sanitizers;
use super::module_index::{ParameterSource, annotation_name, is_request_parameter, parameter_source};
use super::value::{AbstractValue, Lambda, TaintKinds, Value};
use crate::python::ast::last_name;

/// Maximum depth of nested calls that are walked.
const MAX_CALL_DEPTH: usize = 3;

/// Decorators that run the decorated function and keep its postconditions.
const TRANSPARENT_DECORATORS: &[&str] =
    &["staticmethod", "classmethod", "override", "final", "lru_cache", "cache", "no_type_check", "validate_call"];

impl Interpreter<'_, '_, '_> {
    /// Returns the method of a class by name.
    pub(crate) fn method(&self, class: usize, name: &str) -> Option<usize> {
        self.module.classes[class].methods.get(name).copied()
    }

    /// Walks a function with unknown arguments.
    pub(crate) fn walk_as_entry_point(&mut self, number: usize) {
        let function = &self.module.functions[number];
        let def = function.def;
        let handler = function.handler;
        let outer = if function.nested { self.scopes.len() - 1 } else { 0 };
        let mut scope = Scope::new(Some(number), Some(outer));
        let json = self.responds_json || function.class.is_some_and(|class| self.returns_json(class));
        scope.returns_response = handler && (!json || returns_html(def));
        for parameter in &*def.parameters {
            let value = match parameter {
                AnyParameterRef::NonVariadic(parameter) => self.own_parameter(number, parameter),
                AnyParameterRef::Variadic(_) if handler => Value::tainted(TaintKinds::ALL),
                AnyParameterRef::Variadic(_) => Value::unknown(),
            };
            scope.names.set(parameter.name(), value);
        }
        let loops = std::mem::take(&mut self.loop_depth);
        let diverges = std::mem::take(&mut self.diverges);
        self.scopes.push(scope);
        self.walk_block(&def.body);
        self.scopes.pop();
        self.diverges = diverges;
        self.loop_depth = loops;
    }

    /// Returns true if the parameter's type is a local enumeration.
    fn is_choice(&self, parameter: &ParameterWithDefault) -> bool {
        let name = parameter.annotation().map_or("", annotation_name);
        let class = self.module.classes.iter().position(|class| class.def.name.as_str() == name);
        class.is_some_and(|class| self.module.is_kind_of(class, &|base| base.ends_with("Enum")))
    }

    /// Returns true if results of the class's methods are sent as JSON.
    fn returns_json(&self, class: usize) -> bool {
        self.module.is_kind_of(class, &|base| matches!(base, "Resource" | "APIView") || base.ends_with("ViewSet"))
    }

    fn own_parameter(&self, number: usize, parameter: &ParameterWithDefault) -> Value {
        let function = &self.module.functions[number];
        if let (Some(class), true) = (function.class, is_first(function.def, parameter)) {
            return match parameter.name().as_str() {
                "cls" => Value::object(AbstractValue::Class(class)),
                _ => Value::object(AbstractValue::Instance(class)),
            };
        }
        if !function.handler {
            let request = is_request_parameter(parameter);
            return if request { Value::tainted(TaintKinds::ALL).with_symbol("request") } else { Value::unknown() };
        }
        match parameter_source(function.def, parameter) {
            ParameterSource::Request => Value::tainted(TaintKinds::ALL).with_symbol("request"),
            ParameterSource::External if self.is_choice(parameter) => Value::clean(),
            ParameterSource::External => Value::tainted(TaintKinds::ALL),
            ParameterSource::Harmless => sanitizers::number(),
            ParameterSource::Application => Value::unknown(),
        }
    }

    /// Evaluates a call of a local function, method or class; returns `None` for others.
    pub(crate) fn call_local(&mut self, call: &Call<'_>, target: &Value) -> Option<Value> {
        match target.content {
            AbstractValue::Function(number) => self.enter_call(number, None, call),
            AbstractValue::Method(class, number) => {
                let object = call.receiver.clone().unwrap_or_else(|| Value::object(AbstractValue::Instance(class)));
                self.enter_call(number, Some(object), call)
            }
            AbstractValue::Class(class) => {
                if self.module.is_kind_of(class, &|base| base.ends_with("Enum")) {
                    // An enumeration rejects values that are not members.
                    return Some(Value::clean());
                }
                if let Some(constructor) = self.method(class, "__init__") {
                    self.enter_call(constructor, Some(Value::object(AbstractValue::Instance(class))), call);
                }
                let mut object = Value::combined(call.everything());
                object.unknown = TaintKinds::ALL;
                object.content = AbstractValue::Instance(class);
                Some(object)
            }
            AbstractValue::Lambda(ref lambda) => Some(lambda_result(lambda, call)),
            AbstractValue::Opaque
            | AbstractValue::Text(_)
            | AbstractValue::Int(_)
            | AbstractValue::Bool(_)
            | AbstractValue::PyNone
            | AbstractValue::Sequence(_)
            | AbstractValue::Dict(_)
            | AbstractValue::Container
            | AbstractValue::Pattern(_)
            | AbstractValue::Instance(_) => None,
        }
    }

    fn enter_call(&mut self, number: usize, object: Option<Value>, call: &Call<'_>) -> Option<Value> {
        if self.call_stack.len() >= MAX_CALL_DEPTH || self.call_stack.contains(&number) || !self.may_enter_call() {
            let mut value = Value::combined(call.everything().chain(&object));
            value.unknown = TaintKinds::ALL;
            return Some(value.downgraded(TaintKinds::HTML | TaintKinds::LOG | TaintKinds::REDIRECT));
        }
        let function = &self.module.functions[number];
        let def = function.def;
        let outer = if function.nested { self.scopes.len() - 1 } else { 0 };
        let is_static = def
            .decorator_list
            .iter()
            .any(|decorator| matches!(&decorator.expression, Expr::Name(name) if name.id.as_str() == "staticmethod"));
        let mut scope = Scope::new(Some(number), Some(outer));
        let bound = usize::from(object.is_some() && !is_static);
        let mut positional = object.filter(|_| !is_static).into_iter().chain(call.positional.iter().cloned());
        for parameter in def.parameters.iter_non_variadic_params() {
            let passed = call.keyword(parameter.name()).cloned();
            let value = passed.or_else(|| positional.next()).unwrap_or_else(|| self.missing_argument(call, parameter));
            scope.names.set(parameter.name(), value);
        }
        let rest: Vec<Value> = positional.collect();
        if let Some(variadic) = &def.parameters.kwarg {
            let named = call.named.iter().map(|(_, value)| value);
            scope.names.set(&variadic.name, Value::combined(rest.iter().filter(|_| call.unpacked).chain(named)));
        }
        if let Some(variadic) = &def.parameters.vararg {
            let known = !call.unpacked && !call.hides_keywords();
            let rest = if known { Value::sequence(rest) } else { Value::container(call.everything()) };
            scope.names.set(&variadic.name, rest);
        }
        Some(self.walk_body(number, scope, call, bound))
    }

    /// Walks a function body with its parameters bound.
    fn walk_body(&mut self, number: usize, mut scope: Scope, call: &Call<'_>, bound: usize) -> Value {
        let def = self.module.functions[number].def;
        let names = def.parameters.iter_non_variadic_params().map(|parameter| parameter.name().as_str());
        let parameters = names.skip(bound).filter_map(|name| Some((name, scope.names.get(name)?)));
        scope.returns = ReturnTracker::of(parameters);
        let loops = std::mem::take(&mut self.loop_depth);
        let purpose = std::mem::take(&mut self.assigned_name);
        let awaited = self.awaited.take();
        self.call_stack.push(number);
        self.scopes.push(scope);
        let flow = self.walk_block(&def.body);
        if flow == Flow::FallsThrough {
            self.record_return(None, Some(false));
        }
        let is_exact = self.is_exact(number, call, awaited);
        let scope = self.scopes.pop().unwrap_or_else(|| Scope::new(None, None));
        self.call_stack.pop();
        self.assigned_name = purpose;
        self.loop_depth = loops;
        let ends =
            matches!(flow, Flow::LeavesFunction | Flow::Diverges) && scope.returned.is_none() && !scope.is_abstract;
        self.diverges |= ends && is_exact && !self.exhausted();
        let postconditions =
            scope.returns.filter(|_| is_exact).and_then(|returns| returns.into_postconditions(def, bound));
        self.apply_postconditions(call, postconditions);
        scope.returned.unwrap_or_else(|| Value::of(AbstractValue::PyNone))
    }

    /// Returns true if a call surely runs this body: it runs at the call, is not decorated and not replaced.
    fn is_exact(&self, number: usize, call: &Call<'_>, awaited: Option<u32>) -> bool {
        let function = &self.module.functions[number];
        let def = function.def;
        let name = def.name.as_str();
        let runs = (!def.is_async || awaited == Some(call.expr.end().to_u32())) && !is_generator(def);
        let is_plain = def.decorator_list.iter().all(|decorator| {
            let decorator = last_name(&decorator.expression);
            let is_own = self.module.functions.iter().any(|function| function.def.name.as_str() == decorator);
            TRANSPARENT_DECORATORS.contains(&decorator) && !is_own
        });
        let is_replaced = match function.class {
            Some(class) => {
                self.module.is_overridden(class, name) || self.attributes.contains_key(&(class, name.to_owned()))
            }
            None => self.module.globals.contains(name),
        };
        runs && is_plain && !is_replaced
    }

    /// Records the refinements of the parameters at a return.
    pub(crate) fn record_return(&mut self, returned: Option<&Expr>, truth: Option<bool>) {
        if self.scope().after_divergence {
            return;
        }
        let Some(mut returns) = self.scope().returns.take() else { return };
        returns.record(self.names(), TrackedParameter::always);
        let returns_by_truth: [(bool, ReturnKind); 2] =
            [(true, TrackedParameter::truthy), (false, TrackedParameter::falsy)];
        for (met, kind) in returns_by_truth {
            if truth == Some(!met) {
                continue;
            }
            self.names().fork();
            if let Some(returned) = returned {
                guards::refine(self, returned, met);
            }
            returns.record(self.names(), kind);
            self.names().rollback();
        }
        self.scope().returns = Some(returns);
    }

    /// Applies what a local function proves about its arguments.
    pub(crate) fn apply_postconditions(&mut self, call: &Call<'_>, postconditions: Option<Postconditions>) {
        let key = call.expr.end().to_u32();
        let Some(postconditions) = postconditions else {
            self.postconditions.remove(&key);
            return;
        };
        for (argument, kinds) in postconditions.for_arguments(call.expr, None) {
            guards::sanitize(self, argument, kinds);
        }
        self.postconditions.insert(key, postconditions);
    }

    /// Returns the value of an argument that the call does not name: its default, or one passed in `*` or `**`.
    fn missing_argument(&mut self, call: &Call<'_>, parameter: &ParameterWithDefault) -> Value {
        if call.unpacked || call.hides_keywords() {
            return Value::combined(call.everything());
        }
        match parameter.default() {
            Some(default) => self.eval(default),
            None => Value::unknown(),
        }
    }
}

/// `@app.get("/", response_class=HTMLResponse)`.
fn returns_html(def: &StmtFunctionDef) -> bool {
    def.decorator_list.iter().any(|decorator| {
        let Expr::Call(call) = &decorator.expression else { return false };
        let class = call.arguments.find_keyword("response_class");
        class.is_some_and(|class| last_name(&class.value) == "HTMLResponse")
    })
}

/// Returns true if a call creates a generator and does not run the body.
fn is_generator(def: &StmtFunctionDef) -> bool {
    struct Finder(bool);
    impl<'a> Visitor<'a> for Finder {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
                walk_stmt(self, stmt);
            }
        }
        fn visit_expr(&mut self, expr: &'a Expr) {
            self.0 |= matches!(expr, Expr::Yield(_) | Expr::YieldFrom(_));
            if !expr.is_lambda_expr() {
                walk_expr(self, expr);
            }
        }
    }
    let mut finder = Finder(false);
    finder.visit_body(&def.body);
    finder.0
}

/// Returns the result of a lambda. Its unknown parts may be the passed arguments.
fn lambda_result(lambda: &Lambda, call: &Call<'_>) -> Value {
    let passed = Value::combined(call.everything());
    if passed.is_constant() {
        return lambda.with_constants.clone();
    }
    let mut returned = lambda.with_unknown.clone();
    returned.tainted |= passed.tainted & returned.unknown;
    returned
}

fn is_first(def: &StmtFunctionDef, parameter: &ParameterWithDefault) -> bool {
    let is_static = def
        .decorator_list
        .iter()
        .any(|decorator| matches!(&decorator.expression, Expr::Name(name) if name.id.as_str() == "staticmethod"));
    !is_static && def.parameters.iter_non_variadic_params().next().is_some_and(|first| std::ptr::eq(first, parameter))
}
