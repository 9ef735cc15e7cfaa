//! SQL injection.

use ruff_python_ast::Expr;

use crate::python::ast::last_name;
use crate::python::taint::call::Call;
use crate::python::taint::interpreter::{CONFIDENCE_TAINTED, CONFIDENCE_UNKNOWN, Interpreter};
use crate::python::taint::models::sources;
use crate::python::taint::names::{executes_query, may_run_query, query_of};
use crate::python::taint::value::{AbstractValue, TaintKinds, Value};
use crate::rules;
use analysis_report::Severity;

impl Interpreter<'_, '_, '_> {
    /// Checks a query that is not constant, on any object.
    pub(crate) fn check_query(&mut self, call: &Call<'_>) {
        // An alias (`run = cursor.execute`) executes too.
        let named = |name: &str| executes_query(name) || call.symbol.rsplit('.').next().is_some_and(executes_query);
        let executes = match call.name {
            "text" => call.receiver.is_none() || call.symbol.starts_with("sqlalchemy"),
            name => named(name) || call.symbol == "sqlalchemy.text" || call.symbol == "sqlalchemy.sql.text",
        };
        let Some(query) = query_of(call) else { return };
        let is_known =
            ["subprocess.", "asyncio.", "os.", "re.", "logging."].iter().any(|of| call.symbol.starts_with(of));
        let carries = query.query && call.receiver.is_some() && may_run_query(call.name) && !is_known;
        if !executes && !carries || !query.assembled && is_not_query(call, query) {
            return;
        }
        let query = Value { unknown: query.unknown, ..query.clone() };
        if query.tainted.intersects(TaintKinds::SQL) {
            self.findings.report_as(&rules::SQL_INJECTION, call.range, Severity::High, CONFIDENCE_TAINTED);
        } else if query.assembled && query.unknown.intersects(TaintKinds::SQL) {
            self.findings.report_as(&rules::SQL_INJECTION, call.range, Severity::Medium, CONFIDENCE_UNKNOWN);
        }
    }
}

/// Returns true if the argument is surely not a query: an object of the request, or a task of an executor.
fn is_not_query(call: &Call<'_>, query: &Value) -> bool {
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
        query.content,
        AbstractValue::Sequence(_)
            | AbstractValue::Dict(_)
            | AbstractValue::Container
            | AbstractValue::Instance(_)
            | AbstractValue::Function(_)
    );
    if query.query {
        return false;
    }
    let Expr::Attribute(method) = &*call.expr.func else { return is_structure };
    let object = last_name(&method.value).to_ascii_lowercase();
    let is_other = OTHERS.iter().any(|other| object.ends_with(other));
    // Only `raw` of a model manager executes SQL.
    let is_raw = call.name == "raw" && !matches!(object.as_str(), "objects" | "manager" | "_default_manager" | "query");
    is_structure || is_other || is_raw || sources::is_request(query.symbol())
}
