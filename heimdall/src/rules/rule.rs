//! A rule, and the macro that declares tables of rules.

use crate::report::{FindingKind, Severity};

/// One thing that heimdall looks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Stable name, such as `PY-SQL-INJECTION`.
    pub id: &'static str,
    /// What it is about.
    pub kind: FindingKind,
    /// The usual severity; a finding's own may differ.
    pub severity: Severity,
    /// 0..=1: how sure a match is, where nothing more is known.
    pub confidence: f32,
    /// A few words.
    pub title: &'static str,
    /// What is wrong and why it matters.
    pub description: &'static str,
    /// What to do about it.
    pub recommendation: &'static str,
    /// A template of the better code.
    pub example_fix: Option<&'static str>,
    /// CWE names or addresses of documentation.
    pub references: &'static [&'static str],
}

/// Declares rules as statics, so that a finding cannot name one that does not exist, and lists them in `RULES`.
macro_rules! rules {
    ($($name:ident = $id:literal $kind:ident $severity:ident $confidence:literal
        title $title:literal
        what $description:literal
        fix $recommendation:literal
        $(example $example:literal)?
        see [$($reference:literal),*];)*) => {
        $(pub(crate) static $name: $crate::rules::rule::Rule = $crate::rules::rule::Rule {
            id: $id,
            kind: $crate::report::FindingKind::$kind,
            severity: $crate::report::Severity::$severity,
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
