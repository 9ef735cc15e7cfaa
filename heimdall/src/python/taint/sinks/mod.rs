//! Calls that data from outside must not reach, as a table, and the query sinks that the table cannot describe.

pub(crate) mod responses;

use std::collections::HashMap;
use std::sync::LazyLock;

use ruff_python_ast::Expr;
use ruff_text_size::TextRange;

use super::calls::Call;
use super::interpreter::{DOUBTFUL, Interpreter, SURE};
use super::value::{Shape, Uses, Value};
use crate::python::checks::performance::last_name;
use crate::python::taint::models::sources;
use crate::report::Severity::{self, Critical, High, Low, Medium};
use crate::rules::{self, Rule};

/// Position of an argument that only a keyword names.
const NO_POSITION: usize = usize::MAX;

/// A dangerous argument of some functions.
struct Sink {
    functions: &'static [&'static str],
    position: usize,
    keyword: &'static str,
    harm: Uses,
    rule: &'static Rule,
    /// Severity for data known to come from outside.
    tainted: Severity,
    /// Severity for data of unknown origin; none where that is too common to tell.
    unknown: Option<Severity>,
}

const fn sink(
    functions: &'static [&'static str],
    (position, keyword): (usize, &'static str),
    harm: Uses,
    rule: &'static Rule,
    tainted: Severity,
    unknown: Option<Severity>,
) -> Sink {
    Sink { functions, position, keyword, harm, rule, tainted, unknown }
}

