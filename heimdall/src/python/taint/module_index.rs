//! Index of a module's functions and classes, and of the functions that receive external data.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::{Decorator, Expr, ParameterWithDefault, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::Ranged;

use crate::python::stack;

/// A function or method.
pub(crate) struct Function<'a> {
    pub(crate) def: &'a StmtFunctionDef,
    /// The class of a method.
    pub(crate) class: Option<usize>,
    /// True if defined within another function.
    pub(crate) nested: bool,
    /// True if called with external data.
    pub(crate) handler: bool,
}

/// A class.
pub(crate) struct Class<'a> {
    pub(crate) def: &'a StmtClassDef,
    /// Methods by name, as function indexes.
    pub(crate) methods: HashMap<&'a str, usize>,
}

/// All definitions of one module.
#[derive(Default)]
pub(crate) struct ModuleIndex<'a> {
    pub(crate) functions: Vec<Function<'a>>,
    pub(crate) classes: Vec<Class<'a>>,
    /// Indexes by offset of the definition.
    numbers: HashMap<u32, usize>,
    /// Names that a function declares `global`.
    pub(crate) globals: HashSet<&'a str>,
}

impl<'a> ModuleIndex<'a> {
    pub(crate) fn collect(body: &'a [Stmt], framework: Option<&str>) -> Self {
        let mut collector = Collector { module: Self::default(), class: None, depth: 0, framework };
        collector.visit_body(body);
        collector.module
    }

    pub(crate) fn function_number(&self, def: &StmtFunctionDef) -> Option<usize> {
        self.numbers.get(&def.start().to_u32()).copied()
    }

    /// Returns true if a base of a class, or of one of its local bases, matches a predicate.
    pub(crate) fn is_kind_of(&self, class: usize, says: &dyn Fn(&str) -> bool) -> bool {
        let mut open = vec![class];
        let mut seen = HashSet::new();
        while let Some(class) = open.pop() {
            if !seen.insert(class) {
                continue;
            }
            for base in self.classes[class].def.bases() {
                let name = base_name(base);
                if says(name) {
                    return true;
                }
                let number = self.classes.iter().position(|class| class.def.name.as_str() == name);
                open.extend(number);
            }
        }
        false
    }

    /// Returns true if a local subclass overrides the method.
    pub(crate) fn is_overridden(&self, class: usize, method: &str) -> bool {
        let base = self.classes[class].def.name.as_str();
        let others = self.classes.iter().enumerate().filter(|(_, other)| other.methods.contains_key(method));
        others.map(|(number, _)| number).any(|other| other != class && self.is_kind_of(other, &|name| name == base))
    }

    pub(crate) fn class_number(&self, def: &StmtClassDef) -> Option<usize> {
        self.numbers.get(&def.start().to_u32()).copied()
    }
}

struct Collector<'a, 'f> {
    module: ModuleIndex<'a>,
    class: Option<usize>,
    depth: usize,
    framework: Option<&'f str>,
}

impl<'a> StatementVisitor<'a> for Collector<'a, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        stack::grow(|| match stmt {
            Stmt::FunctionDef(def) => self.function(def, stmt),
            Stmt::ClassDef(def) => self.class(def, stmt),
            Stmt::Global(global) => {
                self.module.globals.extend(global.names.iter().map(|name| name.as_str()));
            }
            other => walk_stmt(self, other),
        });
    }
}

impl<'a> Collector<'a, '_> {
    fn function(&mut self, def: &'a StmtFunctionDef, stmt: &'a Stmt) {
        let class = self.class.take();
        let number = self.module.functions.len();
        let handler = is_handler(def)
            || class.is_some_and(|class| is_view(self.module.classes[class].def) && is_verb(&def.name))
            || self.framework.is_some_and(|framework| is_entry_point(def, framework));
        self.module.functions.push(Function { def, class, nested: self.depth > 0, handler });
        self.module.numbers.insert(def.start().to_u32(), number);
        if let Some(class) = class {
            self.module.classes[class].methods.insert(def.name.as_str(), number);
        }
        self.depth += 1;
        walk_stmt(self, stmt);
        self.depth -= 1;
        self.class = class;
    }

    fn class(&mut self, def: &'a StmtClassDef, stmt: &'a Stmt) {
        let number = self.module.classes.len();
        self.module.classes.push(Class { def, methods: HashMap::new() });
        self.module.numbers.insert(def.start().to_u32(), number);
        let outer = self.class.replace(number);
        walk_stmt(self, stmt);
        self.class = outer;
    }
}

/// Returns true for routes, views and serverless entry points, which receive external data.
fn is_handler(def: &StmtFunctionDef) -> bool {
    def.decorator_list.iter().any(is_route) || matches!(def.name.as_str(), "lambda_handler" | "cloud_handler")
}

