//! What a call does: sinks it feeds, sources it reads, danger it removes, functions it runs.

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::{Ranged, TextRange};

use super::containers;
use super::fold;
use super::interpreter::Interpreter;
use super::sources;
use super::value::{Shape, Uses, Value};

/// A call with everything in it evaluated.
pub(crate) struct Call<'e> {
    pub(crate) expr: &'e ExprCall,
    pub(crate) range: TextRange,
    /// The full path of what is called, where it is known.
    pub(crate) symbol: String,
    /// The last name of what is called.
    pub(crate) name: &'e str,
    /// The object whose method it is.
    pub(crate) receiver: Option<Value>,
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(Option<&'e str>, Value)>,
    /// Positions cannot be told, because something is unpacked.
    pub(crate) unpacked: bool,
}

impl Call<'_> {
    /// An argument by position or name.
    pub(crate) fn argument(&self, position: usize, name: &str) -> Option<&Value> {
        self.keyword(name).or_else(|| self.positional.get(position))
    }

    pub(crate) fn keyword(&self, name: &str) -> Option<&Value> {
        self.named.iter().find(|(known, _)| *known == Some(name)).map(|(_, value)| value)
    }

    /// Whether keywords may be there that cannot be seen (`**options`).
    pub(crate) fn hides_keywords(&self) -> bool {
        self.named.iter().any(|(name, _)| name.is_none())
    }

    pub(crate) fn everything(&self) -> impl Iterator<Item = &Value> {
        self.positional.iter().chain(self.named.iter().map(|(_, value)| value))
    }
}

impl Interpreter<'_, '_, '_> {
    pub(crate) fn call(&mut self, expr: &ExprCall) -> Value {
        let (target, receiver, name) = match &*expr.func {
            Expr::Attribute(attribute) => {
                let receiver = self.eval(&attribute.value);
                let known =
                    super::expressions::path_of(attribute).and_then(|path| self.scope().names.get(&path).cloned());
                let target = known.unwrap_or_else(|| self.attribute_of(&receiver, &attribute.attr));
                (target, Some(receiver), attribute.attr.as_str())
            }
            Expr::Name(name) => (self.lookup(&name.id), None, name.id.as_str()),
            other => (self.eval(other), None, ""),
        };
        let call = self.prepared(expr, &target, receiver, name);
        self.check_sinks(&call);
        self.check_settings(&call);
        let result = self.result(&call, &target);
        if result.symbol.is_some() || call.symbol.is_empty() || !matches!(result.shape, Shape::Opaque) {
            return result;
        }
        result.with_symbol(&format!("{}()", call.symbol))
    }

    fn prepared<'e>(&mut self, expr: &'e ExprCall, target: &Value, receiver: Option<Value>, name: &'e str) -> Call<'e> {
        let mut positional = Vec::with_capacity(expr.arguments.args.len());
        let mut unpacked = false;
        for argument in &expr.arguments.args {
            unpacked |= argument.is_starred_expr();
            positional.push(self.eval(argument));
        }
        let mut named = Vec::with_capacity(expr.arguments.keywords.len());
        for keyword in &expr.arguments.keywords {
            if let Some(name) = &keyword.arg {
                self.secret_assigned(name, &keyword.value);
            }
            let value = self.eval(&keyword.value);
            named.push((keyword.arg.as_ref().map(|arg| arg.as_str()), value));
        }
        let symbol = match &target.symbol {
            Some(symbol) => symbol.to_string(),
            None => String::new(),
        };
        // An alias keeps the name of what it stands for: `run = os.system`.
        Call { expr, range: expr.range(), symbol, name, receiver, positional, named, unpacked }
    }

    fn result(&mut self, call: &Call<'_>, target: &Value) -> Value {
        if let Some(value) = self.run(call, target) {
            return value;
        }
        if let Some(value) = sources::source_call(&call.symbol) {
            return value;
        }
        if let Some(number) = sources::number_call(&call.symbol) {
            return if call.positional.iter().all(Value::is_constant) { Value::clean() } else { number };
        }
        if sources::is_harmless_call(&call.symbol) || call.receiver.is_some() && sources::is_harmless_method(call.name)
        {
            return folded_check(call).unwrap_or_else(Value::clean);
        }
        if let Some(value) = self.mutated(call) {
            return value;
        }
        if let Some(value) = text_result(call) {
            return value;
        }
        let cleared = sources::sanitizes(&call.symbol);
        let passage = if cleared.is_empty() { passage(call) } else { Passage::Function };
        let object = call.receiver.as_ref().filter(|_| passage != Passage::Function);
        let mut value = Value::mixed(call.everything().chain(object));
        value.assembled = value.assembled && is_wrapper(call);
        if is_wrapper(call) {
            value.query = call.positional.first().is_some_and(|first| first.query);
        }
        if passage == Passage::Unknown {
            // Who knows what it returns; most likely not the page as it came in.
            let doubted = if claims_safety(call.name) { Uses::ALL } else { Uses::HTML | Uses::LOG | Uses::REDIRECT };
            if !reads_request(call) || claims_safety(call.name) {
                value = value.doubted(doubted);
            }
            value.unknown = Uses::ALL;
        }
        value.tainted = value.tainted & !cleared;
        value.unknown = value.unknown & !cleared;
        if cleared.intersects(Uses::SQL) {
            value.assembled = false;
        }
        value
    }

    /// Calls of methods that change their object.
    fn mutated(&mut self, call: &Call<'_>) -> Option<Value> {
        let Expr::Attribute(attribute) = &*call.expr.func else { return None };
        let receiver = call.receiver.as_ref()?;
        let change = containers::change(call, receiver)?;
        if let Some(path) = containers::path(&attribute.value)
            && let Some(changed) = change.object
        {
            self.set(&path, changed);
        }
        change.result
    }

    /// `container[key] = value`.
    pub(crate) fn store_element(&mut self, subscript: &ruff_python_ast::ExprSubscript, value: Value) {
        let owner = self.eval(&subscript.value);
        let key = self.eval(&subscript.slice);
        self.check_stored(&owner, &key, subscript.range());
        self.check_stored(&owner, &value, subscript.range());
        if let Some(path) = containers::path(&subscript.value) {
            let changed = containers::with_element(&owner, &key, value);
            self.set(&path, changed);
        }
    }
}

