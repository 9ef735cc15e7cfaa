//! Taint propagation through calls without a model.

use ruff_python_ast::Expr;

use super::{sanitizers, sources};
use crate::python::ast::last_name;
use crate::python::taint::call::Call;
use crate::python::taint::names;
use crate::python::taint::value::{AbstractValue, TaintKinds, Value};

/// Decoders: harmless characters may decode to dangerous ones.
const DECODERS: &[&str] = &[
    "base64.b64decode",
    "base64.urlsafe_b64decode",
    "base64.standard_b64decode",
    "base64.b32decode",
    "base64.b16decode",
    "base64.b85decode",
    "base64.a85decode",
    "base64.decodebytes",
    "binascii.unhexlify",
    "binascii.a2b_hex",
    "binascii.a2b_base64",
    "bytes.fromhex",
    "bytearray.fromhex",
    "codecs.decode",
    "html.unescape",
    "urllib.parse.unquote",
    "urllib.parse.unquote_plus",
    "urllib.parse.unquote_to_bytes",
];

/// Returns the result of a decoder. Character guards on the input do not hold for the output.
pub(crate) fn decoded(call: &Call<'_>) -> Option<Value> {
    if !DECODERS.contains(&call.symbol.as_str()) {
        return None;
    }
    let given = Value::combined(call.everything());
    let again = |kinds: TaintKinds| match kinds {
        TaintKinds::NONE => TaintKinds::NONE,
        kinds if kinds.intersects(TaintKinds::REMOTE) => TaintKinds::ALL,
        kinds => kinds | sources::LOCAL_TAINT,
    };
    let unknown = if given.is_constant() { TaintKinds::NONE } else { TaintKinds::ALL };
    Some(Value { tainted: again(given.tainted), unknown, ..Value::default() })
}

/// Returns the result of a call without a model.
pub(crate) fn result(call: &Call<'_>, builds_response: bool) -> Value {
    let value = opaque_result(call, builds_response);
    match call.symbol.as_str() {
        "list" if call.everything().next().is_none() => Value::sequence(Vec::new()),
        "dict" if call.everything().next().is_none() => Value::dict(Vec::new()),
        "list" | "dict" | "set" | "tuple" | "frozenset" | "sorted" => {
            Value { content: AbstractValue::Container, ..value }
        }
        _ => value,
    }
}

fn opaque_result(call: &Call<'_>, builds_response: bool) -> Value {
    if verifies_signature(call) {
        // The signer had the key.
        return Value::unknown();
    }
    if returns_rows(call) {
        // A row found by a value is not that value.
        return Value::unknown();
    }
    let answer = if builds_response { TaintKinds::HTML } else { TaintKinds::NONE };
    let sanitized = sanitizers::sanitizes(&call.symbol) | same_host_url(call) | answer;
    let propagation = if sanitized.is_empty() { propagation_of(call) } else { Propagation::Arguments };
    let object = call.receiver.as_ref().filter(|_| propagation != Propagation::Arguments);
    let mut value = Value::combined(propagated_arguments(call, propagation).chain(object));
    value.assembled = propagated_queries(call, propagation).any(|value| value.assembled);
    value.query = propagated_queries(call, propagation).any(|value| value.query);
    value.filter = propagated_queries(call, propagation).any(|value| value.filter);
    value.derived_from_request =
        propagation == Propagation::ObjectAndArguments && object.is_some_and(|object| object.derived_from_request);
    if object.is_some_and(|object| object.from_unknown_call) {
        value = value.downgraded(TaintKinds::SESSION);
    }
    if propagation == Propagation::Unknown {
        value = downgraded_by_name(call, value);
        value.from_unknown_call = !is_request(call.receiver.as_ref());
    }
    value.tainted = value.tainted.minus(sanitized);
    value.unknown = value.unknown.minus(sanitized);
    if is_lookup(call) {
        value.unknown = TaintKinds::ALL;
    }
    if sanitized.intersects(TaintKinds::SQL) {
        value.assembled = false;
    }
    value
}

