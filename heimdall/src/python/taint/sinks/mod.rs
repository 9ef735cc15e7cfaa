//! Sinks: calls that external data must not reach. Each topic has a table of functions, and checks that a table cannot
//! describe.

pub(crate) mod code;
pub(crate) mod crlf;
pub(crate) mod http;
pub(crate) mod ldap;
pub(crate) mod path;
pub(crate) mod responses;
pub(crate) mod shell;
pub(crate) mod sink;
pub(crate) mod sql;
pub(crate) mod xml;

use std::collections::HashMap;
use std::sync::LazyLock;

use ruff_text_size::TextRange;

use crate::python::taint::call::Call;
use crate::python::taint::interpreter::Interpreter;
use crate::python::taint::value::{AbstractValue, TaintKinds, Value};
use crate::rules;
use analysis_report::Severity;

use sink::Sink;

/// The tables of all topics.
static TABLES: &[&[Sink]] =
    &[shell::SINKS, code::SINKS, path::SINKS, http::SINKS, responses::SINKS, xml::SINKS, crlf::SINKS];

static BY_FUNCTION: LazyLock<HashMap<&'static str, Vec<&'static Sink>>> = LazyLock::new(|| {
    let mut by_function: HashMap<&'static str, Vec<&'static Sink>> = HashMap::new();
    for sink in TABLES.iter().copied().flatten() {
        for function in sink.functions {
            by_function.entry(function).or_default().push(sink);
        }
    }
    by_function
});

/// Returns true if a call builds a response; its content was checked at that call.
pub(crate) fn builds_response(call: &Call<'_>) -> bool {
    let mut sinks = BY_FUNCTION.get(call.symbol.as_str()).into_iter().flatten();
    call.name.to_ascii_lowercase().contains("response") && sinks.any(|sink| sink.taint_kind == TaintKinds::HTML)
}

impl Interpreter<'_, '_, '_> {
    /// Checks the arguments of a call.
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
        // In `(body, headers)` only the body is rendered.
        let value = match &value.content {
            AbstractValue::Sequence(items) if sink.taint_kind == TaintKinds::HTML => {
                items.first().cloned().unwrap_or_default()
            }
            _ => value.clone(),
        };
        let is_harmless = match sink.taint_kind {
            TaintKinds::HTML => !self.renders_html(call, &value),
            // Most likely a URL chosen by a function that received the request.
            TaintKinds::REDIRECT => value.derived_from_request,
            TaintKinds::OBJECT => call.keyword("weights_only").and_then(Value::truth) == Some(true),
            _ => false,
        };
        if !is_harmless {
            self.report_flow(sink.rule, call.range, &value, sink.taint_kind, (sink.tainted, sink.unknown));
        }
    }

    /// Methods that are dangerous on any object.
    fn check_method(&mut self, call: &Call<'_>) {
        let Some(receiver) = &call.receiver else { return };
        match call.name {
            "xpath" | "findall" | "find" | "iterfind" | "findtext" => self.check_xpath(call, receiver),
            "save" if receiver.symbol().contains(".files") => self.check_upload(call),
            "search" | "search_s" | "search_st" | "search_ext" | "search_ext_s" => self.check_search(call, receiver),
            "debug" | "info" | "warning" | "error" | "exception" | "critical" => self.check_log(call, receiver),
            "read_text" | "write_text" | "read_bytes" | "write_bytes" | "open" | "unlink" | "iterdir" | "exists" => {
                self.check_path_method(call, receiver);
            }
            _ => {}
        }
    }

    /// Checks `session[...] = value`.
    pub(crate) fn check_session_write(&mut self, owner: &Value, value: &Value, range: TextRange) {
        let symbol = owner.symbol();
        if symbol == "flask.session" || symbol == "session" || symbol.ends_with("request.session") {
            self.report_flow(&rules::TRUST_BOUNDARY, range, value, TaintKinds::SESSION, (Severity::Medium, None));
        }
    }
}
