//! Extracts parameter values from a goal: a number near a cue, a name after "named", or one of the choices.

use std::ops::Range;

use super::{Parameter, ParameterKind};
use crate::tokenize::NUMBERED_NAMES;

/// Maximum distance in words between a number and its cue.
const MAX_CUE_DISTANCE: usize = 3;
const NAME_MARKERS: &[&str] = &["named", "called", "naming", "name", "calling"];
/// Words that are never names.
const NOT_NAMES: &[&str] = &["I", "A", "The", "It", "Python", "JavaScript", "None", "True", "False"];
/// Words that a version number follows.
const VERSIONED: &[&str] = &["python", "node", "nodejs", "node.js", "version", "es"];
const NUMBER_WORDS: &[(&str, f64)] = &[
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("twelve", 12.0),
    ("fifteen", 15.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("sixty", 60.0),
    ("hundred", 100.0),
    ("thousand", 1_000.0),
];
/// Units of time in seconds.
const UNITS: &[(&str, f64)] = &[
    ("ms", 0.001),
    ("millisecond", 0.001),
    ("milliseconds", 0.001),
    ("s", 1.0),
    ("sec", 1.0),
    ("secs", 1.0),
    ("second", 1.0),
    ("seconds", 1.0),
    ("min", 60.0),
    ("mins", 60.0),
    ("minute", 60.0),
    ("minutes", 60.0),
    ("h", 3_600.0),
    ("hour", 3_600.0),
    ("hours", 3_600.0),
    ("day", 86_400.0),
    ("days", 86_400.0),
    ("week", 604_800.0),
    ("weeks", 604_800.0),
];

/// A value that a goal sets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ParameterValue {
    Number(f64),
    /// A choice as spelled in `recipe.toml`, or an identifier.
    Text(String),
}

/// The values that a goal sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ParameterValues {
    /// By index of the parameter.
    pub(crate) set: Vec<(usize, ParameterValue)>,
    /// The index of the first parameter whose value is not allowed.
    pub(crate) out_of_range: Option<usize>,
    /// The goal without the words of the values.
    pub(crate) rest: String,
}

/// A word of the goal and its byte range.
struct Token<'a> {
    text: &'a str,
    lower: String,
    at: Range<usize>,
}

/// The words of a goal, shared by the extraction for several recipes.
pub(crate) struct GoalTokens<'a> {
    goal: &'a str,
    tokens: Vec<Token<'a>>,
}

impl<'a> GoalTokens<'a> {
    pub(crate) fn of(goal: &'a str) -> Self {
        Self { goal, tokens: tokens(goal) }
    }

    /// Returns whether a word is a number in digits that belongs to no name ("Python 3", "ISO 8601").
    pub(crate) fn has_number(&self) -> bool {
        let is_number =
            |token: &Token<'_>| token.lower.starts_with(|c: char| c.is_ascii_digit()) && parse_number(token).is_some();
        let is_of_name = |at: usize| {
            let name = at.checked_sub(1).map(|before| self.tokens[before].lower.as_str());
            name.is_some_and(|name| VERSIONED.contains(&name) || NUMBERED_NAMES.contains(&name))
        };
        (0..self.tokens.len()).any(|at| is_number(&self.tokens[at]) && !is_of_name(at))
    }

    /// Extracts the values of a recipe's parameters; `None` if the goal sets none.
    pub(crate) fn read(&self, parameters: &[Parameter]) -> Option<ParameterValues> {
        let (tokens, mut values, mut taken) = (&self.tokens, ParameterValues::default(), Vec::new());
        for (index, parameter) in parameters.iter().enumerate() {
            let found = match parameter.kind {
                ParameterKind::Integer | ParameterKind::Number | ParameterKind::DurationSeconds => {
                    number(parameter, tokens, &taken)
                }
                ParameterKind::Identifier => name(parameter, tokens),
                ParameterKind::Choice => choice(parameter, tokens),
            };
            let Some((value, at)) = found else { continue };
            if parameter.allows(&value) {
                values.set.push((index, value));
            } else {
                values.out_of_range = values.out_of_range.or(Some(index));
            }
            taken.push(at);
        }
        let is_taken = |index: &usize| taken.iter().any(|at| at.contains(index));
        let kept = tokens.iter().enumerate().filter(|(index, _)| !is_taken(index)).map(|(_, token)| token);
        values.rest = kept.map(|token| &self.goal[token.at.clone()]).collect::<Vec<_>>().join(" ");
        (!taken.is_empty()).then_some(values)
    }
}

/// Splits a goal into words; punctuation inside a word belongs to it: `order_total`, `SHA-512`, `1,000`, `0.5`.
fn tokens(goal: &str) -> Vec<Token<'_>> {
    let pieces = goal.split(|c: char| c.is_whitespace() || matches!(c, '=' | '(' | ')' | '/'));
    let mut found = Vec::new();
    for piece in pieces {
        let start = piece.as_ptr() as usize - goal.as_ptr() as usize;
        let text = piece.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
        if !text.is_empty() {
            found.push(Token { text, lower: text.to_lowercase(), at: start..start + piece.len() });
        }
    }
    found
}

fn parse_number(token: &Token<'_>) -> Option<f64> {
    let word = NUMBER_WORDS.iter().find(|(word, _)| *word == token.lower).map(|(_, number)| *number);
    word.or_else(|| token.text.replace([',', '_'], "").parse().ok()).filter(|number: &f64| number.is_finite())
}

