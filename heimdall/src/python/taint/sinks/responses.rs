//! Cross-site scripting: request text in responses of views.

use ruff_python_ast::{Expr, ExprCall, Stmt, StmtAssign};
use ruff_text_size::Ranged;

use super::sink::{NO_POSITION, Sink, sink};
use crate::python::ast::last_name;
use crate::python::taint::call::Call;
use crate::python::taint::interpreter::Interpreter;
use crate::python::taint::value::{AbstractValue, TaintKinds, Value};
use crate::rules;
use analysis_report::Severity::{self, High};

pub(crate) static SINKS: &[Sink] = &[
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
        TaintKinds::HTML,
        &rules::XSS,
        High,
        None,
    ),
    sink(&["aiohttp.web.Response"], (NO_POSITION, "text"), TaintKinds::HTML, &rules::XSS, High, None),
    sink(&["aiohttp.web.Response"], (NO_POSITION, "body"), TaintKinds::HTML, &rules::XSS, High, None),
];

/// Response constructors whose content type can be set later.
const RESPONSE_CONSTRUCTORS: &[&str] = &["make_response", "Response", "HttpResponse"];

impl Interpreter<'_, '_, '_> {
    /// Checks the result of a view.
    pub(crate) fn check_response(&mut self, expr: &Expr, value: &Value) {
        let body = match (expr, &value.content) {
            // `body, status, headers`
            (Expr::Tuple(_), AbstractValue::Sequence(parts)) => {
                let Some((body, rest)) = parts.split_first() else { return };
                if rest.iter().any(|part| header_type(part).is_some_and(|kind| !is_html_type(kind))) {
                    return;
                }
                body
            }
            _ => value,
        };
        if is_text(body) {
            self.report_flow(&rules::XSS, expr.range(), body, TaintKinds::HTML, (Severity::High, None));
        }
    }

    /// Returns true if a response constructor, or a call that marks text as safe, renders its argument as HTML.
    pub(crate) fn renders_html(&self, call: &Call<'_>, content: &Value) -> bool {
        if self.non_html_responses.contains(&call.expr.start().to_u32()) {
            return false;
        }
        let is_text = matches!(call.name, "Markup" | "mark_safe");
        if content.derived_from_request && !is_text {
            return false;
        }
        // The default content type of aiohttp is plain text.
        let is_page = !call.symbol.starts_with("aiohttp.");
        response_type(call).map_or(is_page, is_html_type)
    }
}

/// Returns true if a result is sent as plain text: not a structure, not a local object, and not another function's
/// response.
fn is_text(value: &Value) -> bool {
    let structure = matches!(
        value.content,
        AbstractValue::Dict(_)
            | AbstractValue::Sequence(_)
            | AbstractValue::Container
            | AbstractValue::Instance(_)
            | AbstractValue::Class(_)
            | AbstractValue::Pattern(_)
    );
    let symbol = value.symbol();
    let parsed = symbol.ends_with(".get_json()") || symbol.ends_with(".json") || symbol == "json.loads()";
    !structure && !parsed && !value.derived_from_request
}

/// Returns the content type that a call sets, if it is known.
fn response_type<'c>(call: &'c Call<'_>) -> Option<&'c str> {
    const NAMES: &[&str] = &["content_type", "mimetype", "media_type"];
    let by_name = NAMES.iter().find_map(|name| call.keyword(name)).and_then(Value::as_text);
    let by_header = || call.everything().find_map(header_type);
    let by_position = || {
        let positions: &[usize] = if call.name == "HttpResponse" { &[1] } else { &[3, 4] };
        let values = positions.iter().filter_map(|at| call.positional.get(*at));
        values.filter_map(Value::as_text).find(|text| text.contains('/'))
    };
    by_name.or_else(by_header).or_else(by_position)
}

/// Returns the content type in a dictionary of headers.
fn header_type(headers: &Value) -> Option<&str> {
    let AbstractValue::Dict(entries) = &headers.content else { return None };
    entries.iter().find(|(name, _)| is_type_header(name)).and_then(|(_, value)| value.as_text())
}

fn is_type_header(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-type")
}

/// Returns true if browsers run scripts in this content type.
fn is_html_type(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    media_type.trim().is_empty() || ["html", "svg"].iter().any(|kind| media_type.contains(kind))
}

/// Records a response whose content type is set later in the block, such as `answer.mimetype = "text/csv"`.
pub(crate) fn note_content_type(interpreter: &mut Interpreter<'_, '_, '_>, assign: &StmtAssign, rest: &[Stmt]) {
    let ([Expr::Name(answer)], Expr::Call(call)) = (&*assign.targets, &*assign.value) else { return };
    if !RESPONSE_CONSTRUCTORS.contains(&last_name(&call.func)) {
        return;
    }
    let is_typed = rest.iter().any(|stmt| {
        let Stmt::Assign(later) = stmt else { return false };
        later.targets.iter().any(|target| sets_type(target, &answer.id))
            && beginning(&later.value).is_some_and(|kind| !is_html_type(kind))
    });
    if is_typed {
        interpreter.non_html_responses.insert(call.start().to_u32());
    }
}

fn sets_type(target: &Expr, answer: &str) -> bool {
    let is_answer = |expr: &Expr| matches!(expr, Expr::Name(name) if name.id.as_str() == answer);
    match target {
        Expr::Attribute(attribute) => {
            is_answer(&attribute.value) && matches!(attribute.attr.as_str(), "mimetype" | "content_type" | "media_type")
        }
        Expr::Subscript(subscript) => {
            let headers = match &*subscript.value {
                Expr::Attribute(attribute) => attribute.attr.as_str() == "headers" && is_answer(&attribute.value),
                other => is_answer(other),
            };
            headers && matches!(&*subscript.slice, Expr::StringLiteral(key) if is_type_header(key.value.to_str()))
        }
        _ => false,
    }
}

/// Returns the constant prefix of a text.
fn beginning(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::StringLiteral(text) => Some(text.value.to_str()),
        Expr::FString(text) => {
            text.value.elements().next().and_then(|element| element.as_literal()).map(|text| &*text.value)
        }
        Expr::BinOp(operation) => beginning(&operation.left),
        _ => None,
    }
}

/// Records `Markup(text).unescape()`: the result is plain text, and the markup is never rendered.
pub(crate) fn note_unescaped(interpreter: &mut Interpreter<'_, '_, '_>, call: &ExprCall) {
    if let Expr::Attribute(method) = &*call.func
        && matches!(method.attr.as_str(), "unescape" | "striptags")
        && let Expr::Call(inner) = &*method.value
        && last_name(&inner.func) == "Markup"
    {
        interpreter.non_html_responses.insert(inner.start().to_u32());
    }
}
