//! Models of sanitizers: conversions, format checks and escaping.

use crate::python::taint::value::{TaintKinds, Value};

/// Calls whose result cannot carry chosen text: numbers, truth values, digests, fresh identifiers.
const HARMLESS_CALLS: &[&str] = &[
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

/// Conversions to a chosen number. The result cannot inject text, but is not a constant of a query.
const NUMBER_CONVERSIONS: &[&str] = &["int", "float", "round", "abs", "complex"];

/// Returns the result of a number conversion. A query should take the number as a parameter.
pub(crate) fn number_call(symbol: &str) -> Option<Value> {
    NUMBER_CONVERSIONS.contains(&symbol).then(number)
}

/// Returns true if a function converts text to numbers, identifiers or dates.
pub(crate) fn converts(symbol: &str) -> bool {
    NUMBER_CONVERSIONS.contains(&symbol) || symbol == "bool" || refuses_text(symbol)
}

pub(crate) fn number() -> Value {
    Value { unknown: TaintKinds::SQL, ..Value::clean() }
}

/// Returns true if a call fails on anything but a number, an IP address, an identifier or a date.
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

/// Returns true if the result of a call cannot carry chosen text.
pub(crate) fn is_harmless_call(symbol: &str) -> bool {
    HARMLESS_CALLS.contains(&symbol)
}

/// Methods that return a number or a truth value on any object.
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

/// Returns the taint kinds that a call removes.
pub(crate) fn sanitizes(symbol: &str) -> TaintKinds {
    match symbol {
        "shlex.quote" | "pipes.quote" => TaintKinds::SHELL,
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
        | "send_file" => TaintKinds::HTML.union(TaintKinds::XML),
        "json.dumps" => TaintKinds::HTML.union(TaintKinds::XML).union(TaintKinds::LOG).union(TaintKinds::MAIL),
        // An in-memory file has no path.
        "io.BytesIO" | "io.StringIO" => TaintKinds::PATH,
        "urllib.parse.quote" | "urllib.parse.quote_plus" | "urllib.parse.urlencode" | "urllib.quote" => {
            TaintKinds::HTML.union(TaintKinds::REDIRECT).union(TaintKinds::LOG)
        }
        "os.path.basename"
        | "werkzeug.utils.secure_filename"
        | "secure_filename"
        | "ntpath.basename"
        | "posixpath.basename"
        | "django.utils.text.get_valid_filename"
        | "werkzeug.security.safe_join"
        | "flask.safe_join"
        | "pathlib.Path().name" => TaintKinds::PATH,
        "ldap.filter.escape_filter_chars"
        | "ldap3.utils.conv.escape_filter_chars"
        | "escape_filter_chars"
        | "ldap.dn.escape_dn_chars" => TaintKinds::LDAP,
        "re.escape" => TaintKinds::REGEX,
        "ast.literal_eval" => TaintKinds::CODE.union(TaintKinds::OBJECT),
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
        | "sqlalchemy.sql.quoted_name" => TaintKinds::SQL,
        _ => sanitizes_by_name(symbol),
    }
}

/// Recognises a project's own escaping functions by name.
fn sanitizes_by_name(symbol: &str) -> TaintKinds {
    let name = symbol.rsplit('.').next().unwrap_or(symbol).to_ascii_lowercase();
    if name.contains("escape") && (name.contains("html") || name.contains("markup")) || name.contains("sanitize_html") {
        TaintKinds::HTML
    } else if name.contains("escape") && name.contains("xpath") {
        TaintKinds::XPATH
    } else if name.contains("escape") && name.contains("ldap") {
        TaintKinds::LDAP
    } else if matches!(name.as_str(), "quote_ident" | "quote_identifier" | "quote_name") {
        TaintKinds::SQL
    } else {
        TaintKinds::NONE
    }
}