/// Parses "30s", "500ms" or a number followed by a unit. Returns seconds and the number of words.
fn duration(tokens: &[Token<'_>], at: usize) -> Option<(f64, usize)> {
    let unit = |text: &str| UNITS.iter().find(|(name, _)| *name == text).map(|(_, seconds)| *seconds);
    let token = tokens.get(at)?;
    let digits = token.lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if let (Ok(number), Some(seconds)) = (digits.parse::<f64>(), unit(&token.lower[digits.len()..])) {
        return Some((number * seconds, 1));
    }
    let seconds = unit(&tokens.get(at + 1)?.lower)?;
    parse_number(token).map(|number| (number * seconds, 2))
}

/// Returns the number nearest to a cue of the parameter.
fn number(
    parameter: &Parameter,
    tokens: &[Token<'_>],
    taken: &[Range<usize>],
) -> Option<(ParameterValue, Range<usize>)> {
    let wants_time = parameter.kind == ParameterKind::DurationSeconds;
    let is_cue = |at: usize| parameter.is_cue(&tokens[at.min(tokens.len())..]);
    let mut best: Option<(usize, f64, Range<usize>)> = None;
    for at in (0..tokens.len()).filter(|at| !taken.iter().any(|span| span.contains(at))) {
        let rate = |at: usize| is_cue(at.checked_sub(1)?).then(|| UNITS.iter().find(|it| it.0 == tokens[at].lower))?;
        let read = match (wants_time, duration(tokens, at), parse_number(&tokens[at])) {
            (true, Some((seconds, length)), _) => Some((seconds, length)),
            // "Per minute" is a duration without a number.
            (true, None, None) => rate(at).map(|(_, seconds)| (*seconds, 1)),
            (true, None, Some(number)) => at.checked_sub(1).filter(|before| is_cue(*before)).map(|_| (number, 1)),
            (false, None, Some(number)) => Some((number, 1)),
            (false, _, _) => None,
        };
        let Some((value, length)) = read else { continue };
        let before = (1..=MAX_CUE_DISTANCE).find(|step| at.checked_sub(*step).is_some_and(is_cue));
        let after = (1..=MAX_CUE_DISTANCE).find(|step| is_cue(at + length - 1 + step));
        let Some(distance) = before.into_iter().chain(after).min() else { continue };
        if best.as_ref().is_none_or(|(least, ..)| distance < *least) {
            best = Some((distance, value, at..at + length));
        }
    }
    best.map(|(_, value, at)| (ParameterValue::Number(value), at))
}

/// Returns the name after "named" or "called" if it has the case of the replaced name and is not an ordinary word.
fn name(parameter: &Parameter, tokens: &[Token<'_>]) -> Option<(ParameterValue, Range<usize>)> {
    let replaced = parameter.identifier.as_deref()?;
    let is_class = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase());
    let fits = |text: &str| {
        let is_special = text.contains('_') || text.chars().any(|c| c.is_ascii_uppercase());
        let is_name = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !text.starts_with(|c: char| c.is_ascii_digit());
        is_special && is_name && is_class(text) == is_class(replaced) && !NOT_NAMES.contains(&text)
    };
    let is_naming = |at: usize| {
        let token = &tokens[at];
        NAME_MARKERS.contains(&token.lower.as_str())
            || token.lower == "it" && at > 0 && NAME_MARKERS.contains(&tokens[at - 1].lower.as_str())
    };
    let at = (1..tokens.len()).find(|at| is_naming(at - 1) && fits(tokens[*at].text))?;
    Some((ParameterValue::Text(tokens[at].text.to_owned()), at - 1..at + 1))
}

/// Returns one of the choices, ignoring case and punctuation: "SHA-512" is `sha512`.
fn choice(parameter: &Parameter, tokens: &[Token<'_>]) -> Option<(ParameterValue, Range<usize>)> {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let found = |length: usize| {
        (0..tokens.len().saturating_sub(length - 1)).find_map(|at| {
            let text: String = tokens[at..at + length].iter().map(|token| letters(&token.lower)).collect();
            let choice = parameter.choices.iter().find(|choice| letters(choice) == text)?;
            Some((ParameterValue::Text(choice.clone()), at..at + length))
        })
    };
    (1..=3).rev().find_map(found)
}

impl Parameter {
    /// Returns whether a cue, of one word or several, begins the tokens.
    fn is_cue(&self, tokens: &[Token<'_>]) -> bool {
        let is_form = |cue: &str, word: &str| {
            cue == word || word.strip_suffix('s') == Some(cue) || cue.strip_suffix('s') == Some(word)
        };
        let begins = |cue: &String| {
            let mut words = tokens.iter().map(|token| token.lower.as_str());
            cue.split(' ').all(|part| words.next().is_some_and(|word| is_form(part, word)))
        };
        self.cues.iter().any(begins)
    }

    fn allows(&self, value: &ParameterValue) -> bool {
        match value {
            ParameterValue::Number(number) => {
                let is_whole = number.fract() == 0.0 || self.kind != ParameterKind::Integer;
                is_whole && self.min.is_none_or(|min| *number >= min) && self.max.is_none_or(|max| *number <= max)
            }
            ParameterValue::Text(_) => true,
        }
    }
}