static SINKS: &[Sink] = &[
    sink(
        &[
            "os.system",
            "os.popen",
            "os.popen2",
            "os.popen3",
            "os.popen4",
            "popen2.popen2",
            "commands.getoutput",
            "commands.getstatusoutput",
            "subprocess.getoutput",
            "subprocess.getstatusoutput",
            "asyncio.create_subprocess_shell",
            "pty.spawn",
        ],
        (0, "command"),
        Uses::SHELL,
        &rules::COMMAND_INJECTION,
        Critical,
        Some(Medium),
    ),
    sink(
        &[
            "os.execl",
            "os.execle",
            "os.execlp",
            "os.execv",
            "os.execve",
            "os.execvp",
            "os.execvpe",
            "os.spawnl",
            "os.spawnlp",
            "os.spawnv",
            "os.spawnvp",
            "os.startfile",
            "asyncio.create_subprocess_exec",
        ],
        (0, "path"),
        Uses::SHELL,
        &rules::COMMAND_INJECTION,
        High,
        None,
    ),
    sink(
        &["eval", "builtins.eval", "exec", "builtins.exec"],
        (0, "source"),
        Uses::CODE,
        &rules::CODE_INJECTION,
        Critical,
        Some(Medium),
    ),
    sink(
        &["compile", "builtins.compile", "code.InteractiveInterpreter().runsource", "execfile"],
        (0, "source"),
        Uses::CODE,
        &rules::CODE_INJECTION,
        High,
        Some(Medium),
    ),
    sink(
        &["__import__", "importlib.import_module", "runpy.run_module", "runpy.run_path"],
        (0, "name"),
        Uses::CODE,
        &rules::CODE_INJECTION,
        High,
        None,
    ),
    sink(
        &[
            "pickle.loads",
            "pickle.load",
            "pickle.Unpickler",
            "cPickle.loads",
            "cPickle.load",
            "_pickle.loads",
            "dill.loads",
            "dill.load",
            "cloudpickle.loads",
            "cloudpickle.load",
            "marshal.loads",
            "marshal.load",
            "jsonpickle.decode",
            "shelve.open",
            "joblib.load",
            "pandas.read_pickle",
            "torch.load",
            "numpy.lib.npyio.load",
        ],
        (0, "data"),
        Uses::OBJECT,
        &rules::DESERIALIZATION,
        Critical,
        Some(Medium),
    ),
    sink(
        &[
            "open",
            "builtins.open",
            "io.open",
            "codecs.open",
            "os.open",
            "os.remove",
            "os.unlink",
            "os.rmdir",
            "os.listdir",
            "os.scandir",
            "os.makedirs",
            "os.mkdir",
            "os.stat",
            "shutil.rmtree",
            "shutil.copy",
            "shutil.copyfile",
            "shutil.move",
            "aiofiles.open",
            "tarfile.open",
            "zipfile.ZipFile",
            "flask.send_file",
            "send_file",
            "fastapi.responses.FileResponse",
            "FileResponse",
            "starlette.responses.FileResponse",
            "django.http.FileResponse",
            "bottle.static_file",
            "linecache.getline",
            "os.path.exists",
            "os.path.isfile",
        ],
        (0, "file"),
        Uses::PATH,
        &rules::PATH_TRAVERSAL,
        High,
        None,
    ),
    sink(
        &["os.rename", "os.replace", "shutil.copy", "shutil.copyfile", "shutil.move", "os.symlink", "os.link"],
        (1, "dst"),
        Uses::PATH,
        &rules::PATH_TRAVERSAL,
        High,
        None,
    ),
    sink(
        &["flask.send_from_directory", "send_from_directory"],
        (0, "directory"),
        Uses::PATH,
        &rules::PATH_TRAVERSAL,
        High,
        None,
    ),
    sink(
        &[
            "requests.get",
            "requests.post",
            "requests.put",
            "requests.patch",
            "requests.delete",
            "requests.head",
            "requests.options",
            "urllib.request.urlopen",
            "urllib.request.Request",
            "urllib.request.urlretrieve",
            "urllib2.urlopen",
            "urllib.urlopen",
            "httpx.get",
            "httpx.post",
            "httpx.put",
            "httpx.delete",
            "httpx.head",
            "httpx.stream",
            "requests.Session().get",
            "requests.Session().post",
            "requests.session().get",
            "httpx.Client().get",
            "httpx.AsyncClient().get",
            "httpx.AsyncClient().post",
            "aiohttp.ClientSession().get",
            "aiohttp.ClientSession().post",
            "http.client.HTTPConnection",
            "http.client.HTTPSConnection",
            "wget.download",
            "socket.create_connection",
        ],
        (0, "url"),
        Uses::URL,
        &rules::SSRF,
        High,
        None,
    ),
    sink(
        &[
            "requests.request",
            "httpx.request",
            "requests.Session().request",
            "aiohttp.ClientSession().request",
            "urllib3.PoolManager().request",
            "http.client.HTTPSConnection().request",
        ],
        (1, "url"),
        Uses::URL,
        &rules::SSRF,
        High,
        None,
    ),
    sink(
        &[
            "flask.redirect",
            "redirect",
            "django.shortcuts.redirect",
            "django.http.HttpResponseRedirect",
            "HttpResponseRedirect",
            "fastapi.responses.RedirectResponse",
            "starlette.responses.RedirectResponse",
            "RedirectResponse",
            "werkzeug.utils.redirect",
            "bottle.redirect",
        ],
        (0, "location"),
        Uses::REDIRECT,
        &rules::OPEN_REDIRECT,
        Medium,
        None,
    ),
    sink(
        &["flask.render_template_string", "render_template_string"],
        (0, "source"),
        Uses::TEMPLATE,
        &rules::TEMPLATE_INJECTION,
        High,
        Some(Medium),
    ),
    sink(
        &[
            "jinja2.Template",
            "jinja2.Environment().from_string",
            "mako.template.Template",
            "django.template.Template",
            "tornado.template.Template",
            "bottle.template",
        ],
        (0, "source"),
        Uses::TEMPLATE,
        &rules::TEMPLATE_INJECTION,
        High,
        Some(Low),
    ),
    sink(
        &[
            "flask.make_response",
            "make_response",
            "flask.Response",
            "werkzeug.wrappers.Response",
            "werkzeug.Response",
            "quart.Response",
            "django.http.HttpResponse",
            "HttpResponse",
            "fastapi.responses.HTMLResponse",
            "HTMLResponse",
            "starlette.responses.HTMLResponse",
            "django.utils.safestring.mark_safe",
            "mark_safe",
            "flask.Markup",
            "markupsafe.Markup",
            "Markup",
        ],
        (0, "content"),
        Uses::HTML,
        &rules::XSS,
        High,
        None,
    ),
    sink(&["aiohttp.web.Response"], (NO_POSITION, "text"), Uses::HTML, &rules::XSS, High, None),
    sink(&["aiohttp.web.Response"], (NO_POSITION, "body"), Uses::HTML, &rules::XSS, High, None),
    sink(
        &[
            "lxml.etree.parse",
            "lxml.etree.fromstring",
            "lxml.etree.XML",
            "xml.etree.ElementTree.parse",
            "xml.etree.ElementTree.fromstring",
            "xml.etree.ElementTree.XML",
            "xml.etree.ElementTree.iterparse",
            "xml.etree.cElementTree.parse",
            "xml.dom.pulldom.parseString",
            "xml.sax.parse",
            "xml.sax.parseString",
            "xmltodict.parse",
        ],
        (0, "source"),
        Uses::XML,
        &rules::XXE,
        High,
        None,
    ),
    sink(&["elementpath.select", "lxml.etree.ETXPath"], (1, "path"), Uses::XPATH, &rules::XPATH_INJECTION, High, None),
    sink(
        &["lxml.etree.XPath", "elementpath.XPath2Parser().parse"],
        (0, "path"),
        Uses::XPATH,
        &rules::XPATH_INJECTION,
        High,
        None,
    ),
    sink(
        &["re.compile", "re.search", "re.match", "re.fullmatch", "re.findall", "re.finditer", "re.sub", "re.split"],
        (0, "pattern"),
        Uses::REGEX,
        &rules::REGEX_INJECTION,
        Medium,
        None,
    ),
    sink(&["getattr", "setattr", "delattr"], (1, "name"), Uses::ATTRIBUTE, &rules::MASS_ASSIGNMENT, Medium, None),
    sink(
        &["smtplib.SMTP().sendmail", "smtplib.SMTP_SSL().sendmail"],
        (2, "msg"),
        Uses::MAIL,
        &rules::HEADER_INJECTION,
        Medium,
        None,
    ),
];