/// Downgrades the result of a function that is known only by name, because it is unlikely to be the unchanged input.
fn downgraded_by_name(call: &Call<'_>, mut value: Value) -> Value {
    if claims_sanitization(call.name) {
        value = value.downgraded(TaintKinds::ALL);
    } else if is_request(call.receiver.as_ref()) {
        // A method of the request returns parts of the request.
    } else if takes_request(call) {
        value.derived_from_request = !reads_by_name(call);
    } else {
        value = value.downgraded(TaintKinds::HTML | TaintKinds::LOG | TaintKinds::REDIRECT);
        if is_lookup_name(call.name) {
            value = value.downgraded(TaintKinds::SESSION);
        }
    }
    value.unknown = TaintKinds::ALL;
    value
}

/// Returns true if an object derived from the request is asked for one named text.
fn reads_by_name(call: &Call<'_>) -> bool {
    let reads =
        ["get", "param", "header", "cookie", "field", "arg", "query"].iter().any(|word| call.name.contains(word));
    let by_name = call.positional.first().is_some_and(|first| first.as_text().is_some());
    reads && by_name && call.receiver.as_ref().is_some_and(|object| object.derived_from_request)
}

/// Returns the arguments that the result may contain. The key of a look-up is not one of them.
fn propagated_arguments<'c>(call: &'c Call<'_>, propagation: Propagation) -> impl Iterator<Item = &'c Value> {
    let is_lookup = propagation == Propagation::ObjectAndArguments && is_lookup(call);
    let positional = call.positional.iter().skip(usize::from(is_lookup));
    let named = call.named.iter().filter(move |(name, _)| !is_lookup || *name == Some("default"));
    positional.chain(named.map(|(_, value)| value))
}

fn is_lookup(call: &Call<'_>) -> bool {
    call.receiver.is_some() && LOOKUP_METHODS.contains(&call.name) && !is_request(call.positional.first())
}

