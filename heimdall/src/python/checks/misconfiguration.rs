//! Calls and assignments that disable a protection, independent of the data.

use ruff_python_ast::{Expr, StmtAssert};
use ruff_text_size::{Ranged, TextRange};

use super::{redos, secrets};
use crate::python::ast::{last_name, target_name};
use crate::python::taint::call::Call;
use crate::python::taint::interpreter::{CONFIDENCE_TAINTED, Interpreter};
use crate::python::taint::models::regex_calls;
use crate::python::taint::paths;
use crate::python::taint::value::{AbstractValue, TaintKinds, Value};
use crate::rules::{self, Rule};
use analysis_report::Severity;

/// Calls that are reported for any arguments.
const UNSAFE_CALLS: &[(&str, &Rule)] = &[
    ("tempfile.mktemp", &rules::MKTEMP),
    ("os.tempnam", &rules::MKTEMP),
    ("os.tmpnam", &rules::MKTEMP),
    ("ssl._create_unverified_context", &rules::INSECURE_TLS),
    ("telnetlib.Telnet", &rules::CLEARTEXT_PROTOCOL),
    ("ftplib.FTP", &rules::CLEARTEXT_PROTOCOL),
    ("paramiko.AutoAddPolicy", &rules::SSH_HOST_KEY),
    ("paramiko.WarningPolicy", &rules::SSH_HOST_KEY),
    ("paramiko.client.AutoAddPolicy", &rules::SSH_HOST_KEY),
    ("Crypto.Cipher.DES.new", &rules::WEAK_CIPHER),
    ("Crypto.Cipher.DES3.new", &rules::WEAK_CIPHER),
    ("Crypto.Cipher.ARC2.new", &rules::WEAK_CIPHER),
    ("Crypto.Cipher.ARC4.new", &rules::WEAK_CIPHER),
    ("Crypto.Cipher.Blowfish.new", &rules::WEAK_CIPHER),
    ("Crypto.Cipher.XOR.new", &rules::WEAK_CIPHER),
    ("Cryptodome.Cipher.DES.new", &rules::WEAK_CIPHER),
    ("Cryptodome.Cipher.ARC4.new", &rules::WEAK_CIPHER),
    ("cryptography.hazmat.primitives.ciphers.algorithms.ARC4", &rules::WEAK_CIPHER),
    ("cryptography.hazmat.primitives.ciphers.algorithms.Blowfish", &rules::WEAK_CIPHER),
    ("cryptography.hazmat.primitives.ciphers.algorithms.TripleDES", &rules::WEAK_CIPHER),
    ("cryptography.hazmat.primitives.ciphers.algorithms.IDEA", &rules::WEAK_CIPHER),
    ("cryptography.hazmat.primitives.ciphers.modes.ECB", &rules::WEAK_CIPHER),
    ("django.views.decorators.csrf.csrf_exempt", &rules::CSRF_DISABLED),
];

/// Symbol of an XML parser that resolves external entities.
const FOLLOWS_ENTITIES: &str = "xml parser that follows entities";