/// Methods and functions of text that are known well enough.
fn text_result(call: &Call<'_>) -> Option<Value> {
    let receiver = call.receiver.as_ref();
    let arguments: Vec<&Value> = call.positional.iter().collect();
    if let Some(text) = receiver.and_then(Value::as_text)
        && let Some(value) = fold::text_method(text, call.name, &arguments)
    {
        return Some(value);
    }
    match (call.name, receiver) {
        ("format" | "format_map" | "substitute" | "safe_substitute", Some(template)) => Some(assembled(template, call)),
        ("join", Some(separator)) if call.positional.len() == 1 => Some(joined(separator, &call.positional[0])),
        ("replace" | "concat", Some(template)) => {
            let mut value = assembled(template, call).cleared(removed(call));
            value.assembled |= template.assembled;
            Some(value)
        }
        ("str" | "repr" | "bytes" | "bytearray", None) => {
            let first = call.positional.first()?;
            let shape = if first.as_text().is_some() { first.shape.clone() } else { Shape::Opaque };
            Some(Value { shape, symbol: None, ..first.clone() })
        }
        _ => None,
    }
}

/// What a text can no longer do once a character is replaced in it.
fn removed(call: &Call<'_>) -> Uses {
    match call.positional.first().and_then(Value::as_text) {
        Some("'" | "\"") => Uses::XPATH,
        Some("<") => Uses::HTML,
        Some("\n" | "\r\n" | "\r") => Uses::LOG | Uses::MAIL,
        Some(_) | None => Uses::NONE,
    }
}

fn assembled(template: &Value, call: &Call<'_>) -> Value {
    let cleared = sources::sanitizes(&call.symbol);
    let mut value = Value::mixed(std::iter::once(template).chain(call.everything())).cleared(cleared);
    value.assembled = !value.is_constant() && !cleared.intersects(Uses::SQL);
    value.query = template.query;
    value
}

fn joined(separator: &Value, parts: &Value) -> Value {
    if let (Some(separator), Shape::Items(items)) = (separator.as_text(), &parts.shape)
        && let Some(texts) = items.iter().map(Value::as_text).collect::<Option<Vec<_>>>()
    {
        return Value::text(&texts.join(separator));
    }
    let mut value = Value::mixed([separator, parts].into_iter());
    value.assembled = !value.is_constant();
    if let Shape::Items(items) = &parts.shape {
        value.query = items.first().is_some_and(|first| first.query);
    }
    value
}

