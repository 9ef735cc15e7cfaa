//! The wording of every finding, as tables.
//!
//! Rule text is ours alone: no attack strings, no markup, nothing from the source.

mod quality;
mod security;
mod source;

pub(crate) use quality::*;
pub(crate) use security::*;
pub(crate) use source::*;

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
        $(pub(crate) static $name: $crate::rules::Rule = $crate::rules::Rule {
            id: $id,
            kind: $crate::report::FindingKind::$kind,
            severity: $crate::report::Severity::$severity,
            confidence: $confidence,
            title: $title,
            description: $description,
            recommendation: $recommendation,
            example_fix: $crate::rules::optional!($($example)?),
            references: &[$($reference),*],
        };)*
        pub(in crate::rules) static RULES: &[&$crate::rules::Rule] = &[$(&$name),*];
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

use {optional, rules};

/// Every rule there is, for catalogues and SARIF.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    security::RULES.iter().chain(quality::RULES).chain(source::RULES).copied()
}

#[cfg(test)]
mod tests {
    use super::all;
    use crate::report::{FindingKind, Severity};

    #[test]
    fn every_rule_is_complete_and_unique() {
        let mut ids: Vec<_> = all().map(|rule| rule.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for rule in all() {
            assert!(!rule.title.is_empty() && rule.description.ends_with('.'), "{}", rule.id);
            assert!(rule.recommendation.ends_with('.'), "{}", rule.id);
            assert!((0.0..=1.0).contains(&rule.confidence), "{}", rule.id);
            if rule.kind == FindingKind::Security && rule.severity >= Severity::Medium {
                assert!(!rule.references.is_empty(), "{}", rule.id);
            }
        }
    }

    #[test]
    fn no_rule_holds_markup_or_attack_strings() {
        for rule in all() {
            let text = format!("{} {} {} {:?}", rule.title, rule.description, rule.recommendation, rule.example_fix);
            for forbidden in ["<", ">", "`", "1=1", "--", "../", "rm -", "DROP TABLE", "&lt", "${", "{{"] {
                assert!(!text.contains(forbidden), "{} contains {forbidden}", rule.id);
            }
        }
    }

    #[test]
    fn sql_rules_say_the_words() {
        assert!(super::SQL_INJECTION.description.contains("SQL injection"));
        assert!(super::TEXT_SQL_INJECTION.description.contains("SQL injection"));
    }
}