impl Interpreter<'_, '_, '_> {
    /// Checks the configuration of a call.
    pub(crate) fn check_misconfiguration(&mut self, call: &Call<'_>) {
        if call.symbol.is_empty() {
            return;
        }
        if let Some((_, rule)) = UNSAFE_CALLS.iter().find(|(symbol, _)| *symbol == call.symbol) {
            self.findings.report(rule, call.range);
        }
        if call.everything().any(|value| value.symbol().ends_with(".MODE_ECB")) {
            self.findings.report(&rules::WEAK_CIPHER, call.range);
        }
        self.check_hash(call);
        self.check_random(call);
        self.check_tls(call);
        self.check_loaders(call);
        self.check_web(call);
        self.check_files(call);
        if call.symbol == "re.compile" || call.symbol.starts_with("re.") {
            self.check_pattern(call);
        }
    }

    fn check_hash(&mut self, call: &Call<'_>) {
        let named = |value: Option<&Value>| {
            value
                .and_then(Value::as_text)
                .is_some_and(|name| matches!(name.to_ascii_lowercase().as_str(), "md5" | "sha1" | "sha-1" | "md4"))
        };
        let weak = match call.symbol.as_str() {
            "hashlib.md5"
            | "hashlib.sha1"
            | "Crypto.Hash.MD5.new"
            | "Crypto.Hash.SHA.new"
            | "Crypto.Hash.SHA1.new"
            | "Crypto.Hash.MD4.new"
            | "cryptography.hazmat.primitives.hashes.MD5"
            | "cryptography.hazmat.primitives.hashes.SHA1"
            | "md5.new"
            | "sha.new" => true,
            "hashlib.new" => named(call.argument(0, "name")),
            "hashlib.file_digest" | "hashlib.pbkdf2_hmac" => named(call.positional.get(1)),
            _ => false,
        };
        let checksum = call.keyword("usedforsecurity").and_then(Value::as_bool) == Some(false);
        if weak && !checksum {
            self.findings.report(&rules::WEAK_HASH, call.range);
        }
    }

    /// Checks random numbers. Predictable ones matter if a secret is derived from them.
    fn check_random(&mut self, call: &Call<'_>) {
        const FUNCTIONS: &[&str] = &[
            "random",
            "randint",
            "randrange",
            "choice",
            "choices",
            "sample",
            "shuffle",
            "getrandbits",
            "randbytes",
            "uniform",
            "normalvariate",
            "gauss",
            "triangular",
            "betavariate",
        ];
        let Some(function) = call.symbol.strip_prefix("random.").or_else(|| call.symbol.strip_prefix("numpy.random."))
        else {
            return;
        };
        let function = function.strip_prefix("Random().").unwrap_or(function);
        if !FUNCTIONS.contains(&function) {
            return;
        }
        let within = self.scopes.last().and_then(|scope| scope.function);
        let within = within.map_or("", |function| self.module.functions[function].def.name.as_str());
        let secret =
            secrets::is_secret_purpose(&self.assigned_name) || secrets::is_secret_purpose(&within.to_ascii_lowercase());
        let severity = if secret { Severity::Medium } else { Severity::Low };
        self.findings.report_as(&rules::WEAK_RANDOM, call.range, severity, if secret { 0.85 } else { 0.4 });
    }

    fn check_tls(&mut self, call: &Call<'_>) {
        let off = |name: &str| call.keyword(name).and_then(Value::as_bool) == Some(false);
        let http = ["requests.", "httpx.", "aiohttp.", "urllib3."].iter().any(|start| call.symbol.starts_with(start));
        if http && (off("verify") || off("verify_ssl") || off("ssl"))
            || call
                .keyword("cert_reqs")
                .is_some_and(|mode| mode.symbol() == "ssl.CERT_NONE" || mode.as_text() == Some("CERT_NONE"))
        {
            self.findings.report(&rules::INSECURE_TLS, call.range);
        }
        let outdated = call.everything().any(|value| {
            matches!(
                value.symbol(),
                "ssl.PROTOCOL_SSLv2" | "ssl.PROTOCOL_SSLv3" | "ssl.PROTOCOL_TLSv1" | "ssl.PROTOCOL_TLSv1_1"
            )
        });
        if outdated {
            self.findings.report(&rules::WEAK_TLS_VERSION, call.range);
        }
        if call.name == "set_missing_host_key_policy"
            && call.positional.first().is_some_and(|policy| {
                policy.symbol().contains("AutoAddPolicy") || policy.symbol().contains("WarningPolicy")
            })
        {
            self.findings.report(&rules::SSH_HOST_KEY, call.range);
        }
        let once = matches!(
            call.symbol.as_str(),
            "requests.get"
                | "requests.post"
                | "requests.put"
                | "requests.patch"
                | "requests.delete"
                | "requests.head"
                | "requests.request"
        );
        if once && call.keyword("timeout").is_none() && !call.hides_keywords() {
            self.findings.report(&rules::NO_TIMEOUT, call.range);
        }
    }

    fn check_loaders(&mut self, call: &Call<'_>) {
        match call.symbol.as_str() {
            "yaml.load" | "yaml.load_all" => {
                let loader = call.argument(1, "Loader");
                if !loader.is_some_and(|loader| self.is_safe_loader(loader)) {
                    self.report_loader(&rules::YAML_LOAD, call);
                }
            }
            "yaml.unsafe_load" | "yaml.unsafe_load_all" | "yaml.full_load" => {
                self.report_loader(&rules::YAML_LOAD, call)
            }
            "numpy.load" if call.keyword("allow_pickle").and_then(Value::as_bool) == Some(true) => {
                self.report_loader(&rules::DESERIALIZATION, call);
            }
            "lxml.etree.XMLParser"
                if call.keyword("resolve_entities").and_then(Value::as_bool) == Some(true)
                    || call.keyword("no_network").and_then(Value::as_bool) == Some(false) =>
            {
                self.findings.report(&rules::XXE, call.range);
            }
            _ => {}
        }
        self.check_entities(call);
        if call.symbol == "jwt.decode" || call.symbol == "jose.jwt.decode" {
            self.check_token(call);
        }
    }

    /// Returns true for a loader that creates no objects, or a class derived from one.
    fn is_safe_loader(&self, loader: &Value) -> bool {
        let is_safe = |name: &str| {
            let name = name.to_ascii_lowercase();
            name == "baseloader" || name.contains("safe") && !name.contains("unsafe")
        };
        match loader.content {
            AbstractValue::Class(class) => self.module.is_kind_of(class, &is_safe),
            _ => loader.symbol().rsplit('.').next().is_some_and(is_safe),
        }
    }

    /// Checks parsers that are set to resolve entities, and the data they read.
    fn check_entities(&mut self, call: &Call<'_>) {
        let external = call.positional.first().is_some_and(|feature| feature.symbol().contains("feature_external_"));
        if call.name == "setFeature" && external && call.positional.get(1).and_then(Value::truth) == Some(true) {
            if let Expr::Attribute(attribute) = &*call.expr.func
                && let Some(path) = paths::path(&attribute.value)
            {
                self.set(&path, Value::unknown().with_symbol(FOLLOWS_ENTITIES));
            }
            return;
        }
        let follows = |value: &Value| value.symbol() == FOLLOWS_ENTITIES;
        let parses = matches!(call.name, "parse" | "parseString" | "fromstring" | "feed");
        if parses
            && call.everything().chain(&call.receiver).any(follows)
            && let Some(data) = call.positional.first().cloned()
        {
            let severities = (Severity::High, Some(Severity::Medium));
            self.report_flow(&rules::XXE, call.range, &data, TaintKinds::XML, severities);
        }
    }

    fn report_loader(&mut self, rule: &'static Rule, call: &Call<'_>) {
        let Some(data) = call.positional.first() else { return };
        if data.tainted.intersects(TaintKinds::OBJECT) {
            self.findings.report_as(rule, call.range, Severity::Critical, CONFIDENCE_TAINTED);
        } else if !data.is_constant() {
            self.findings.report(rule, call.range);
        }
    }

    fn check_token(&mut self, call: &Call<'_>) {
        let off = |value: &Value| value.as_bool() == Some(false);
        let unverified = call.keyword("verify").is_some_and(off)
            || call.keyword("options").is_some_and(|options| {
                let AbstractValue::Dict(entries) = &options.content else { return false };
                entries.iter().any(|(name, value)| &**name == "verify_signature" && off(value))
            })
            || call.keyword("algorithms").is_some_and(|names| {
                let AbstractValue::Sequence(names) = &names.content else { return false };
                names.iter().any(|name| name.as_text().is_some_and(|name| name.eq_ignore_ascii_case("none")))
            });
        if unverified {
            self.findings.report(&rules::JWT_UNVERIFIED, call.range);
        }
    }

    fn check_web(&mut self, call: &Call<'_>) {
        let on = |name: &str| call.keyword(name).and_then(Value::as_bool) == Some(true);
        let off = |name: &str| call.keyword(name).and_then(Value::as_bool) == Some(false);
        let serves = call.receiver.is_some() && !call.symbol.starts_with("asyncio.");
        let runs = call.name == "run" && serves || call.symbol == "uvicorn.run";
        if runs && on("debug") || matches!(call.name, "FastAPI" | "Starlette") && on("debug") {
            self.findings.report(&rules::DEBUG_ENABLED, call.range);
        }
        let everywhere = |value: &Value| match &value.content {
            AbstractValue::Text(text) => matches!(&**text, "0.0.0.0" | "::"),
            AbstractValue::Sequence(items) => items.first().and_then(Value::as_text) == Some("0.0.0.0"),
            _ => false,
        };
        if call.keyword("host").is_some_and(everywhere)
            || matches!(call.name, "bind" | "TCPServer" | "HTTPServer" | "ThreadingHTTPServer")
                && call.positional.first().is_some_and(everywhere)
        {
            self.findings.report(&rules::BIND_ALL, call.range);
        }
        if call.symbol == "jinja2.Environment" && !call.hides_keywords() {
            let escapes = call.keyword("autoescape");
            if escapes.is_none_or(|value| value.as_bool() == Some(false)) {
                self.findings.report(&rules::AUTOESCAPE_OFF, call.range);
            }
        }
        if call.name == "set_cookie" && !call.hides_keywords() {
            if off("secure") || off("httponly") {
                self.findings.report(&rules::COOKIE_INSECURE, call.range);
            } else if call.keyword("secure").is_none() || call.keyword("httponly").is_none() {
                self.findings.report_as(&rules::COOKIE_INSECURE, call.range, Severity::Low, 0.6);
            }
        }
        if call.name == "csrf_exempt" {
            self.findings.report(&rules::CSRF_DISABLED, call.range);
        }
        let any_origin = call.keyword("allow_origins").or_else(|| call.keyword("origins")).is_some_and(|origins| {
            let AbstractValue::Sequence(items) = &origins.content else { return origins.as_text() == Some("*") };
            items.iter().any(|item| item.as_text() == Some("*"))
        });
        if any_origin && (on("allow_credentials") || on("supports_credentials")) {
            self.findings.report(&rules::CORS_ANY, call.range);
        }
    }

    fn check_files(&mut self, call: &Call<'_>) {
        if call.name == "extractall" || call.name == "extract" && call.symbol.starts_with("tarfile.") {
            let filtered = call.keyword("filter").is_some() || call.keyword("members").is_some();
            let tar = call.symbol.starts_with("tarfile.") || call.symbol.contains("tar");
            if tar && !filtered {
                self.findings.report(&rules::ARCHIVE_EXTRACT, call.range);
            }
        }
        if call.symbol == "os.chmod" || call.name == "chmod" {
            let position = usize::from(call.symbol == "os.chmod");
            if call.argument(position, "mode").and_then(Value::as_int).is_some_and(|mode| mode & 0o002 != 0) {
                self.findings.report(&rules::PERMISSIONS, call.range);
            }
        }
        if matches!(call.symbol.as_str(), "open" | "io.open")
            && let Some(path) = call.positional.first().and_then(Value::as_text)
            && (path.starts_with("/tmp/") || path.starts_with("/var/tmp/"))
        {
            self.findings.report(&rules::TEMP_PATH, call.range);
        }
    }

    fn check_pattern(&mut self, call: &Call<'_>) {
        let is_verbose = !regex_calls::is_plain(call.expr, 1);
        let backtracks = |pattern| redos::backtracks(pattern, is_verbose);
        if call.positional.first().and_then(Value::as_text).is_some_and(backtracks) {
            self.findings.report(&rules::REGEX_DENIAL, call.range);
        }
    }

    /// Returns true if the current class configures a development or test environment.
    fn is_development_class(&self) -> bool {
        let name = self.current_class.to_ascii_lowercase();
        ["dev", "test", "debug", "local"].iter().any(|word| name.contains(word))
    }

    /// Checks assignments such as `app.debug = True` and `context.verify_mode = ssl.CERT_NONE`.
    pub(crate) fn check_setting_assigned(&mut self, target: &Expr, value: &Expr) {
        if let Expr::Name(_) = target {
            if target_name(target) == "DEBUG" && is_true(value) && !self.is_development_class() {
                self.findings.report_as(&rules::DEBUG_ENABLED, value.range(), Severity::Low, 0.6);
            }
            return;
        }
        match target_name(target) {
            "debug" | "DEBUG" if is_true(value) && configures_application(target) => {
                self.findings.report(&rules::DEBUG_ENABLED, value.range())
            }
            "check_hostname" if is_false(value) => self.findings.report(&rules::INSECURE_TLS, value.range()),
            "verify_mode" if ends_in(value, "CERT_NONE") => self.findings.report(&rules::INSECURE_TLS, value.range()),
            "verify" if is_false(value) => self.findings.report(&rules::INSECURE_TLS, value.range()),
            "_create_default_https_context" if ends_in(value, "_create_unverified_context") => {
                self.findings.report(&rules::INSECURE_TLS, value.range());
            }
            "WTF_CSRF_ENABLED" if is_false(value) => self.findings.report(&rules::CSRF_DISABLED, value.range()),
            "SESSION_COOKIE_SECURE" | "SESSION_COOKIE_HTTPONLY" if is_false(value) => {
                self.findings.report(&rules::COOKIE_INSECURE, value.range());
            }
            _ => {}
        }
    }

    /// Reports authorization checks made by `assert`, which optimisation removes.
    pub(crate) fn check_assert(&mut self, assert: &StmtAssert) {
        if asks_for_rights(&assert.test) {
            self.findings.report(&rules::ASSERT_USED, assert.range());
        }
    }

    /// Reports a rule at a range.
    pub(crate) fn report_range(&mut self, rule: &'static Rule, range: TextRange) {
        self.findings.report(rule, range);
    }
}