/// Returns true for names of look-up functions.
fn is_lookup_name(name: &str) -> bool {
    ["get_", "find_", "fetch_", "load_", "lookup_", "select_", "query_", "retrieve_", "authenticate", "login"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// Returns true if a call verifies a signature with a key and returns the signed content.
fn verifies_signature(call: &Call<'_>) -> bool {
    let has_key = call.argument(1, "key").is_some();
    let is_told = ["verify", "options"].iter().any(|name| call.keyword(name).is_some());
    match call.symbol.as_str() {
        "jwt.decode" | "jose.jwt.decode" | "authlib.jose.jwt.decode" => has_key && !is_told && !call.hides_keywords(),
        "django.core.signing.loads" => true,
        symbol => {
            let is_signer = symbol.starts_with("itsdangerous.") || symbol.starts_with("django.core.signing.");
            is_signer && symbol.contains("()") && matches!(call.name, "loads" | "unsign" | "unsign_object")
        }
    }
}

/// Returns true if a call fetches rows from a database or a model with bound values.
fn returns_rows(call: &Call<'_>) -> bool {
    const ROWS: &[&str] = &[
        "filter_by",
        "filter",
        "exclude",
        "where",
        "get_or_404",
        "first_or_404",
        "one_or_404",
        "get_object_or_404",
        "get_list_or_404",
        "get_or_create",
        "update_or_create",
        "find_one",
        "scalar",
        "scalars",
        "scalar_one",
        "scalar_one_or_none",
        "authenticate",
    ];
    let asks = call.positional.first().is_some_and(|first| first.query && first.is_constant());
    let runs = names::executes_query(call.name) || names::may_run_query(call.name) || call.receiver.is_none();
    if asks && runs {
        return true;
    }
    let builtin = call.receiver.is_none() && call.symbol == "filter";
    let by_model = call.name == "get" && call.receiver.as_ref().is_some_and(|receiver| is_model(call, receiver));
    names::executes_query(call.name)
        || by_model
        || sources::sends_request(&call.symbol)
        || ROWS.contains(&call.name) && !builtin
}

/// Recognises `Model.objects`, `Model.query` and `db.session`.
fn is_model(call: &Call<'_>, receiver: &Value) -> bool {
    let Expr::Attribute(method) = &*call.expr.func else { return false };
    let object = last_name(&method.value);
    let model = matches!(object, "objects" | "query" | "_default_manager");
    model || matches!(object, "session" | "db") && call.positional.len() == 2 && receiver.tainted.is_empty()
}

/// Returns `REDIRECT` for request methods that return a URL of this site.
fn same_host_url(call: &Call<'_>) -> TaintKinds {
    let own = matches!(call.name, "get_full_path" | "get_full_path_info" | "build_absolute_uri");
    let is_request = is_request(call.receiver.as_ref());
    let given = call.everything().any(|value| value.tainted.intersects(TaintKinds::REDIRECT));
    if own && is_request && !given { TaintKinds::REDIRECT } else { TaintKinds::NONE }
}

fn is_request(value: Option<&Value>) -> bool {
    value.is_some_and(|value| sources::is_request(value.symbol()))
}

/// Returns the values that the result may contain unchanged. The key of a look-up selects a query and does not become
/// part of it.
fn propagated_queries<'c>(call: &'c Call<'_>, propagation: Propagation) -> impl Iterator<Item = &'c Value> {
    let wraps = is_wrapper(call);
    let key = match (&call.receiver, call.symbol.as_str()) {
        (_, "getattr") => Some(1),
        (Some(_), _) if LOOKUP_METHODS.contains(&call.name) => Some(0),
        (Some(_) | None, _) => None,
    };
    let object = call.receiver.iter().filter(move |_| propagation != Propagation::Arguments);
    let positional = call.positional.iter().enumerate().filter(move |(at, _)| Some(*at) != key).map(|(_, value)| value);
    let all = object.chain(positional).chain(call.named.iter().map(|(_, value)| value));
    let runs = names::executes_query(call.name) || names::may_run_query(call.name) || claims_sanitization(call.name);
    // An unknown function may return the query it received, unless it returns rows.
    let passes =
        move |value: &&Value| wraps || propagation != Propagation::Unknown || value.query && value.assembled && !runs;
    all.filter(passes)
}

/// The inputs that a call's result is derived from.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Propagation {
    /// The arguments.
    Arguments,
    /// The object and the arguments.
    ObjectAndArguments,
    Unknown,
}

/// Returns true for names that projects give to validated values.
fn claims_sanitization(name: &str) -> bool {
    // `safe_load` creates no objects, but returns any text.
    let parses = name.contains("load") || name.contains("parse");
    name.contains("safe") && !name.contains("unsafe") && !parses
        || name.contains("sanitize")
        || name.contains("validated")
}

/// Returns true if a call receives the request or one of its collections, or is a method of an object derived from it.
fn takes_request(call: &Call<'_>) -> bool {
    let mut given = call.everything().chain(&call.receiver);
    given.any(|value| {
        value.derived_from_request || sources::is_request(value.symbol()) || sources::is_part_of_request(value.symbol())
    })
}

/// Methods whose result is derived from their object and arguments, on any object.
const PROPAGATING_METHODS: &[&str] = &[
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
    "groupdict",
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

/// Methods of these whose first argument is a key.
const LOOKUP_METHODS: &[&str] = &[
    "get",
    "getlist",
    "getall",
    "get_all",
    "pop",
    "setdefault",
    "group",
    "get_argument",
    "get_query_argument",
    "get_body_argument",
    "get_cookie",
    "getfirst",
];

/// Functions whose result is derived from their arguments.
const PROPAGATING_FUNCTIONS: &[&str] = &[
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
    "yaml.safe_load",
    "yaml.safe_load_all",
    "tomllib.loads",
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

/// Returns the propagation of a call.
fn propagation_of(call: &Call<'_>) -> Propagation {
    match &call.receiver {
        // The `get` method of a view receives the request.
        Some(_) if PROPAGATING_METHODS.contains(&call.name) && !is_request(call.positional.first()) => {
            Propagation::ObjectAndArguments
        }
        _ if PROPAGATING_FUNCTIONS.contains(&call.symbol.as_str()) => Propagation::Arguments,
        _ => Propagation::Unknown,
    }
}

/// Returns true for functions that return their text argument as the same query.
fn is_wrapper(call: &Call<'_>) -> bool {
    matches!(call.name, "dedent" | "cleandoc" | "text" | "literal" | "cast" | "SQL" | "DDL")
        || call.symbol.ends_with("textwrap.dedent")
}
