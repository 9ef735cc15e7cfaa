//! SQL queries built from text, in any language.

const VERBS: &[&str] = &["select ", "insert into ", "update ", "delete from ", "drop table ", "alter table "];
const EXECUTORS: &[&str] =
    &[".execute(", ".query(", ".exec(", ".raw(", ".executequery(", ".executeupdate(", ".queryrow(", ".prepare("];

/// Returns true if a line joins a query, or the argument of an execute call, with values.
pub(super) fn joins_query(code: &str) -> bool {
    let lower = code.to_ascii_lowercase();
    let executes = EXECUTORS.iter().any(|executor| lower.contains(executor));
    let query = holds_query(&lower);
    (executes && (query || lower.contains("sql")) || query && is_assignment(&lower)) && is_joined(&lower)
}

/// Returns true if an expression joins a query with values.
pub(super) fn is_joined_query(expression: &str) -> bool {
    let lower = expression.to_ascii_lowercase();
    holds_query(&lower) && is_joined(&lower)
}

/// Returns the start of an expression that may be a query: after an execute call, else after an assignment or `return`.
pub(super) fn expression_start(code: &str) -> Option<ExpressionStart> {
    let lower = code.to_ascii_lowercase();
    let executed = EXECUTORS.iter().filter_map(|executor| Some(lower.find(executor)? + executor.len())).min();
    let returned = || lower.starts_with("return ").then_some("return ".len());
    let taken = || assignment(&lower).or_else(returned);
    executed.map(ExpressionStart::Arguments).or_else(|| taken().map(ExpressionStart::Value))
}

/// Byte offset at which an expression starts.
#[derive(Clone, Copy)]
pub(super) enum ExpressionStart {
    Arguments(usize),
    Value(usize),
}

/// Returns the offset after the first assignment operator.
fn assignment(lower: &str) -> Option<usize> {
    let at = lower.find('=')?;
    let compares = lower[..at].ends_with(['=', '!', '<', '>']) || lower[at + 1..].starts_with(['=', '>', '~']);
    (!compares && !lower[..at].contains(['"', '\'', '`'])).then_some(at + 1)
}

pub(super) fn has_verb(line: &str) -> bool {
    let lower = format!("{} ", line.trim().to_ascii_lowercase());
    VERBS.iter().any(|verb| lower.contains(verb))
}

fn holds_query(lower: &str) -> bool {
    VERBS.iter().any(|verb| quoted(lower, verb))
}

/// Returns true if a quote directly precedes the verb. Tagged templates do not count: they receive text and values
/// separately.
fn quoted(lower: &str, verb: &str) -> bool {
    lower.match_indices(verb).any(|(at, _)| {
        let before = lower[..at].trim_end();
        let tag = before.strip_suffix('`').unwrap_or_default();
        let tagged = tag.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | ')'));
        before.ends_with(['"', '\'', '`']) && (!tagged || tag.ends_with("string.raw") || tag.ends_with("return"))
    })
}

fn is_assignment(lower: &str) -> bool {
    lower.contains('=') || lower.starts_with("return ")
}

/// Returns true if text and values are joined: by an operator next to a quote, in a template, or by a format function.
fn is_joined(lower: &str) -> bool {
    const JOINTS: &[&str] = &[
        "\" +",
        "' +",
        "\"+",
        "'+",
        "+ \"",
        "+ '",
        "` +",
        "`+",
        "\".concat(",
        "'.concat(",
        "`.concat(",
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
