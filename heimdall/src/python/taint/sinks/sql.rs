//! SQL injection.

use ruff_python_ast::Expr;

use crate::python::ast::last_name;
use crate::python::taint::call::Call;
use crate::python::taint::interpreter::{DOUBTFUL, Interpreter, SURE};
use crate::python::taint::models::sources;
use crate::python::taint::names::{executes, fetches, query_of};
use crate::python::taint::value::{Shape, Uses, Value};
use crate::report::Severity;
use crate::rules;

impl Interpreter<'_, '_, '_> {
    /// A query that is not a constant, whatever object executes it.
    pub(crate) fn check_query(&mut self, call: &Call<'_>) {
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
