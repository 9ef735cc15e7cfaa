//! LDAP injection.

use ruff_python_ast::Expr;

use crate::python::ast::last_name;
use crate::python::taint::call::Call;
use crate::python::taint::interpreter::Interpreter;
use crate::python::taint::value::{AbstractValue, TaintKinds, Value};
use crate::rules;
use analysis_report::Severity;

impl Interpreter<'_, '_, '_> {
    /// Checks a search method, if its object is an LDAP connection.
    pub(crate) fn check_search(&mut self, call: &Call<'_>, receiver: &Value) {
        let named = call.keyword("search_filter").or_else(|| call.keyword("filterstr"));
        let position = if call.name == "search" { 1 } else { 2 };
        let Some(value) = named.or_else(|| call.positional.get(position)).cloned() else { return };
        let object = match &*call.expr.func {
            Expr::Attribute(method) => last_name(&method.value).to_ascii_lowercase(),
            _ => String::new(),
        };
        let is_directory = receiver.symbol().contains("ldap") || object.contains("ldap");
        let is_connection =
            self.uses_ldap && object.contains("conn") && !matches!(receiver.content, AbstractValue::Pattern(_));
        if is_directory || is_connection || call.name != "search" || named.is_some() || value.filter {
            self.report_flow(&rules::LDAP_INJECTION, call.range, &value, TaintKinds::LDAP, (Severity::High, None));
        }
    }
}
