//! A row of a sink table.

use crate::python::taint::value::TaintKinds;
use crate::report::Severity;
use crate::rules::Rule;

/// Position of an argument that only a keyword names.
pub(crate) const NO_POSITION: usize = usize::MAX;

/// A dangerous argument of some functions.
pub(crate) struct Sink {
    pub(crate) functions: &'static [&'static str],
    pub(crate) position: usize,
    pub(crate) keyword: &'static str,
    pub(crate) taint_kind: TaintKinds,
    pub(crate) rule: &'static Rule,
    /// Severity for data known to come from outside.
    pub(crate) tainted: Severity,
    /// Severity for data of unknown origin; none where that is too common to tell.
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
