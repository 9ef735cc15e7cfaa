//! The closed vocabulary of goals that only run code.
//!
//! A list of requests that need other work is never complete. A goal therefore counts as a run only if every word is
//! in the vocabulary; one unknown word makes it another request.

use std::collections::HashSet;

use super::{is, lexicon as lex, text};
use crate::tokenize::Word;

/// The code's language, names and file name, which a goal may mention.
#[derive(Debug, Default)]
pub(super) struct CodeContext {
    /// Names of the language that the code is in, in lower case.
    pub(super) language: Vec<String>,
    /// Names that occur in the code, in lower case.
    pub(super) names: HashSet<String>,
    /// Parts of the name of the file.
    pub(super) file: HashSet<String>,
}

impl CodeContext {
    pub(super) fn of(code: &str, file: Option<&str>, language: Vec<String>) -> Self {
        Self { language, names: parts(code), file: parts(file.unwrap_or_default()) }
    }

    fn is_language(&self, word: &str) -> bool {
        self.language.iter().any(|name| name == word || name == word.trim_end_matches(|c: char| c.is_ascii_digit()))
    }
}

fn parts(text: &str) -> HashSet<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_lowercase).collect()
}

/// Returns whether every word of a goal with a command to run is known.
pub(super) fn is_run(words: &[Word], context: &CodeContext) -> bool {
    let scans = words.iter().any(|word| ["check", "scan", "analyse", "analyze"].contains(&word.text.as_str()));
    let tests = words.iter().any(|word| word.starts_clause && word.text == "test");
    let mut at = 0;
    while at < words.len() {
        let known = is_number(words, at)
            || is(words, at, lex::RUN_WORDS)
            || context.is_language(text(words, at))
            || scans && is(words, at, lex::SCANNED)
            || tests && is(words, at, lex::TITLE_WORDS)
            || text(words, at) == "go" && is(words, at + 1, &["ahead", "on"])
            || text(words, at) == "should" && at.checked_sub(1).is_some_and(|before| is(words, before, &["you"]))
            || text(words, at) == "how" && is(words, at + 1, &["many", "long", "much"])
            || is_noun(words, at, context);
        at = if let Some(end) = remark(words, at).or_else(|| denial(words, at)).or_else(|| modifiers(words, at)) {
            end
        } else if known {
            at + 1
        } else {
            return false;
        };
    }
    true
}

/// Returns whether a goal without a command is a title, which names the code and requests nothing.
pub(super) fn is_title(words: &[Word], context: &CodeContext) -> bool {
    let known = |at: usize| {
        is_number(words, at)
            || is(words, at, lex::TITLE_WORDS)
            || context.is_language(text(words, at))
            || context.file.contains(text(words, at))
    };
    (0..words.len()).all(known)
}

/// Returns whether a request for documentation asks only for an outline of the code.
pub(super) fn is_documentation(words: &[Word], context: &CodeContext) -> bool {
    let known = |at: usize| {
        is(words, at, lex::DOCUMENT_WORDS) || context.is_language(text(words, at)) || is_noun(words, at, context)
    };
    (0..words.len()).all(known)
}

fn is_number(words: &[Word], at: usize) -> bool {
    text(words, at).chars().all(|c| c.is_ascii_digit())
}

/// Returns whether a name of the code is in the place of a noun: "test the add function", "run main".
fn is_noun(words: &[Word], at: usize, context: &CodeContext) -> bool {
    let named = context.names.contains(text(words, at)) || context.file.contains(text(words, at));
    let before = at.checked_sub(1).is_some_and(|before| {
        is(
            words,
            before,
            &["the", "my", "this", "of", "function", "method", "class", "run", "test", "execute", "call", "file"],
        ) || context.names.contains(text(words, before)) && !is(words, before, &["and", "then"])
    });
    let definite = at.checked_sub(1).is_some_and(|before| is(words, before, &["the", "my", "function", "method"]));
    named && before && (definite || !is(words, at, lex::CHANGE) && !is(words, at, lex::EXPLAIN))
}

/// Returns the end of a clause that describes the code and requests nothing: "it uses threads".
fn remark(words: &[Word], at: usize) -> Option<usize> {
    if !words[at].starts_clause || !is(words, at, lex::REMARKS) {
        return None;
    }
    let leads = |index: usize| is(words, index, &["please", "just", "run", "execute", "could", "can", "test"]);
    let is_end = |index: &usize| {
        words[*index].starts_clause
            || text(words, *index) == "please"
            || text(words, *index) == "so" && leads(*index + 1)
    };
    let end = (at + 1..words.len()).find(is_end).unwrap_or(words.len());
    let requests = (at..end).any(|index| is(words, index, lex::MODALS));
    (!requests).then_some(end)
}

/// Returns the end of a negated request: "do not change anything", "without fixing it".
fn denial(words: &[Word], at: usize) -> Option<usize> {
    let first = match text(words, at) {
        "dont" | "never" | "without" | "no" => at + 1,
        "not" => at + 1,
        "do" if is(words, at + 1, &["not"]) => at + 2,
        "fix" | "change" | "modify" | "edit" if is(words, at + 1, &["nothing"]) => return Some(at + 2),
        _ => return None,
    };
    let denied = (first..words.len().min(first + 3)).find(|index| is(words, *index, lex::DENIED))?;
    if (first..denied).any(|index| !is(words, index, &["to", "need", "a", "an", "any", "the", "it", "have", "please"]))
    {
        return None;
    }
    let ends =
        |index: &usize| words[*index].starts_clause || is(words, *index, &["and", "just", "only", "but", "then"]);
    Some((denied + 1..words.len()).find(ends).unwrap_or(words.len()))
}

/// Returns the end of words that only qualify a program: "run the prime number script".
fn modifiers(words: &[Word], at: usize) -> Option<usize> {
    let runs =
        at.checked_sub(2).is_some_and(|verb| is(words, verb, &["run", "execute", "start", "launch", "try", "test"]));
    let definite = at.checked_sub(1).is_some_and(|article| is(words, article, &["the", "my", "this", "our"]));
    let noun = (at + 1..words.len().min(at + 3)).find(|next| is(words, *next, lex::PROGRAMS))?;
    let plain = (at..noun).all(|index| {
        !text(words, index).ends_with("ed")
            && !is(words, index, lex::COMPARATIVES)
            && crate::language::requested_other_than_python(text(words, index)).is_none()
    });
    (runs && definite && plain).then_some(noun)
}
