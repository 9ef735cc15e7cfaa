//! Intents of goals in languages other than English. As in English, every word of a run must be known.

use super::Intent;
use super::lexicon as lex;
use crate::tokenize::Word;
use crate::types::{CleanUp, Tool};

/// Returns the intent of a goal in a script with blanks; `None` without a known verb.
pub(super) fn of_words(words: &[Word]) -> Option<Intent> {
    let is_denied =
        |at: usize| (at.saturating_sub(2)..at).any(|near| lex::FOREIGN_NEGATIONS.contains(&words[near].text.as_str()));
    let wanted: Vec<&str> = (0..words.len()).filter(|at| !is_denied(*at)).map(|at| words[at].text.as_str()).collect();
    let runs = wanted.iter().any(|word| lex::FOREIGN_RUN.contains(word));
    let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
    let known = |word: &&str| {
        lex::FOREIGN_RUN.contains(word)
            || lex::FOREIGN_WORDS.contains(word)
            || lex::FOREIGN_NEGATIONS.contains(word)
            || lex::FOREIGN_TESTS.contains(word)
            || is_number(word)
    };
    if !runs {
        return documents(words).then_some(Intent::Document);
    }
    let tests = wanted.iter().any(|word| lex::FOREIGN_TESTS.contains(word));
    Some(match (wanted.iter().all(known), tests) {
        (false, _) => Intent::Change,
        (true, true) => Intent::Test,
        (true, false) => Intent::Run,
    })
}

/// Returns the tool that serves a whole goal in another language.
pub(super) fn tool(words: &[Word]) -> Option<Tool> {
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.text.as_str()));
    let known = [lex::FOREIGN_WRITE, lex::FOREIGN_FORMAT, lex::FOREIGN_TESTS, lex::FOREIGN_FOR, lex::FOREIGN_WORDS];
    let is_known = |word: &Word| known.iter().any(|list| list.contains(&word.text.as_str()));
    if !words.iter().all(is_known) {
        return None;
    }
    match (any(lex::FOREIGN_WRITE), any(lex::FOREIGN_FORMAT)) {
        (true, false) if any(lex::FOREIGN_TESTS) || any(&["unittests"]) => Some(Tool::WriteTests { names: Vec::new() }),
        (false, true) if !any(lex::FOREIGN_TESTS) => Some(Tool::CleanUp { steps: vec![CleanUp::Format] }),
        (true | false, _) => None,
    }
}

/// Returns whether a goal in another language asks only for documentation of the code.
fn documents(words: &[Word]) -> bool {
    let is_known = |word: &Word| {
        lex::FOREIGN_DOCUMENT.contains(&word.text.as_str()) || lex::FOREIGN_WORDS.contains(&word.text.as_str())
    };
    words.iter().any(|word| lex::FOREIGN_DOCUMENT.contains(&word.text.as_str())) && words.iter().all(is_known)
}

/// Returns the intent of a goal in a script without blanks between words; `None` for other scripts.
pub(super) fn of_unspaced(goal: &str) -> Option<Intent> {
    let is_unspaced =
        |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    if !goal.contains(is_unspaced) {
        return None;
    }
    let mut left = affirmed(goal);
    let runs = lex::CJK_RUN.iter().any(|mark| left.contains(mark));
    let tests = lex::CJK_TESTS.iter().any(|mark| left.contains(mark));
    for mark in lex::CJK_RUN.iter().chain(lex::CJK_TESTS).chain(lex::CJK_WORDS) {
        left = left.replace(mark, "");
    }
    let understood = !left.chars().any(char::is_alphanumeric);
    Some(match (understood && runs, tests) {
        (false, _) => Intent::Change,
        (true, true) => Intent::Test,
        (true, false) => Intent::Run,
    })
}

/// Returns a goal without its negated clauses.
fn affirmed(goal: &str) -> String {
    let is_end = |c: char| matches!(c, '\u{ff0c}' | '\u{3002}' | '\u{3001}' | ',' | '.' | ';' | '\u{ff1b}');
    let denied = |clause: &&str| !lex::CJK_DENIALS.iter().any(|mark| clause.contains(mark));
    goal.split(is_end).filter(denied).collect::<Vec<_>>().join(",")
}
