//! What calls of functions that are known by name alone, or not at all, give back of what went in.

use super::calls::Call;
use super::sinks;
use super::sources;
use super::value::{Uses, Value};

/// The result of a call that nothing more is known of.
pub(super) fn result(call: &Call<'_>) -> Value {
    let cleared = sources::sanitizes(&call.symbol);
    let passage = if cleared.is_empty() { passage(call) } else { Passage::Function };
    let object = call.receiver.as_ref().filter(|_| passage != Passage::Function);
    let mut value = Value::mixed(call.everything().chain(object));
    value.assembled = queries(call, passage).any(|value| value.assembled);
    value.query = queries(call, passage).any(|value| value.query);
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

/// What may be in the result as the text it is. The key of a look-up is not: that makes no query, it chooses one.
fn queries<'c>(call: &'c Call<'_>, passage: Passage) -> impl Iterator<Item = &'c Value> {
    let wraps = is_wrapper(call);
    let key = match (&call.receiver, call.symbol.as_str()) {
        (_, "getattr") => Some(1),
        (Some(_), _) if LOOK_UPS.contains(&call.name) => Some(0),
        (Some(_) | None, _) => None,
    };
    let object = call.receiver.iter().filter(move |_| passage != Passage::Function);
    let positional = call.positional.iter().enumerate().filter(move |(at, _)| Some(*at) != key).map(|(_, value)| value);
    let all = object.chain(positional).chain(call.named.iter().map(|(_, value)| value));
    let runs = sinks::executes(call.name) || sinks::fetches(call.name) || claims_safety(call.name);
    // A function that is not known may still give back the query it got, unless what it gives back are rows.
    let passes = move |value: &&Value| wraps || passage != Passage::Unknown || value.query && value.assembled && !runs;
    all.filter(passes)
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

/// Those of them whose first argument is a key.
const LOOK_UPS: &[&str] = &[
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
    matches!(call.name, "dedent" | "cleandoc" | "text" | "literal" | "cast" | "SQL" | "DDL")
        || call.symbol.ends_with("textwrap.dedent")
}
