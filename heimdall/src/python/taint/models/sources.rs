//! Models of sources: expressions and calls that return external data.

use crate::python::taint::call::Call;
use crate::python::taint::value::{TaintKinds, Value};

/// Symbols of the current request.
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

/// Request attributes that a client cannot fill with chosen text.
const SAFE_REQUEST_ATTRIBUTES: &[&str] = &[
    "method",
    // The matched route is one that the application defined.
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

/// Request attributes that are URLs of the requested host or of the referring page.
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

/// Request attributes that hold all client data of one kind.
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

/// Kinds for which data of the user who starts the program is tainted. Paths and URLs are not among them, because this
/// user may choose them.
pub(crate) const LOCAL_TAINT: TaintKinds = TaintKinds::SQL
    .union(TaintKinds::SHELL)
    .union(TaintKinds::CODE)
    .union(TaintKinds::OBJECT)
    .union(TaintKinds::TEMPLATE)
    .union(TaintKinds::LDAP)
    .union(TaintKinds::XPATH)
    .union(TaintKinds::XML)
    .union(TaintKinds::ATTRIBUTE);

/// Returns true if a symbol is the request.
pub(crate) fn is_request(symbol: &str) -> bool {
    REQUEST_SYMBOLS.contains(&symbol)
}

/// Returns true if a symbol is the request or an attribute of it.
pub(crate) fn is_from_request(symbol: &str) -> bool {
    REQUEST_SYMBOLS
        .iter()
        .any(|request| symbol.strip_prefix(request).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// Returns true if a symbol is a collection of the request, such as `request.args`.
pub(crate) fn is_part_of_request(symbol: &str) -> bool {
    symbol.rsplit_once('.').is_some_and(|(owner, part)| REQUEST_COLLECTIONS.contains(&part) && is_request(owner))
}

/// Returns true if a collection of the request and a key name the referring page.
pub(crate) fn is_referrer_key(part: &str, key: &str) -> bool {
    let headers = part.rsplit_once('.').filter(|(owner, _)| is_request(owner)).map(|(_, part)| part);
    match headers {
        Some("META") => key == "HTTP_REFERER",
        Some("headers") => key.eq_ignore_ascii_case("referer"),
        Some(_) | None => false,
    }
}

/// Returns true if a call reads the referring page: `request.META.get("HTTP_REFERER")`.
pub(crate) fn is_referrer(call: &Call<'_>) -> bool {
    let Some(receiver) = call.receiver.as_ref().filter(|_| call.name == "get") else { return false };
    call.positional.first().and_then(Value::as_text).is_some_and(|key| is_referrer_key(receiver.symbol(), key))
}

/// Returns the URL of the referring page, which is safe for redirects.
pub(crate) fn referrer() -> Value {
    Value::tainted(TaintKinds::ALL).sanitized(TaintKinds::REDIRECT)
}

/// Returns the value of a source symbol or of an attribute of one.
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

/// Returns the result of a call that reads external data.
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

/// Returns true if a call sends a request to another server. The response does not contain the arguments.
pub(crate) fn sends_request(symbol: &str) -> bool {
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
