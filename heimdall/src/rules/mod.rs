//! Texts of all findings, as tables.
//!
//! The texts contain no attack strings, no markup and nothing from the source.

mod quality;
mod rule;
mod security;
mod source;

pub(crate) use quality::*;
pub use rule::Rule;
pub(crate) use security::*;
pub(crate) use source::*;

/// Returns every rule, for catalogues and SARIF.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    security::RULES.iter().chain(quality::RULES).chain(source::RULES).copied()
}

#[cfg(test)]
mod tests {
    use super::all;
    use analysis_report::{FindingKind, Severity};

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
    fn sql_rules_name_sql_injection() {
        assert!(super::SQL_INJECTION.description.contains("SQL injection"));
        assert!(super::TEXT_SQL_INJECTION.description.contains("SQL injection"));
    }
}
