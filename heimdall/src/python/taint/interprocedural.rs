//! Runs functions of the module: on their own, with whatever may come, and at their calls, with what is passed.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{AnyParameterRef, Expr, ParameterWithDefault, Stmt, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::call::Call;
use super::control_flow::Flow;
use super::interpreter::{Interpreter, Scope};
use super::module_index::{Filled, annotation_name, filled, is_request_parameter};
use super::value::{Lambda, Shape, Uses, Value};
use crate::python::ast::last_name;
use crate::python::taint::guards;
use crate::python::taint::guards::postconditions::{Exits, Kind, Proofs, Watched};
use crate::python::taint::models::sanitizers;

/// How deep calls are looked into.
const MAX_INLINED: usize = 3;

/// Decorators that run the function they are put on, and change nothing that it proves.
const TRANSPARENT: &[&str] =
    &["staticmethod", "classmethod", "override", "final", "lru_cache", "cache", "no_type_check", "validate_call"];

impl Interpreter<'_, '_, '_> {
    /// The function of a class, or of one of its bases in the module, that has this name.
    pub(crate) fn method(&self, class: usize, name: &str) -> Option<usize> {
        self.program.classes[class].methods.get(name).copied()
    }

    /// Walks a function as if called from anywhere.
    pub(crate) fn enter_on_its_own(&mut self, number: usize) {
        let function = &self.program.functions[number];
        let def = function.def;
        let handler = function.handler;
        let outer = if function.nested { self.scopes.len() - 1 } else { 0 };
        let mut scope = Scope::new(Some(number), Some(outer));
        let json = self.answers_json || function.class.is_some_and(|class| self.answers_structures(class));
        scope.answers = handler && (!json || answers_page(def));
        for parameter in &*def.parameters {
            let value = match parameter {
                AnyParameterRef::NonVariadic(parameter) => self.own_parameter(number, parameter),
                AnyParameterRef::Variadic(_) if handler => Value::tainted(Uses::ALL),
                AnyParameterRef::Variadic(_) => Value::unknown(),
            };
            scope.names.set(parameter.name(), value);
        }
        let loops = std::mem::take(&mut self.loops);
        let never = std::mem::take(&mut self.never);
        self.scopes.push(scope);
        self.block(&def.body);
        self.scopes.pop();
        self.never = never;
        self.loops = loops;
    }

    /// Returns whether a parameter is one of the members of an enumeration of the module.
    fn is_choice(&self, parameter: &ParameterWithDefault) -> bool {
        let name = parameter.annotation().map_or("", annotation_name);
        let class = self.program.classes.iter().position(|class| class.def.name.as_str() == name);
        class.is_some_and(|class| self.program.is_kind_of(class, &|base| base.ends_with("Enum")))
    }

    /// Returns whether the results of a class's methods are sent as JSON.
    fn answers_structures(&self, class: usize) -> bool {
        self.program.is_kind_of(class, &|base| matches!(base, "Resource" | "APIView") || base.ends_with("ViewSet"))
    }

    fn own_parameter(&self, number: usize, parameter: &ParameterWithDefault) -> Value {
        let function = &self.program.functions[number];
        if let (Some(class), true) = (function.class, is_first(function.def, parameter)) {
            return match parameter.name().as_str() {
                "cls" => Value::object(Shape::Class(class)),
                _ => Value::object(Shape::Instance(class)),
            };
        }
        if !function.handler {
            let request = is_request_parameter(parameter);
            return if request { Value::tainted(Uses::ALL).with_symbol("request") } else { Value::unknown() };
        }
        match filled(function.def, parameter) {
            Filled::Request => Value::tainted(Uses::ALL).with_symbol("request"),
            Filled::Outside if self.is_choice(parameter) => Value::clean(),
            Filled::Outside => Value::tainted(Uses::ALL),
            Filled::Harmless => sanitizers::number(),
            Filled::Application => Value::unknown(),
        }
    }

    /// The result of a call of a function, method or class of the module; none for any other.
    pub(crate) fn run(&mut self, call: &Call<'_>, target: &Value) -> Option<Value> {
        match target.shape {
            Shape::Function(number) => self.inlined(number, None, call),
            Shape::Method(class, number) => {
                let object = call.receiver.clone().unwrap_or_else(|| Value::object(Shape::Instance(class)));
                self.inlined(number, Some(object), call)
            }
            Shape::Class(class) => {
                if self.program.is_kind_of(class, &|base| base.ends_with("Enum")) {
                    // A value that is not among the members is refused.
                    return Some(Value::clean());
                }
                if let Some(constructor) = self.method(class, "__init__") {
                    self.inlined(constructor, Some(Value::object(Shape::Instance(class))), call);
                }
                let mut object = Value::mixed(call.everything());
                object.unknown = Uses::ALL;
                object.shape = Shape::Instance(class);
                Some(object)
            }
            Shape::Lambda(ref lambda) => Some(lambda_result(lambda, call)),
            Shape::Opaque
            | Shape::Text(_)
            | Shape::Int(_)
            | Shape::Bool(_)
            | Shape::Nothing
            | Shape::Items(_)
            | Shape::Table(_)
            | Shape::Heap
            | Shape::Pattern(_)
            | Shape::Instance(_) => None,
        }
    }

    fn inlined(&mut self, number: usize, object: Option<Value>, call: &Call<'_>) -> Option<Value> {
        if self.inlining.len() >= MAX_INLINED || self.inlining.contains(&number) || !self.may_inline() {
            let mut value = Value::mixed(call.everything().chain(&object));
            value.unknown = Uses::ALL;
            return Some(value.doubted(Uses::HTML | Uses::LOG | Uses::REDIRECT));
        }
        let function = &self.program.functions[number];
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
            let value = passed.or_else(|| positional.next()).unwrap_or_else(|| self.absent(call, parameter));
            scope.names.set(parameter.name(), value);
        }
        let rest: Vec<Value> = positional.collect();
        if let Some(variadic) = &def.parameters.kwarg {
            let named = call.named.iter().map(|(_, value)| value);
            scope.names.set(&variadic.name, Value::mixed(rest.iter().filter(|_| call.unpacked).chain(named)));
        }
        if let Some(variadic) = &def.parameters.vararg {
            let known = !call.unpacked && !call.hides_keywords();
            let rest = if known { Value::items(rest) } else { Value::gathered(call.everything()) };
            scope.names.set(&variadic.name, rest);
        }
        Some(self.looked_into(number, scope, call, bound))
    }

    /// Walks a function's body with its parameters bound.
    fn looked_into(&mut self, number: usize, mut scope: Scope, call: &Call<'_>, bound: usize) -> Value {
        let def = self.program.functions[number].def;
        let names = def.parameters.iter_non_variadic_params().map(|parameter| parameter.name().as_str());
        let parameters = names.skip(bound).filter_map(|name| Some((name, scope.names.get(name)?)));
        scope.exits = Exits::of(parameters);
        let loops = std::mem::take(&mut self.loops);
        let purpose = std::mem::take(&mut self.purpose);
        let awaited = self.awaited.take();
        self.inlining.push(number);
        self.scopes.push(scope);
        let flow = self.block(&def.body);
        if flow == Flow::Goes {
            self.record_exit(None, Some(false));
        }
        let believed = self.is_believed(number, call, awaited);
        let scope = self.scopes.pop().unwrap_or_else(|| Scope::new(None, None));
        self.inlining.pop();
        self.purpose = purpose;
        self.loops = loops;
        let ends = matches!(flow, Flow::Ends | Flow::Stops) && scope.returned.is_none() && !scope.is_abstract;
        self.never |= ends && believed && !self.exhausted();
        let proofs = scope.exits.filter(|_| believed).and_then(|exits| exits.proofs(def, bound));
        self.keep_proofs(call, proofs);
        scope.returned.unwrap_or_else(|| Value::of(Shape::Nothing))
    }

    /// Returns whether the body of a function says what a call of it does: it runs at the call, as it is, and not another
    /// in its place.
    fn is_believed(&self, number: usize, call: &Call<'_>, awaited: Option<u32>) -> bool {
        let function = &self.program.functions[number];
        let def = function.def;
        let name = def.name.as_str();
        let runs = (!def.is_async || awaited == Some(call.expr.end().to_u32())) && !is_generator(def);
        let is_plain = def.decorator_list.iter().all(|decorator| {
            let decorator = last_name(&decorator.expression);
            let is_own = self.program.functions.iter().any(|function| function.def.name.as_str() == decorator);
            TRANSPARENT.contains(&decorator) && !is_own
        });
        let is_replaced = match function.class {
            Some(class) => {
                self.program.is_overridden(class, name) || self.attributes.contains_key(&(class, name.to_owned()))
            }
            None => self.program.shared.contains(name),
        };
        runs && is_plain && !is_replaced
    }

    /// Notes what is known of the parameters where the function at work returns.
    pub(crate) fn record_exit(&mut self, returned: Option<&Expr>, truth: Option<bool>) {
        if self.scope().is_stopped {
            return;
        }
        let Some(mut exits) = self.scope().exits.take() else { return };
        exits.record(self.names(), Watched::always);
        let kinds: [(bool, Kind); 2] = [(true, Watched::truthy), (false, Watched::falsy)];
        for (met, kind) in kinds {
            if truth == Some(!met) {
                continue;
            }
            self.names().fork();
            if let Some(returned) = returned {
                guards::refine(self, returned, met);
            }
            exits.record(self.names(), kind);
            self.names().take_back();
        }
        self.scope().exits = Some(exits);
    }

    /// Makes use of what a function of the module proves of its arguments.
    pub(crate) fn keep_proofs(&mut self, call: &Call<'_>, proofs: Option<Proofs>) {
        let key = call.expr.end().to_u32();
        let Some(proofs) = proofs else {
            self.proofs.remove(&key);
            return;
        };
        for (argument, uses) in proofs.of_arguments(call.expr, None) {
            guards::clear(self, argument, uses);
        }
        self.proofs.insert(key, proofs);
    }

    /// A parameter that the call does not name: its default, or something hidden in `*` and `**`.
    fn absent(&mut self, call: &Call<'_>, parameter: &ParameterWithDefault) -> Value {
        if call.unpacked || call.hides_keywords() {
            return Value::mixed(call.everything());
        }
        match parameter.default() {
            Some(default) => self.eval(default),
            None => Value::unknown(),
        }
    }
}

/// `@app.get("/", response_class=HTMLResponse)`.
fn answers_page(def: &StmtFunctionDef) -> bool {
    def.decorator_list.iter().any(|decorator| {
        let Expr::Call(call) = &decorator.expression else { return false };
        let class = call.arguments.find_keyword("response_class");
        class.is_some_and(|class| last_name(&class.value) == "HTMLResponse")
    })
}

/// Returns whether a call of a function makes a generator, and does not run the body.
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

/// What is of unknown origin in a lambda's result may be what was passed.
fn lambda_result(lambda: &Lambda, call: &Call<'_>) -> Value {
    let passed = Value::mixed(call.everything());
    if passed.is_constant() {
        return lambda.of_constants.clone();
    }
    let mut returned = lambda.of_anything.clone();
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
