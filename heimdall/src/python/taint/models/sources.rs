//! Where outside data enters a Python program, and what takes the danger out of it.

use crate::python::taint::calls::Call;
use crate::python::taint::value::{Uses, Value};

/// Symbols that stand for the current request.
const REQUESTS: &[&str] = &[
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
const OWN_ADDRESSES: &[&str] = &[
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
const PARTS: &[&str] = &[
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
pub(crate) const LOCAL: Uses = Uses::SQL
    .union(Uses::SHELL)
    .union(Uses::CODE)
    .union(Uses::OBJECT)
    .union(Uses::TEMPLATE)
    .union(Uses::LDAP)
    .union(Uses::XPATH)
    .union(Uses::XML)
    .union(Uses::ATTRIBUTE);

/// Whether a symbol is the request itself.
pub(crate) fn is_request(symbol: &str) -> bool {
    REQUESTS.contains(&symbol)
}

/// Returns whether a symbol is the request or comes by it.
pub(crate) fn is_from_request(symbol: &str) -> bool {
    REQUESTS
        .iter()
        .any(|request| symbol.strip_prefix(request).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// Returns whether a symbol is all of one kind that a request holds.
pub(crate) fn is_part_of_request(symbol: &str) -> bool {
    symbol.rsplit_once('.').is_some_and(|(owner, part)| PARTS.contains(&part) && is_request(owner))
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
    Value::tainted(Uses::ALL).cleared(Uses::REDIRECT)
}

/// The value of a symbol that is a source, or of an attribute of one.
pub(crate) fn source_value(symbol: &str) -> Option<Value> {
    if is_request(symbol) {
        return Some(Value::tainted(Uses::ALL).with_symbol(symbol));
    }
    if let Some((owner, attribute)) = symbol.rsplit_once('.')
        && is_request(owner)
    {
        let value = if SAFE_REQUEST_ATTRIBUTES.contains(&attribute) {
            Value::unknown()
        } else if OWN_ADDRESSES.contains(&attribute) {
            Value::tainted(Uses::ALL).cleared(Uses::REDIRECT)
        } else {
            Value::tainted(Uses::ALL)
        };
        return Some(value.with_symbol(symbol));
    }
    match symbol {
        "sys.argv" => Some(Value::tainted(LOCAL | Uses::ARGUMENT).with_symbol(symbol)),
        "os.environ" | "os.environb" => Some(Value::tainted(LOCAL).with_symbol(symbol)),
        _ => None,
    }
}

/// The result of a call that reads outside data.
pub(crate) fn source_call(symbol: &str) -> Option<Value> {
    let value = match symbol {
        "input" | "raw_input" | "builtins.input" | "web.input" | "click.prompt" | "streamlit.text_input" => {
            Value::tainted(Uses::ALL)
        }
        "sys.stdin.read" | "sys.stdin.readline" | "sys.stdin.readlines" | "sys.stdin.buffer.read" => {
            Value::tainted(Uses::ALL)
        }
        "os.getenv" | "os.environ.get" => Value::tainted(LOCAL),
        "argparse.ArgumentParser().parse_args" => Value::tainted(LOCAL | Uses::ARGUMENT),
        "cgi.FieldStorage" => Value::tainted(Uses::ALL),
        "socket.socket().recv"
        | "socket.socket().recvfrom"
        | "websocket.recv"
        | "websocket.receive_text"
        | "websocket.receive_json" => Value::tainted(Uses::ALL),
        _ => return None,
    };
    Some(value)
}

/// Calls whose result can carry no text of anybody's choice: numbers, truth values, digests, fresh identifiers.
const HARMLESS: &[&str] = &[
    "len",
    "bool",
    "ord",
    "hash",
    "id",
    "isinstance",
    "issubclass",
    "callable",
    "hasattr",
    "divmod",
    "pow",
    "range",
    "uuid.UUID",
    "uuid.uuid4",
    "uuid.uuid1",
    "decimal.Decimal",
    "time.time",
    "time.monotonic",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.date.today",
    "secrets.token_hex",
    "secrets.token_urlsafe",
    "secrets.token_bytes",
    "ipaddress.ip_address",
    "ipaddress.IPv4Address",
    "ipaddress.ip_network",
    "os.getpid",
    "os.path.exists",
    "os.path.isfile",
    "os.path.isdir",
    "tempfile.mkdtemp",
    "tempfile.gettempdir",
    "os.getcwd",
    "os.path.getsize",
    "flask.url_for",
    "url_for",
    "django.urls.reverse",
    "reverse",
    "random.random",
    "random.randint",
    "hashlib.sha256().hexdigest",
    "hashlib.md5().hexdigest",
    "hashlib.sha1().hexdigest",
];

/// Calls that make a number of somebody's choice: harmless wherever text does harm, yet no constant of a query.
const NUMBERS: &[&str] = &["int", "float", "round", "abs", "complex"];

/// A number of somebody's choice. A query assembled with one should be parameterised all the same.
pub(crate) fn number_call(symbol: &str) -> Option<Value> {
    NUMBERS.contains(&symbol).then(number)
}

/// Returns whether a function makes nothing but numbers, identifiers or dates of texts.
pub(crate) fn converts(symbol: &str) -> bool {
    NUMBERS.contains(&symbol) || symbol == "bool" || refuses_text(symbol)
}

pub(crate) fn number() -> Value {
    Value { unknown: Uses::SQL, ..Value::clean() }
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

/// Returns whether a call fails on anything but a number, an address, an identifier or a date.
pub(crate) fn refuses_text(symbol: &str) -> bool {
    matches!(
        symbol,
        "uuid.UUID"
            | "decimal.Decimal"
            | "ipaddress.ip_address"
            | "ipaddress.IPv4Address"
            | "ipaddress.ip_network"
            | "ipaddress.IPv4Network"
            | "datetime.datetime.strptime"
            | "datetime.datetime.fromisoformat"
            | "datetime.date.fromisoformat"
    )
}

/// Whether a call's result can carry no text of anybody's choice.
pub(crate) fn is_harmless_call(symbol: &str) -> bool {
    HARMLESS.contains(&symbol)
}

/// Methods whose result is a number or a truth value, whatever the object.
pub(crate) fn is_harmless_method(name: &str) -> bool {
    matches!(
        name,
        "find"
            | "rfind"
            | "index"
            | "rindex"
            | "count"
            | "isdigit"
            | "isalnum"
            | "isalpha"
            | "isnumeric"
            | "isdecimal"
            | "isidentifier"
            | "startswith"
            | "endswith"
            | "exists"
            | "is_file"
            | "is_dir"
            | "bit_length"
            | "timestamp"
            | "hexdigest"
            | "rowcount"
            | "url_for"
            | "url_path_for"
    )
}

/// The uses for which a call's result is safe, whatever went in.
pub(crate) fn sanitizes(symbol: &str) -> Uses {
    match symbol {
        "shlex.quote" | "pipes.quote" => Uses::SHELL,
        "html.escape"
        | "markupsafe.escape"
        | "flask.escape"
        | "cgi.escape"
        | "bleach.clean"
        | "nh3.clean"
        | "django.utils.html.escape"
        | "django.utils.html.conditional_escape"
        | "django.utils.html.strip_tags"
        | "xml.sax.saxutils.escape"
        | "jinja2.escape"
        | "django.utils.html.format_html"
        | "flask.render_template"
        | "render_template"
        | "django.shortcuts.render"
        | "render"
        | "flask.jsonify"
        | "jsonify"
        | "markupsafe.Markup().striptags"
        | "markupsafe.Markup().format"
        | "escape"
        | "flask.redirect"
        | "flask.send_file"
        | "send_file" => Uses::HTML.union(Uses::XML),
        "json.dumps" => Uses::HTML.union(Uses::XML).union(Uses::LOG).union(Uses::MAIL),
        // A file in memory.
        "io.BytesIO" | "io.StringIO" => Uses::PATH,
        "urllib.parse.quote" | "urllib.parse.quote_plus" | "urllib.parse.urlencode" | "urllib.quote" => {
            Uses::HTML.union(Uses::REDIRECT).union(Uses::LOG)
        }
        "os.path.basename"
        | "werkzeug.utils.secure_filename"
        | "secure_filename"
        | "ntpath.basename"
        | "posixpath.basename"
        | "django.utils.text.get_valid_filename"
        | "werkzeug.security.safe_join"
        | "flask.safe_join"
        | "pathlib.Path().name" => Uses::PATH,
        "ldap.filter.escape_filter_chars"
        | "ldap3.utils.conv.escape_filter_chars"
        | "escape_filter_chars"
        | "ldap.dn.escape_dn_chars" => Uses::LDAP,
        "re.escape" => Uses::REGEX,
        "ast.literal_eval" => Uses::CODE.union(Uses::OBJECT),
        "psycopg2.sql.SQL().format"
        | "psycopg.sql.SQL().format"
        | "psycopg2.sql.Identifier"
        | "psycopg.sql.Identifier"
        | "psycopg2.sql.Literal"
        | "psycopg.sql.Literal"
        | "sqlalchemy.bindparam"
        | "sqlalchemy.select"
        | "sqlalchemy.insert"
        | "sqlalchemy.update"
        | "sqlalchemy.delete"
        | "sqlalchemy.sql.quoted_name" => Uses::SQL,
        _ => sanitizes_by_name(symbol),
    }
}

/// Project's own escaping functions, judged by their names.
fn sanitizes_by_name(symbol: &str) -> Uses {
    let name = symbol.rsplit('.').next().unwrap_or(symbol).to_ascii_lowercase();
    if name.contains("escape") && (name.contains("html") || name.contains("markup")) || name.contains("sanitize_html") {
        Uses::HTML
    } else if name.contains("escape") && name.contains("xpath") {
        Uses::XPATH
    } else if name.contains("escape") && name.contains("ldap") {
        Uses::LDAP
    } else if matches!(name.as_str(), "quote_ident" | "quote_identifier" | "quote_name") {
        Uses::SQL
    } else {
        Uses::NONE
    }
}
