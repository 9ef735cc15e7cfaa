//! Evaluation of simple statements and definitions.

use ruff_python_ast::{Expr, Stmt, StmtClassDef, StmtFunctionDef, StmtReturn};
use ruff_text_size::Ranged;

use super::control_flow::Flow;
use super::guards;
use super::guards::named_conditions;
use super::interpreter::Interpreter;
use super::models::fold;
use super::paths::path_of;
use super::sinks::responses;
use super::value::{AbstractValue, Value};
use crate::python::ast::{last_name, target_name};
use crate::python::stack;

impl Interpreter<'_, '_, '_> {
    /// Walks a block. Code after a statement that leaves the block is not walked.
    pub(crate) fn walk_block(&mut self, body: &[Stmt]) -> Flow {
        let outer = self.scope().after_divergence;
        let flow = self.walk_statements(body);
        self.scope().after_divergence = outer;
        flow
    }

    fn walk_statements(&mut self, body: &[Stmt]) -> Flow {
        let mut after_divergence = false;
        for (at, stmt) in body.iter().enumerate() {
            if !self.step() {
                return Flow::FallsThrough;
            }
            if let Stmt::Assign(assign) = stmt {
                responses::note_content_type(self, assign, &body[at + 1..]);
            }
            let flow = stack::grow(|| self.walk_statement(stmt));
            let diverges = std::mem::take(&mut self.diverges);
            match flow {
                Flow::LeavesFunction => return Flow::LeavesFunction,
                Flow::LeavesIteration => {
                    return if after_divergence || diverges { Flow::Diverges } else { Flow::LeavesIteration };
                }
                Flow::FallsThrough | Flow::Diverges => {}
            }
            if diverges || flow == Flow::Diverges {
                after_divergence = true;
                self.scope().after_divergence = true;
            }
        }
        if after_divergence { Flow::Diverges } else { Flow::FallsThrough }
    }

    fn walk_statement(&mut self, stmt: &Stmt) -> Flow {
        let is_compound =
            matches!(stmt, Stmt::If(_) | Stmt::While(_) | Stmt::For(_) | Stmt::Try(_) | Stmt::Match(_) | Stmt::With(_));
        if !is_compound {
            return self.walk_simple_statement(stmt);
        }
        // A name that is bound to a condition in one branch only has no condition after the branches join.
        let before = self.scope().named_conditions.clone();
        let flow = self.walk_compound_statement(stmt);
        self.scope().named_conditions.retain_common(&before);
        flow
    }

    fn walk_simple_statement(&mut self, stmt: &Stmt) -> Flow {
        match stmt {
            Stmt::Expr(expr) => {
                self.eval(&expr.value);
                self.sanitize_number_check(&expr.value);
            }
            Stmt::Assign(assign) => self.walk_assignment(&assign.targets, &assign.value),
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.walk_assignment(std::slice::from_ref(&assign.target), value);
                }
            }
            Stmt::AugAssign(assign) => {
                let before = self.eval(&assign.target);
                let added = self.eval(&assign.value);
                let value = fold::binary(assign.op, &before, &added);
                self.assign(&assign.target, value);
            }
            Stmt::Return(result) => return self.walk_return(result),
            Stmt::Raise(raise) => {
                self.scope().is_abstract |=
                    raise.exc.as_deref().is_some_and(|exc| last_name(exc) == "NotImplementedError");
                for part in [&raise.exc, &raise.cause].into_iter().flatten() {
                    self.eval(part);
                }
                return Flow::LeavesFunction;
            }
            Stmt::Break(_) => {
                self.record_break();
                return Flow::LeavesIteration;
            }
            Stmt::Continue(_) => return Flow::LeavesIteration,
            Stmt::FunctionDef(def) => self.define_function(def),
            Stmt::ClassDef(class) => self.define_class(class),
            Stmt::Import(import) => super::imports::import(self, import),
            Stmt::ImportFrom(import) => super::imports::import_from(self, import),
            Stmt::Assert(assert) => {
                self.eval(&assert.test);
                self.check_assert(assert);
                guards::refine(self, &assert.test, true);
                if matches!(&*assert.test, Expr::BooleanLiteral(flag) if !flag.value) {
                    return Flow::LeavesFunction;
                }
            }
            Stmt::Delete(delete) => self.delete_names(&delete.targets),
            _ => {}
        }
        Flow::FallsThrough
    }

    fn delete_names(&mut self, targets: &[Expr]) {
        for target in targets {
            if let Expr::Name(name) = target {
                self.names().remove(&name.id);
            }
        }
    }

    fn walk_return(&mut self, result: &StmtReturn) -> Flow {
        let value = match &result.value {
            Some(expr) => {
                let value = self.eval(expr);
                // The function does not return if its expression never has a value.
                if self.diverges {
                    return Flow::LeavesFunction;
                }
                if self.scope().returns_response {
                    self.check_response(expr, &value);
                }
                value
            }
            None => Value::of(AbstractValue::PyNone),
        };
        self.record_return(result.value.as_deref(), value.truth());
        self.add_return_value(&value);
        Flow::LeavesFunction
    }

    /// Joins a value into the results of the current function.
    pub(crate) fn add_return_value(&mut self, value: &Value) {
        let returned = &mut self.scope().returned;
        *returned = Some(returned.as_ref().map_or_else(|| value.clone(), |known| known.join(value)));
    }

    fn walk_assignment(&mut self, targets: &[Expr], value: &Expr) {
        let purpose = targets.first().map(target_name).unwrap_or_default().to_ascii_lowercase();
        let outer = std::mem::replace(&mut self.assigned_name, purpose);
        for target in targets {
            self.check_secret_assigned(target_name(target), value);
            self.check_setting_assigned(target, value);
        }
        let result = self.eval(value);
        self.assigned_name = outer;
        self.remember_parsed_url(targets, value);
        for target in targets {
            self.assign(target, result.clone());
        }
        if let [Expr::Name(name)] = targets
            && (named_conditions::is_condition(value) || self.postconditions.contains_key(&value.end().to_u32()))
        {
            self.scope().named_conditions.insert(&name.id, value);
        }
    }

    /// Links parsed parts to their URL: in `parts = urlsplit(url)`, guards on `parts` also sanitize `url`.
    fn remember_parsed_url(&mut self, targets: &[Expr], value: &Expr) {
        let ([Expr::Name(target)], Expr::Call(call)) = (targets, value) else { return };
        let text = match call.arguments.args.first() {
            Some(Expr::Call(joined)) if target_name(&joined.func) == "urljoin" => joined.arguments.args.get(1),
            other => other,
        };
        if let ("urlparse" | "urlsplit", Some(Expr::Name(text))) = (target_name(&call.func), text) {
            self.parsed_urls.insert(target.id.to_string(), text.id.to_string());
        }
    }

    /// Binds a value to a name, an attribute, an element or several of them.
    pub(crate) fn assign(&mut self, target: &Expr, value: Value) {
        match target {
            Expr::Name(name) => {
                self.scope().named_conditions.forget(&name.id);
                self.set(&name.id, value);
            }
            Expr::Attribute(attribute) => {
                if let Some(path) = path_of(attribute) {
                    self.set(&path, value.clone());
                }
                let owner = self.eval(&attribute.value);
                if let AbstractValue::Instance(class) | AbstractValue::Class(class) = owner.content {
                    self.store_attribute(class, &attribute.attr, value);
                }
            }
            Expr::Subscript(subscript) => self.store_element(subscript, value),
            Expr::Starred(starred) => self.assign(&starred.value, value),
            Expr::Tuple(tuple) => self.unpack(&tuple.elts, &value),
            Expr::List(list) => self.unpack(&list.elts, &value),
            _ => {}
        }
    }

    fn unpack(&mut self, targets: &[Expr], value: &Value) {
        let items =
            if let AbstractValue::Sequence(items) = &value.content { Some(std::rc::Rc::clone(items)) } else { None };
        match items {
            Some(items) if items.len() == targets.len() && !targets.iter().any(Expr::is_starred_expr) => {
                for (target, item) in targets.iter().zip(items.iter()) {
                    self.assign(target, item.clone());
                }
            }
            _ => {
                let element = value.any_element();
                for target in targets {
                    self.assign(target, element.clone());
                }
            }
        }
    }

    /// Joins a value into an attribute of all objects of a class.
    pub(crate) fn store_attribute(&mut self, class: usize, name: &str, value: Value) {
        self.attributes
            .entry((class, name.to_owned()))
            .and_modify(|known| *known = known.join(&value))
            .or_insert(value);
    }

    fn define_function(&mut self, def: &StmtFunctionDef) {
        for decorator in &def.decorator_list {
            self.eval(&decorator.expression);
        }
        for parameter in def.parameters.iter_non_variadic_params() {
            if let Some(default) = parameter.default() {
                self.check_secret_assigned(parameter.name(), default);
                self.eval(default);
            }
        }
        let Some(number) = self.module.function_number(def) else { return };
        // A decorator could replace the function, but nearly always wraps it.
        self.set(&def.name, Value::object(AbstractValue::Function(number)));
        let function = &self.module.functions[number];
        if function.nested && function.class.is_none() {
            self.walk_as_entry_point(number);
        }
    }

    fn define_class(&mut self, class: &StmtClassDef) {
        let Some(number) = self.module.class_number(class) else { return };
        for decorator in &class.decorator_list {
            self.eval(&decorator.expression);
        }
        self.set(&class.name, Value::object(AbstractValue::Class(number)));
        let outer = std::mem::replace(&mut self.current_class, class.name.to_string());
        self.names().fork();
        self.walk_block(&class.body);
        let body = self.names().rollback();
        self.current_class = outer;
        for (name, value) in body {
            if let Some(value) = value.filter(|value| !matches!(value.content, AbstractValue::Function(_))) {
                self.store_attribute(number, &name, value);
            }
        }
        let mut methods: Vec<usize> = self.module.classes[number].methods.values().copied().collect();
        methods.sort_unstable();
        if self.scopes.len() > 1 {
            for method in methods {
                self.walk_as_entry_point(method);
            }
        }
    }
}
