//! Where outside data enters a Python program, and what takes the danger out of it.

use crate::python::taint::call::Call;
use crate::python::taint::value::{TaintKinds, Value};

/// Symbols that stand for the current request.
const REQUEST_SYMBOLS: &[&str] = &[
    "request",
    "flask.request",
    "bottle.request",
    "quart.request",
    "sanic.request",
    "self.request",
    "cherrypy.request",
    "web.input()",
    "pyramid.request",
    "starlette.requests.Request",
    "fastapi.Request",
    "django.http.HttpRequest",
    "flask.Request",
];

/// Attributes of a request that a client cannot fill with text of its choice.
const SAFE_REQUEST_ATTRIBUTES: &[&str] = &[
    "method",
    // What matched the route is the application's own choice.
    "path",
    "endpoint",
    "blueprint",
    "is_secure",
    "is_ajax",
    "is_json",
    "user",
    "session",
    "app",
    "state",
    "site",
    "content_length",
    "remote_addr",
    "url_rule",
    "scheme",
    "client",
    "auth",
    "routes",
    "dbsession",
    "registry",
];

/// Attributes of a request that are addresses on the host that was asked, or of the page that the user comes from.
const SAME_HOST_ATTRIBUTES: &[&str] = &[
    "referrer",
    "url",
    "full_path",
    "base_url",
    "url_root",
    "root_url",
    "host_url",
    "script_root",
    "root_path",
    "path_info",
];

/// Attributes of a request that hold all of one kind that a client sent.
const REQUEST_COLLECTIONS: &[&str] = &[
    "args",
    "form",
    "values",
    "GET",
    "POST",
    "data",
    "json",
    "files",
    "FILES",
    "cookies",
    "COOKIES",
    "headers",
    "META",
    "query_params",
    "path_params",
    "body",
];

/// What a person at the keyboard, or whoever starts the program, controls: paths and addresses are theirs to choose.
pub(crate) const LOCAL_TAINT: TaintKinds = TaintKinds::SQL
    .union(TaintKinds::SHELL)
    .union(TaintKinds::CODE)
    .union(TaintKinds::OBJECT)
    .union(TaintKinds::TEMPLATE)
    .union(TaintKinds::LDAP)
    .union(TaintKinds::XPATH)
    .union(TaintKinds::XML)
    .union(TaintKinds::ATTRIBUTE);

/// Whether a symbol is the request itself.
pub(crate) fn is_request(symbol: &str) -> bool {
    REQUEST_SYMBOLS.contains(&symbol)
}

/// Returns whether a symbol is the request or comes by it.
pub(crate) fn is_from_request(symbol: &str) -> bool {
    REQUEST_SYMBOLS
        .iter()
        .any(|request| symbol.strip_prefix(request).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// Returns whether a symbol is all of one kind that a request holds.
pub(crate) fn is_part_of_request(symbol: &str) -> bool {
    symbol.rsplit_once('.').is_some_and(|(owner, part)| REQUEST_COLLECTIONS.contains(&part) && is_request(owner))
}

/// Returns whether a part of a request and a key in it give the page that the user comes from.
pub(crate) fn is_referrer_key(part: &str, key: &str) -> bool {
    let headers = part.rsplit_once('.').filter(|(owner, _)| is_request(owner)).map(|(_, part)| part);
    match headers {
        Some("META") => key == "HTTP_REFERER",
        Some("headers") => key.eq_ignore_ascii_case("referer"),
        Some(_) | None => false,
    }
}

/// Returns whether a call reads the page that the user comes from: `request.META.get("HTTP_REFERER")`.
pub(crate) fn is_referrer(call: &Call<'_>) -> bool {
    let Some(receiver) = call.receiver.as_ref().filter(|_| call.name == "get") else { return false };
    call.positional.first().and_then(Value::as_text).is_some_and(|key| is_referrer_key(receiver.symbol(), key))
}

/// The page that the user comes from.
pub(crate) fn referrer() -> Value {
    Value::tainted(TaintKinds::ALL).sanitized(TaintKinds::REDIRECT)
}

/// The value of a symbol that is a source, or of an attribute of one.
pub(crate) fn source_value(symbol: &str) -> Option<Value> {
    if is_request(symbol) {
        return Some(Value::tainted(TaintKinds::ALL).with_symbol(symbol));
    }
    if let Some((owner, attribute)) = symbol.rsplit_once('.')
        && is_request(owner)
    {
        let value = if SAFE_REQUEST_ATTRIBUTES.contains(&attribute) {
            Value::unknown()
        } else if SAME_HOST_ATTRIBUTES.contains(&attribute) {
            Value::tainted(TaintKinds::ALL).sanitized(TaintKinds::REDIRECT)
        } else {
            Value::tainted(TaintKinds::ALL)
        };
        return Some(value.with_symbol(symbol));
    }
    match symbol {
        "sys.argv" => Some(Value::tainted(LOCAL_TAINT | TaintKinds::ARGUMENT).with_symbol(symbol)),
        "os.environ" | "os.environb" => Some(Value::tainted(LOCAL_TAINT).with_symbol(symbol)),
        _ => None,
    }
}

/// The result of a call that reads outside data.
pub(crate) fn source_call(symbol: &str) -> Option<Value> {
    let value = match symbol {
        "input" | "raw_input" | "builtins.input" | "web.input" | "click.prompt" | "streamlit.text_input" => {
            Value::tainted(TaintKinds::ALL)
        }
        "sys.stdin.read" | "sys.stdin.readline" | "sys.stdin.readlines" | "sys.stdin.buffer.read" => {
            Value::tainted(TaintKinds::ALL)
        }
        "os.getenv" | "os.environ.get" => Value::tainted(LOCAL_TAINT),
        "argparse.ArgumentParser().parse_args" => Value::tainted(LOCAL_TAINT | TaintKinds::ARGUMENT),
        "cgi.FieldStorage" => Value::tainted(TaintKinds::ALL),
        "socket.socket().recv"
        | "socket.socket().recvfrom"
        | "websocket.recv"
        | "websocket.receive_text"
        | "websocket.receive_json" => Value::tainted(TaintKinds::ALL),
        _ => return None,
    };
    Some(value)
}

/// Returns whether a call asks another server, whose answer is not what it was asked.
pub(crate) fn asks_server(symbol: &str) -> bool {
    let (module, function) = symbol.split_once('.').unwrap_or((symbol, ""));
    match module {
        "requests" | "httpx" => matches!(
            function.rsplit('.').next(),
            Some("get" | "post" | "put" | "patch" | "delete" | "head" | "options" | "request" | "send" | "stream")
        ),
        "urllib" => function == "request.urlopen",
        _ => false,
    }
}
