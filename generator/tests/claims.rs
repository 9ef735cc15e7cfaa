//! Compares each recipe's code with the claims of `provides`.

use std::collections::{BTreeMap, BTreeSet};

use generator::{FilePurpose, Generator, GeneratorConfig, Recipe};
use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_python_parser::parse_module;

/// Facts about the code of one recipe.
#[derive(Default)]
struct Facts {
    unannotated: Vec<String>,
    names: BTreeSet<String>,
    decorators: BTreeSet<String>,
    public_classes: BTreeSet<String>,
    methods: BTreeSet<String>,
    /// The functions that each function calls by bare name or on `self`.
    calls: BTreeMap<String, BTreeSet<String>>,
    inside: Vec<String>,
    classes: usize,
    has_async: bool,
    /// True if a data class has methods, so that it may claim to be a class.
    has_data_class_with_methods: bool,
    has_loop: bool,
    yields_at_top: bool,
}

impl Facts {
    fn function(&mut self, function: &StmtFunctionDef) {
        let parameters = &function.parameters;
        let implied = usize::from(self.classes > 0 && self.inside.is_empty());
        let mut positional = parameters.posonlyargs.iter().chain(&parameters.args).map(|it| &it.parameter);
        let is_implied = positional.clone().next().is_some_and(|first| matches!(first.name.as_str(), "self" | "cls"));
        let skipped = implied.min(usize::from(is_implied));
        let rest = parameters.kwonlyargs.iter().map(|it| &it.parameter);
        let packed = parameters.vararg.as_deref().into_iter().chain(parameters.kwarg.as_deref());
        for _ in 0..skipped {
            positional.next();
        }
        let annotated = positional.chain(rest).chain(packed).all(|parameter| parameter.annotation.is_some());
        if !annotated || function.returns.is_none() {
            self.unannotated.push(function.name.to_string());
        }
        self.has_async |= function.is_async;
    }

    fn class(&mut self, class: &StmtClassDef) {
        let bases: Vec<String> = class.bases().iter().map(root_name).collect();
        let is_exception = bases.iter().any(|base| base.ends_with("Error") || base.ends_with("Exception"));
        let is_data = class.decorator_list.iter().any(|it| root_name(&it.expression) == "dataclass");
        if !class.name.starts_with('_') && !is_exception && !is_data {
            self.public_classes.insert(class.name.to_string());
        }
        let is_method = |name: &str| !name.starts_with('_');
        let has_methods =
            class.body.iter().any(|it| it.as_function_def_stmt().is_some_and(|method| is_method(&method.name)));
        self.has_data_class_with_methods |= is_data && has_methods && !class.name.starts_with('_');
    }

    /// Returns whether a function calls itself, directly or through others.
    fn recurses(&self) -> bool {
        let reaches = |start: &String| {
            let mut pending: Vec<&String> = self.calls[start].iter().collect();
            let mut seen = BTreeSet::new();
            while let Some(next) = pending.pop() {
                if next == start {
                    return true;
                }
                if seen.insert(next) {
                    pending.extend(self.calls.get(next).into_iter().flatten());
                }
            }
            false
        };
        self.calls.keys().any(reaches)
    }
}

/// Returns the last name of an expression such as `a.b`, or of the called or indexed expression.
fn root_name(expression: &Expr) -> String {
    if let Some(name) = expression.as_name_expr() {
        return name.id.to_string();
    }
    if let Some(attribute) = expression.as_attribute_expr() {
        return attribute.attr.to_string();
    }
    if let Some(call) = expression.as_call_expr() {
        return root_name(&call.func);
    }
    expression.as_subscript_expr().map(|it| root_name(&it.value)).unwrap_or_default()
}

impl<'a> Visitor<'a> for Facts {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        self.has_loop |= statement.is_for_stmt() || statement.is_while_stmt();
        if let Some(import) = statement.as_import_stmt() {
            self.names.extend(import.names.iter().map(|it| it.name.to_string()));
        }
        if let Some(import) = statement.as_import_from_stmt() {
            self.names.extend(import.names.iter().map(|it| it.name.to_string()));
        }
        if let Some(function) = statement.as_function_def_stmt() {
            self.function(function);
            let decorators = function.decorator_list.iter().map(|it| root_name(&it.expression));
            self.decorators.extend(decorators);
            if self.classes > 0 {
                self.methods.insert(function.name.to_string());
            }
            self.calls.entry(function.name.to_string()).or_default();
            self.inside.push(function.name.to_string());
            walk_stmt(self, statement);
            self.inside.pop();
        } else if let Some(class) = statement.as_class_def_stmt() {
            self.class(class);
            self.decorators.extend(class.decorator_list.iter().map(|it| root_name(&it.expression)));
            self.classes += 1;
            walk_stmt(self, statement);
            self.classes -= 1;
        } else {
            walk_stmt(self, statement);
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        self.has_loop |= expression.is_list_comp_expr() || expression.is_generator_expr();
        self.yields_at_top |= expression.is_yield_expr() && self.classes == 0;
        if let Some(call) = expression.as_call_expr() {
            self.names.insert(root_name(&call.func));
            let on_self =
                call.func.as_attribute_expr().is_some_and(|it| matches!(root_name(&it.value).as_str(), "self" | "cls"));
            if let Some(caller) = self.inside.last().filter(|_| on_self || call.func.is_name_expr()) {
                self.calls.entry(caller.clone()).or_default().insert(root_name(&call.func));
            }
        }
        walk_expr(self, expression);
    }
}