/// Truth values of constants.
fn folded_check(call: &Call<'_>) -> Option<Value> {
    let arguments: Vec<&Value> = call.positional.iter().collect();
    match (&call.receiver, call.name) {
        (Some(receiver), name) => fold::text_method(receiver.as_text()?, name, &arguments),
        (None, "len") => {
            let length = match &call.positional.first()?.shape {
                Shape::Text(text) => text.chars().count(),
                Shape::Items(items) => items.len(),
                _ => return None,
            };
            Some(Value::of(Shape::Int(i64::try_from(length).ok()?)))
        }
        _ => None,
    }
}

/// How a call's result relates to what went in.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Passage {
    /// The arguments in another form.
    Function,
    /// The object and the arguments in another form.
    Method,
    Unknown,
}

/// Names by which a project calls what it has checked.
fn claims_safety(name: &str) -> bool {
    name.contains("safe") && !name.contains("unsafe") || name.contains("sanitize") || name.contains("validated")
}

/// Whether a call takes something out of the request on the caller's behalf.
fn reads_request(call: &Call<'_>) -> bool {
    call.name.starts_with("get_") || call.everything().any(|value| sources::is_request(value.symbol()))
}

/// Methods that give back their object or arguments in another form, whatever the object.
const METHODS: &[&str] = &[
    "get",
    "getlist",
    "getall",
    "get_all",
    "getvalue",
    "pop",
    "popitem",
    "keys",
    "values",
    "items",
    "strip",
    "lstrip",
    "rstrip",
    "lower",
    "upper",
    "title",
    "capitalize",
    "casefold",
    "swapcase",
    "encode",
    "decode",
    "split",
    "rsplit",
    "splitlines",
    "partition",
    "rpartition",
    "copy",
    "read",
    "readline",
    "readlines",
    "json",
    "get_json",
    "get_data",
    "format",
    "expandtabs",
    "zfill",
    "center",
    "ljust",
    "rjust",
    "removeprefix",
    "removesuffix",
    "translate",
    "group",
    "groups",
    "to_dict",
    "setdefault",
    "body",
    "form",
    "text",
    "dict",
    "model_dump",
    "get_argument",
    "get_query_argument",
    "get_body_argument",
    "get_cookie",
    "getfirst",
    "append",
    "toarray",
    "hex",
    "execution_options",
    "label",
    "columns",
    "params",
    "bindparams",
];

/// Functions that give back their arguments in another form.
const FUNCTIONS: &[&str] = &[
    "sorted",
    "list",
    "tuple",
    "set",
    "dict",
    "reversed",
    "iter",
    "next",
    "enumerate",
    "zip",
    "map",
    "filter",
    "min",
    "max",
    "sum",
    "frozenset",
    "vars",
    "getattr",
    "urllib.parse.unquote",
    "urllib.parse.unquote_plus",
    "urllib.parse.parse_qs",
    "urllib.parse.urlparse",
    "urllib.parse.urlsplit",
    "urllib.parse.urljoin",
    "base64.b64encode",
    "base64.b64decode",
    "base64.urlsafe_b64decode",
    "base64.urlsafe_b64encode",
    "json.loads",
    "copy.copy",
    "copy.deepcopy",
    "os.path.join",
    "os.path.abspath",
    "os.path.realpath",
    "os.path.normpath",
    "os.path.expanduser",
    "pathlib.Path",
    "pathlib.PurePath",
    "io.StringIO",
    "io.BytesIO",
    "typing.cast",
    "codecs.decode",
    "binascii.unhexlify",
    "markupsafe.Markup",
    "textwrap.dedent",
    "memoryview",
    "itertools.chain",
    "shlex.split",
];

/// Functions and methods that give back what they got, in another form.
fn passage(call: &Call<'_>) -> Passage {
    match &call.receiver {
        Some(_) if METHODS.contains(&call.name) => Passage::Method,
        _ if FUNCTIONS.contains(&call.symbol.as_str()) => Passage::Function,
        _ => Passage::Unknown,
    }
}

/// Functions whose text argument is still the same query.
fn is_wrapper(call: &Call<'_>) -> bool {
    matches!(call.name, "strip" | "dedent" | "text" | "encode" | "decode" | "lstrip" | "rstrip" | "literal" | "cast")
        || call.symbol.ends_with("textwrap.dedent")
}