fn is_route(decorator: &Decorator) -> bool {
    let (target, called_with) = match &decorator.expression {
        Expr::Call(call) => (&*call.func, call.arguments.args.first()),
        other => (other, None),
    };
    let name = match target {
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Name(name) => name.id.as_str(),
        _ => return false,
    };
    match name {
        "route"
        | "websocket"
        | "api_route"
        | "websocket_route"
        | "api_view"
        | "require_http_methods"
        | "require_POST"
        | "require_GET"
        | "csrf_exempt"
        | "view_config"
        | "expose" => true,
        "get" | "post" | "put" | "patch" | "delete" | "head" | "options" => {
            matches!(called_with, Some(Expr::StringLiteral(_) | Expr::FString(_)))
        }
        _ => false,
    }
}

fn is_view(class: &StmtClassDef) -> bool {
    const VIEWS: &[&str] = &["View", "Resource", "RequestHandler", "ViewSet", "Endpoint", "Controller"];
    class.bases().iter().any(|base| VIEWS.iter().any(|view| base_name(base).ends_with(view)))
}

fn base_name(base: &Expr) -> &str {
    match base {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Subscript(generic) => base_name(&generic.value),
        _ => "",
    }
}

fn is_verb(name: &str) -> bool {
    matches!(name, "get" | "post" | "put" | "patch" | "delete" | "head" | "options" | "dispatch")
}

/// Recognises entry points of frameworks that find them by signature.
fn is_entry_point(def: &StmtFunctionDef, framework: &str) -> bool {
    let first = def.parameters.iter_non_variadic_params().next().map(|parameter| parameter.name().as_str());
    let framework = framework.to_ascii_lowercase();
    framework.contains("django") && first == Some("request") || framework.contains("lambda") && first == Some("event")
}

/// Source of a handler's parameter.
pub(crate) enum ParameterSource {
    /// The framework's request object.
    Request,
    /// Text sent by the client.
    External,
    /// A number, a truth value or similar.
    Harmless,
    /// An object created by the application.
    Application,
}

/// Classifies a handler's parameter by its annotation, its default and the route's converters.
pub(crate) fn parameter_source(def: &StmtFunctionDef, parameter: &ParameterWithDefault) -> ParameterSource {
    let name = parameter.name().as_str();
    if matches!(name, "self" | "cls" | "db" | "session" | "response" | "context") {
        return ParameterSource::Application;
    }
    if is_request_parameter(parameter) {
        return ParameterSource::Request;
    }
    if converted(def, name) {
        return ParameterSource::Harmless;
    }
    if parameter.default().is_some_and(|default| calls(default, &["Depends", "Security", "Inject"])) {
        return ParameterSource::Application;
    }
    match parameter.annotation().map(annotation_name) {
        Some(
            "int" | "float" | "bool" | "UUID" | "UUID4" | "datetime" | "date" | "time" | "timedelta" | "Decimal"
            | "PositiveInt" | "NonNegativeInt" | "Literal",
        ) => ParameterSource::Harmless,
        Some(
            "Session" | "AsyncSession" | "Connection" | "Response" | "BackgroundTasks" | "WebSocket" | "Depends"
            | "Engine" | "Cursor",
        ) => ParameterSource::Application,
        Some(_) | None => ParameterSource::External,
    }
}

/// Returns true if a parameter holds the request, in a handler or any other function.
pub(crate) fn is_request_parameter(parameter: &ParameterWithDefault) -> bool {
    parameter.name().as_str() == "request"
        || parameter.annotation().is_some_and(|annotation| {
            let name = annotation_name(annotation);
            name.ends_with("Request") && !name.ends_with("PermissionRequest")
        })
}

/// Returns the last name of an annotation: `Optional[int]` gives `int`, `Annotated[..., Depends(...)]` gives `Depends`.
pub(crate) fn annotation_name(annotation: &Expr) -> &str {
    match annotation {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::StringLiteral(text) => text.value.to_str(),
        Expr::Subscript(subscript) => match (annotation_name(&subscript.value), &*subscript.slice) {
            ("Annotated", Expr::Tuple(parts)) => {
                if parts.elts.iter().any(|part| calls(part, &["Depends", "Security", "Inject"])) {
                    "Depends"
                } else {
                    parts.elts.first().map_or("", annotation_name)
                }
            }
            ("Optional", inner) => annotation_name(inner),
            (outer, _) => outer,
        },
        Expr::BinOp(union) => annotation_name(&union.left),
        _ => "",
    }
}

fn calls(expr: &Expr, names: &[&str]) -> bool {
    let Expr::Call(call) = expr else { return false };
    match &*call.func {
        Expr::Name(name) => names.contains(&name.id.as_str()),
        Expr::Attribute(attribute) => names.contains(&attribute.attr.as_str()),
        _ => false,
    }
}

/// Returns true if the route converts the parameter to a number or an identifier.
fn converted(def: &StmtFunctionDef, name: &str) -> bool {
    def.decorator_list.iter().any(|decorator| {
        let Expr::Call(call) = &decorator.expression else { return false };
        let Some(Expr::StringLiteral(route)) = call.arguments.args.first() else { return false };
        let route = route.value.to_str();
        ["int:", "float:", "uuid:"].iter().any(|converter| {
            route.match_indices(converter).any(|(at, _)| {
                let rest = &route[at + converter.len()..];
                rest.strip_prefix(name).is_some_and(|after| after.starts_with(['>', '}']))
            })
        })
    })
}