static BY_FUNCTION: LazyLock<HashMap<&'static str, Vec<&'static Sink>>> = LazyLock::new(|| {
    let mut by_function: HashMap<&'static str, Vec<&'static Sink>> = HashMap::new();
    for sink in SINKS {
        for function in sink.functions {
            by_function.entry(function).or_default().push(sink);
        }
    }
    by_function
});

/// Returns whether a call makes an answer, of which the text was looked at when it was made.
pub(crate) fn makes_answer(call: &Call<'_>) -> bool {
    let mut sinks = BY_FUNCTION.get(call.symbol.as_str()).into_iter().flatten();
    call.name.to_ascii_lowercase().contains("response") && sinks.any(|sink| sink.harm == Uses::HTML)
}

impl Interpreter<'_, '_, '_> {
    /// Looks at what a call is given.
    pub(crate) fn check_sinks(&mut self, call: &Call<'_>) {
        if let Some(sinks) = BY_FUNCTION.get(call.symbol.as_str()) {
            for sink in sinks {
                self.check_sink(call, sink);
            }
        }
        if call.symbol.starts_with("subprocess.") {
            self.check_subprocess(call);
        }
        self.check_query(call);
        self.check_method(call);
    }

    fn check_sink(&mut self, call: &Call<'_>, sink: &Sink) {
        let value = call.argument(sink.position, sink.keyword).or_else(|| call.positional.get(sink.position));
        let Some(value) = value else { return };
        // Of `(body, headers)` the body is what is shown.
        let value = match &value.shape {
            Shape::Items(items) if sink.harm == Uses::HTML => items.first().cloned().unwrap_or_default(),
            _ => value.clone(),
        };
        let is_harmless = match sink.harm {
            Uses::HTML => !self.makes_page(call, &value),
            // An address, most likely, that a function chose which got the request.
            Uses::REDIRECT => value.handed,
            Uses::OBJECT => call.keyword("weights_only").and_then(Value::truth) == Some(true),
            _ => false,
        };
        if !is_harmless {
            self.report_flow(sink.rule, call.range, &value, sink.harm, (sink.tainted, sink.unknown));
        }
    }

    /// A query that is not a constant, whatever object executes it.
    fn check_query(&mut self, call: &Call<'_>) {
        // `run = cursor.execute` still executes.
        let named = |name: &str| executes(name) || call.symbol.rsplit('.').next().is_some_and(executes);
        let executes = match call.name {
            "text" => call.receiver.is_none() || call.symbol.starts_with("sqlalchemy"),
            name => named(name) || call.symbol == "sqlalchemy.text" || call.symbol == "sqlalchemy.sql.text",
        };
        let Some(query) = query_of(call) else { return };
        let is_known =
            ["subprocess.", "asyncio.", "os.", "re.", "logging."].iter().any(|of| call.symbol.starts_with(of));
        let carries = query.query && call.receiver.is_some() && fetches(call.name) && !is_known;
        if !executes && !carries || !query.assembled && is_no_query(call, query) {
            return;
        }
        let query = Value { unknown: query.unknown, ..query.clone() };
        if query.tainted.intersects(Uses::SQL) {
            self.findings.report_as(&rules::SQL_INJECTION, call.range, Severity::High, SURE);
        } else if query.assembled && query.unknown.intersects(Uses::SQL) {
            self.findings.report_as(&rules::SQL_INJECTION, call.range, Severity::Medium, DOUBTFUL);
        }
    }

    fn check_subprocess(&mut self, call: &Call<'_>) {
        let starts = matches!(
            call.symbol.as_str(),
            "subprocess.run"
                | "subprocess.call"
                | "subprocess.Popen"
                | "subprocess.check_output"
                | "subprocess.check_call"
        );
        let Some(command) = call.argument(0, "args").cloned().filter(|_| starts) else { return };
        let shell = call.keyword("shell").is_some_and(|shell| shell.truth() == Some(true));
        if shell {
            if command.is_constant() {
                self.findings.report(&rules::SHELL_TRUE, call.range);
            } else {
                let severities = (Severity::Critical, Some(Severity::Medium));
                self.report_flow(&rules::COMMAND_INJECTION, call.range, &command, Uses::SHELL, severities);
            }
            return;
        }
        // Without a shell only the program's name, or a shell started by hand, is dangerous.
        let program = match &command.shape {
            Shape::Items(items) => items.first().cloned(),
            _ => Some(command.clone()),
        };
        let by_hand = program.as_ref().and_then(Value::as_text).is_some_and(is_shell);
        let judged = if by_hand { Some(command) } else { program };
        if let Some(judged) = judged {
            let unknown = by_hand.then_some(Severity::Medium);
            self.report_flow(&rules::COMMAND_INJECTION, call.range, &judged, Uses::SHELL, (Severity::High, unknown));
        }
    }

    /// Methods that are dangerous on whatever object.
    fn check_method(&mut self, call: &Call<'_>) {
        let Some(receiver) = &call.receiver else { return };
        let high = (Severity::High, None);
        match call.name {
            "xpath" | "findall" | "find" | "iterfind" | "findtext" if receiver.as_text().is_none() => {
                if let Some(query) = call.positional.first().filter(|query| query.assembled || call.name == "xpath") {
                    let query = query.clone();
                    let xml = call.name == "xpath" || receiver.symbol().contains("etree");
                    if xml {
                        self.report_flow(&rules::XPATH_INJECTION, call.range, &query, Uses::XPATH, high);
                    }
                }
            }
            // An upload under a name that came with it.
            "save" if receiver.symbol().contains(".files") => {
                if let Some(path) = call.argument(0, "dst").cloned() {
                    self.report_flow(&rules::PATH_TRAVERSAL, call.range, &path, Uses::PATH, high);
                }
            }
            "search" | "search_s" | "search_st" | "search_ext" | "search_ext_s" => self.check_search(call, receiver),
            "debug" | "info" | "warning" | "error" | "exception" | "critical" => {
                self.check_log(call, receiver);
            }
            "read_text" | "write_text" | "read_bytes" | "write_bytes" | "open" | "unlink" | "iterdir" | "exists" => {
                let receiver = receiver.clone();
                let is_path = call.name.ends_with("_text") && !sources::is_from_request(receiver.symbol());
                if receiver.symbol().starts_with("pathlib.") || is_path {
                    self.report_flow(&rules::PATH_TRAVERSAL, call.range, &receiver, Uses::PATH, high);
                }
            }
            _ => {}
        }
    }

    /// A search in a directory, where it is one: many other things can be searched.
    fn check_search(&mut self, call: &Call<'_>, receiver: &Value) {
        let named = call.keyword("search_filter").or_else(|| call.keyword("filterstr"));
        let position = if call.name == "search" { 1 } else { 2 };
        let Some(value) = named.or_else(|| call.positional.get(position)).cloned() else { return };
        let object = match &*call.expr.func {
            Expr::Attribute(method) => last_name(&method.value).to_ascii_lowercase(),
            _ => String::new(),
        };
        let is_directory = receiver.symbol().contains("ldap") || object.contains("ldap");
        let is_connection = self.uses_ldap && object.contains("conn") && !matches!(receiver.shape, Shape::Pattern(_));
        if is_directory || is_connection || call.name != "search" || named.is_some() || value.filter {
            self.report_flow(&rules::LDAP_INJECTION, call.range, &value, Uses::LDAP, (Severity::High, None));
        }
    }

    /// A message that holds what was sent. The arguments of a constant message are kept apart from it.
    fn check_log(&mut self, call: &Call<'_>, receiver: &Value) {
        let Some(message) = call.positional.first().filter(|message| message.tainted.intersects(Uses::LOG)) else {
            return;
        };
        if is_logger(receiver.symbol()) && !message.handed {
            self.findings.report(&rules::LOG_INJECTION, call.range);
        }
    }

    /// `session[...] = value`.
    pub(crate) fn check_stored(&mut self, owner: &Value, value: &Value, range: TextRange) {
        let symbol = owner.symbol();
        if symbol == "flask.session" || symbol == "session" || symbol.ends_with("request.session") {
            self.report_flow(&rules::TRUST_BOUNDARY, range, value, Uses::SESSION, (Severity::Medium, None));
        }
    }
}

