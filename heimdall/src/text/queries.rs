//! Queries that are put together from text, in any language.

use crate::findings::Findings;
use crate::rules;

const VERBS: &[&str] = &["select ", "insert into ", "update ", "delete from ", "drop table ", "alter table "];
const EXECUTORS: &[&str] =
    &[".execute(", ".query(", ".exec(", ".raw(", ".executequery(", ".executeupdate(", ".queryrow(", ".prepare("];

/// Reports a line on which a query, or what is executed, is joined with values.
pub(crate) fn check(code: &str, number: u32, findings: &mut Findings<'_>) {
    let lower = code.to_ascii_lowercase();
    let executes = EXECUTORS.iter().any(|executor| lower.contains(executor));
    let query = VERBS.iter().any(|verb| quoted(&lower, verb));
    if (executes && (query || lower.contains("sql")) || query && is_assignment(&lower)) && is_joined(&lower) {
        findings.report_line(&rules::TEXT_SQL_INJECTION, number, number);
    }
}

/// Whether a quote opens right before the verb.
fn quoted(lower: &str, verb: &str) -> bool {
    lower.match_indices(verb).any(|(at, _)| lower[..at].trim_end().ends_with(['"', '\'', '`']))
}

fn is_assignment(lower: &str) -> bool {
    lower.contains('=') || lower.starts_with("return ")
}

/// Whether text and values are joined: by an operator next to a quote, in a template, or by a format function.
fn is_joined(lower: &str) -> bool {
    const JOINTS: &[&str] = &[
        "\" +",
        "' +",
        "\"+",
        "'+",
        "+ \"",
        "+ '",
        "` +",
        "\" . $",
        "' . $",
        "sprintf(",
        "format!(",
        "string.format(",
        "fmt.sprintf(",
    ];
    JOINTS.iter().any(|joint| lower.contains(joint))
        || lower.contains('`') && lower.contains("${")
        || lower.contains("#{") && lower.contains('"')
        || lower.contains("$\"") && lower.contains('{')
}