fn facts(recipe: &Recipe) -> Facts {
    let mut facts = Facts::default();
    for file in recipe.files.iter().filter(|file| file.kind == FilePurpose::Code) {
        let module = parse_module(&file.content).expect("recipes parse").into_syntax();
        for statement in &module.body {
            facts.visit_stmt(statement);
        }
    }
    facts
}

/// Returns claims that must be present if and only if the fact is.
fn exact(facts: &Facts, claims: &BTreeSet<&str>) -> Vec<(&'static str, bool)> {
    let uses = |name: &str| facts.names.contains(name);
    let may_be_class = facts.has_data_class_with_methods && claims.contains("class");
    // Functions that run calls concurrently may have no state to lock.
    let runs_together = claims.contains("thread safety") && (facts.has_async || uses("ThreadPoolExecutor"));
    vec![
        ("type hints", facts.unannotated.is_empty()),
        ("async", facts.has_async),
        ("data class", facts.decorators.contains("dataclass")),
        ("thread safety", uses("Lock") || uses("RLock") || runs_together),
        ("decorator", facts.decorators.contains("wraps")),
        ("context manager", facts.methods.contains("__enter__") || facts.decorators.contains("contextmanager")),
        ("generic types", uses("Generic") || uses("TypeVar") && !uses("ParamSpec") && !uses("Decimal")),
        ("regular expressions", uses("re")),
        ("heap", uses("heapq")),
        ("ordered dictionary", uses("OrderedDict")),
        ("SQLite", uses("sqlite3")),
        ("recursion", facts.recurses()),
        ("class", may_be_class || !facts.public_classes.iter().all(|name| name == "Comparable")),
        ("threads", uses("Thread") || uses("ThreadPoolExecutor")),
        ("logging", uses("logging")),
    ]
}

/// Returns claims that need a fact; the fact does not need the claim.
fn needed(facts: &Facts, unconditional: &BTreeSet<&str>) -> Vec<(&'static str, bool)> {
    let recursion_apart = !facts.recurses() || !unconditional.contains("iteration");
    vec![
        ("iteration", facts.has_loop && recursion_apart),
        ("iteration protocol", facts.methods.contains("__iter__")),
        ("lazy evaluation", facts.yields_at_top),
        ("deque", facts.names.contains("deque")),
        ("linked nodes", facts.calls.contains_key("__init__")),
        ("persistence", facts.names.contains("sqlite3")),
    ]
}

#[test]
fn recipes_claim_what_their_code_shows_and_nothing_else() {
    let generator = Generator::open(GeneratorConfig::default()).expect("the catalogue is valid");
    let mut wrong = Vec::new();
    for recipe in generator.catalogue().iter().filter(|recipe| recipe.runtime == "python") {
        let facts = facts(recipe);
        let claims: BTreeSet<&str> =
            recipe.provides.iter().map(|claim| claim.split(" for ").next().unwrap_or_default()).collect();
        let unconditional: BTreeSet<&str> = recipe.provides.iter().map(String::as_str).collect();
        let exact = exact(&facts, &claims).into_iter().filter(|(claim, holds)| claims.contains(claim) != *holds);
        let unfounded =
            needed(&facts, &unconditional).into_iter().filter(|(claim, holds)| claims.contains(claim) && !holds);
        for (claim, holds) in exact.chain(unfounded) {
            wrong.push(format!("{}: {claim} is {holds} by the code ({:?})", recipe.name, facts.unannotated));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tests_use_the_runner_that_is_claimed() {
    let generator = Generator::open(GeneratorConfig::default()).expect("the catalogue is valid");
    for recipe in generator.catalogue() {
        let claims_unittest = recipe.provides.iter().any(|claim| claim == "unittest");
        for file in recipe.files.iter().filter(|file| file.kind == FilePurpose::Test) {
            let uses_unittest = file.content.contains("import unittest") || file.content.contains("unittest.TestCase");
            assert_eq!(uses_unittest, claims_unittest, "{}: {}", recipe.name, file.path);
        }
    }
}
