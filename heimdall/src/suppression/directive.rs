//! Parser of suppression comments.

use std::collections::BTreeSet;

use super::codes::{self, Linter};
use crate::rules;

/// Findings that a comment accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Covers {
    Everything,
    Security,
    Rules(BTreeSet<&'static str>),
}

/// A suppression in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    pub(crate) covers: Covers,
    /// True if, on a line of its own, it covers the statement below.
    pub(crate) reaches_below: bool,
    /// True if it names a heimdall rule that does not exist.
    pub(crate) has_unknown_rule: bool,
}

impl Directive {
    fn new(covers: Covers) -> Self {
        Self { covers, reaches_below: false, has_unknown_rule: false }
    }

    fn reaching_below(self) -> Self {
        Self { reaches_below: true, ..self }
    }
}

/// Returns the suppressions of a comment, each with its line relative to the comment's first.
pub(crate) fn parse(comment: &str, language: &str) -> Vec<(u32, Directive)> {
    let mut found = Vec::new();
    for (number, line) in (0..).zip(comment.lines()) {
        for piece in pieces(line) {
            let piece =
                piece.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '/' | '*' | '-' | '<' | '!' | '#'));
            found.extend(directive(piece, language).map(|directive| (number, directive)));
        }
    }
    found
}

/// Splits a comment line at nested comment marks that follow whitespace.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut before = ' ';
    let mut starts = vec![0];
    for (at, c) in line.char_indices() {
        if before.is_whitespace() && (c == '#' || line[at..].starts_with("//")) {
            starts.push(at);
        }
        before = c;
    }
    let ends: Vec<usize> = starts[1..].iter().copied().chain([line.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| &line[start..end]).filter(|piece| !piece.trim().is_empty())
}

fn directive(text: &str, language: &str) -> Option<Directive> {
    if let Some(rest) = word(text, "heimdall") {
        let rest = word(rest.trim_start().strip_prefix(':')?.trim_start(), "ignore")?;
        return Some(heimdall_ignore(rest.trim_start()));
    }
    if let Some(rest) = word(text, "nosec") {
        let codes = leading_codes(rest, |code| is_code(code, 3) || is_test_name(code));
        let covers = codes.map_or(Covers::Security, |codes| of_codes(Linter::Bandit, &codes));
        let found = Directive::new(covers);
        // gosec also covers the statement below; Bandit covers the line only.
        return Some(if language == "go" { found.reaching_below() } else { found });
    }
    if let Some(rest) = word(text, "nosemgrep").or_else(|| word(text, "nosem")) {
        // Rule ids of semgrep do not match rules here.
        let names_rules = rest.trim_start().starts_with(':');
        let covers = if names_rules { Covers::Rules(BTreeSet::new()) } else { Covers::Security };
        return Some(Directive::new(covers).reaching_below());
    }
    let rest = word(text, "noqa").filter(|_| language == "python")?;
    let names_rules = rest.trim_start().starts_with(':');
    let codes = leading_codes(rest, |code| is_code(code, if names_rules { 1 } else { 3 }));
    Some(Directive::new(match codes {
        Some(codes) => of_codes(Linter::Ruff, &codes),
        None if names_rules => Covers::Rules(BTreeSet::new()),
        None => Covers::Everything,
    }))
}

/// Returns the text after a word, ignoring case; `None` if the text does not start with that whole word.
fn word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (begin, rest) = text.split_at_checked(word.len())?;
    let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'));
    (begin.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

/// Parses the list after `heimdall: ignore`.
fn heimdall_ignore(rest: &str) -> Directive {
    let close = match rest.chars().next() {
        Some('[') => ']',
        Some('(') => ')',
        _ => {
            let first = rest.split([' ', '\t', ':', ',']).next().unwrap_or_default();
            let covers = match rule(first) {
                Some(id) => Covers::Rules([id].into()),
                None if is_rule_shaped(first) => Covers::Rules(BTreeSet::new()),
                None => Covers::Everything,
            };
            let has_unknown_rule = rule(first).is_none() && is_rule_shaped(first);
            return Directive { covers, reaches_below: true, has_unknown_rule };
        }
    };
    let (names, is_closed) = rest[1..].split_once(close).map_or((&rest[1..], false), |(names, _)| (names, true));
    let names: Vec<&str> =
        names.split(|c: char| c == ',' || c.is_whitespace()).filter(|name| !name.is_empty()).collect();
    let rules: BTreeSet<&'static str> = names.iter().filter_map(|name| rule(name)).collect();
    let all_known = names.iter().all(|name| rule(name).is_some());
    Directive {
        covers: Covers::Rules(rules),
        reaches_below: true,
        has_unknown_rule: !all_known || names.is_empty() || !is_closed,
    }
}

fn rule(name: &str) -> Option<&'static str> {
    rules::all().map(|rule| rule.id).find(|id| id.eq_ignore_ascii_case(name))
}

/// Returns true for capital words joined by hyphens, as in rule ids.
fn is_rule_shaped(name: &str) -> bool {
    let mut words = name.split('-');
    let is_capital = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
    name.contains('-') && words.all(is_capital)
}

/// Returns the codes at the start of a list; `None` if there are none.
fn leading_codes(rest: &str, is_code: impl Fn(&str) -> bool) -> Option<Vec<&str>> {
    let words = rest.split(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | ';' | '[' | ']' | '(' | ')'));
    let codes: Vec<&str> = words.filter(|word| !word.is_empty()).take_while(|word| is_code(word)).collect();
    (!codes.is_empty()).then_some(codes)
}

/// Returns true for letters followed by at least `min_digits` digits.
fn is_code(word: &str, min_digits: usize) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let letters = word.len() - digits.len();
    (1..=8).contains(&letters) && digits.len() >= min_digits && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns true for the form of a Bandit test name.
fn is_test_name(word: &str) -> bool {
    word.contains('_') && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn of_codes(tool: Linter, codes: &[&str]) -> Covers {
    Covers::Rules(codes.iter().flat_map(|code| codes::rules_of(tool, code)).collect())
}