/// Recognises settings of the application, such as `app.debug` or `settings.DEBUG`, and not those of other objects.
fn configures_application(target: &Expr) -> bool {
    let Expr::Attribute(attribute) = target else { return true };
    let owner = last_name(&attribute.value).to_ascii_lowercase();
    ["app", "flask", "bottle", "server", "settings", "config", "django"].iter().any(|word| owner.contains(word))
}

fn is_true(expr: &Expr) -> bool {
    matches!(expr, Expr::BooleanLiteral(flag) if flag.value)
}

fn is_false(expr: &Expr) -> bool {
    matches!(expr, Expr::BooleanLiteral(flag) if !flag.value)
}

fn ends_in(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Attribute(attribute) => attribute.attr.as_str() == name,
        Expr::Name(known) => known.id.as_str() == name,
        _ => false,
    }
}

fn asks_for_rights(test: &Expr) -> bool {
    let name = match test {
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Name(name) => name.id.as_str(),
        Expr::Call(call) => return asks_for_rights(&call.func),
        Expr::UnaryOp(not) => return asks_for_rights(&not.operand),
        Expr::BoolOp(parts) => return parts.values.iter().any(asks_for_rights),
        Expr::Compare(comparison) => return asks_for_rights(&comparison.left),
        _ => return false,
    };
    let name = name.to_ascii_lowercase();
    ["admin", "auth", "permission", "allowed", "owner", "role", "superuser", "staff"]
        .iter()
        .any(|word| name.contains(word))
}