/// `logging`, `app.logger`, `self.log`, `getLogger()`; not `login` or `catalog`.
fn is_logger(symbol: &str) -> bool {
    let symbol = symbol.to_ascii_lowercase();
    let mut parts = symbol.split(|c: char| !c.is_ascii_alphanumeric());
    parts.any(|part| matches!(part, "log" | "logs" | "logging" | "loguru" | "structlog") || part.ends_with("logger"))
}

/// Functions and methods that execute what they are given, whatever the object.
pub(crate) fn executes(name: &str) -> bool {
    matches!(
        name,
        "execute"
            | "executemany"
            | "executescript"
            | "raw"
            | "mogrify"
            | "execute_sql"
            | "exec_driver_sql"
            | "read_sql"
            | "read_sql_query"
            | "RawSQL"
    )
}

/// Returns whether the argument is certainly no query: an object made of the request, or a task for something else than
/// a database.
fn is_no_query(call: &Call<'_>, query: &Value) -> bool {
    const OTHERS: &[&str] = &[
        "usecase",
        "use_case",
        "interactor",
        "executor",
        "handler",
        "command",
        "schema",
        "pool",
        "task",
        "workflow",
        "pipeline",
        "runner",
        "job",
        "action",
        "bus",
        "dispatcher",
        "worker",
        "strategy",
        "agent",
        "tool",
    ];
    let is_structure = matches!(
        query.shape,
        Shape::Items(_) | Shape::Table(_) | Shape::Heap | Shape::Instance(_) | Shape::Function(_)
    );
    if query.query {
        return false;
    }
    let Expr::Attribute(method) = &*call.expr.func else { return is_structure };
    let object = last_name(&method.value).to_ascii_lowercase();
    let is_other = OTHERS.iter().any(|other| object.ends_with(other));
    // `Model.objects.raw`; many other things are raw.
    let is_raw = call.name == "raw" && !matches!(object.as_str(), "objects" | "manager" | "_default_manager" | "query");
    is_structure || is_other || is_raw || sources::is_request(query.symbol())
}

/// The argument that is executed: the first, or the one that is called what a query is called, or the first keyword.
fn query_of<'c>(call: &'c Call<'_>) -> Option<&'c Value> {
    const NAMES: &[&str] =
        &["query", "sql", "statement", "stmt", "operation", "raw_query", "text", "command", "clause", "sql_script"];
    let keyword = || NAMES.iter().find_map(|name| call.keyword(name));
    call.positional.first().or_else(keyword).or_else(|| call.named.first().map(|(_, value)| value))
}

/// Methods that run a query when they are given one.
pub(crate) fn fetches(name: &str) -> bool {
    matches!(
        name,
        "sql"
            | "query"
            | "fetch"
            | "fetchrow"
            | "fetchval"
            | "fetchone"
            | "fetchall"
            | "fetch_all"
            | "fetch_one"
            | "select"
            | "prepare"
            | "run"
            | "exec"
            | "run_query"
            | "execute_query"
            | "select_all"
            | "iterate"
            | "any"
    )
}

fn is_shell(program: &str) -> bool {
    matches!(
        program.rsplit('/').next(),
        Some("sh" | "bash" | "zsh" | "dash" | "ksh" | "cmd" | "cmd.exe" | "powershell")
    )
}
