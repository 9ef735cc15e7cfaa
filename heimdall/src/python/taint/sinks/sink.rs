//! A row of a sink table.

use crate::python::taint::value::TaintKinds;
use crate::rules::Rule;
use analysis_report::Severity;

/// Marks an argument that is passed by keyword only.
pub(crate) const NO_POSITION: usize = usize::MAX;

/// A dangerous argument of some functions.
pub(crate) struct Sink {
    pub(crate) functions: &'static [&'static str],
    pub(crate) position: usize,
    pub(crate) keyword: &'static str,
    pub(crate) taint_kind: TaintKinds,
    pub(crate) rule: &'static Rule,
    /// Severity for external data.
    pub(crate) tainted: Severity,
    /// Severity for data of unknown origin; `None` if that is too common to report.
    pub(crate) unknown: Option<Severity>,
}

pub(crate) const fn sink(
    functions: &'static [&'static str],
    (position, keyword): (usize, &'static str),
    taint_kind: TaintKinds,
    rule: &'static Rule,
    tainted: Severity,
    unknown: Option<Severity>,
) -> Sink {
    Sink { functions, position, keyword, taint_kind, rule, tainted, unknown }
}
