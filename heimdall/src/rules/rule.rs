//! A rule, and the macro that declares tables of rules.

use analysis_report::{FindingKind, Severity};

/// A kind of problem that heimdall reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Stable id, such as `PY-SQL-INJECTION`.
    pub id: &'static str,
    /// Category.
    pub kind: FindingKind,
    /// Default severity; a finding may have another.
    pub severity: Severity,
    /// Default confidence of a finding, 0..=1.
    pub confidence: f32,
    /// Short title.
    pub title: &'static str,
    /// The problem and its effect.
    pub description: &'static str,
    /// The recommended change.
    pub recommendation: &'static str,
    /// A template of better code.
    pub example_fix: Option<&'static str>,
    /// CWE ids or documentation URLs.
    pub references: &'static [&'static str],
}

/// Declares rules as statics, so that findings can only name existing rules, and lists them in `RULES`.
macro_rules! rules {
    ($($name:ident = $id:literal $kind:ident $severity:ident $confidence:literal
        title $title:literal
        what $description:literal
        fix $recommendation:literal
        $(example $example:literal)?
        see [$($reference:literal),*];)*) => {
        $(pub(crate) static $name: $crate::rules::rule::Rule = $crate::rules::rule::Rule {
            id: $id,
            kind: ::analysis_report::FindingKind::$kind,
            severity: ::analysis_report::Severity::$severity,
            confidence: $confidence,
            title: $title,
            description: $description,
            recommendation: $recommendation,
            example_fix: $crate::rules::rule::optional!($($example)?),
            references: &[$($reference),*],
        };)*
        pub(in crate::rules) static RULES: &[&$crate::rules::rule::Rule] = &[$(&$name),*];
    };
}

macro_rules! optional {
    () => {
        None
    };
    ($value:literal) => {
        Some($value)
    };
}

pub(super) use {optional, rules};
