//! Recognizes goals about code that exists, in requests without code.
//!
//! Such a goal asks for the caller's code, and no recipe and no model can serve it in place of that code.

use super::{
    Intent, RequestedActions, asks_for_documentation, asks_for_tests, is, is_command, is_tests_noun, lexicon as lex,
    names_documentation, names_runnable_tests, names_tests, non_english, text, wants_new_thing,
};
use crate::tokenize::{Word, words};

/// Articles of things that do not exist yet.
const ARTICLES: &[&str] = &["a", "an"];

/// Returns the work on existing code that a goal asks for; `None` if it may ask for new code.
pub(super) fn work_on_existing_code(goal: &str) -> Option<Intent> {
    let words = words(goal);
    // In other languages only a goal of known words is a run, and those name nothing to write.
    let foreign = non_english::of_unspaced(goal).or_else(|| non_english::of_words(&words));
    if let Some(intent @ (Intent::Run | Intent::Test | Intent::Document)) = foreign {
        return Some(intent);
    }
    let (first, intent) = (0..words.len()).find_map(|at| Some((at, RequestedActions::of(&words, at).intent()?)))?;
    // "LRU cache, run the tests" names what to write before the command.
    let leads = (0..first).all(|at| is(&words, at, lex::RUN_WORDS));
    if !leads || intent == Intent::Generate || (0..=first).any(|at| asks_to_make(&words, at)) {
        return None;
    }
    let is_about_code = match intent {
        // A recipe serves goals about tests or documentation of existing code with a program that makes them.
        Intent::WriteTests => false,
        Intent::Test if names_runnable_tests(&words, first) => true,
        Intent::Run
        | Intent::RunOrTest
        | Intent::Test
        | Intent::Change
        | Intent::Document
        | Intent::Explain
        | Intent::Generate => names_code_directly(&words, first) || has_code_as_object(&words, first, intent),
    };
    is_about_code.then_some(intent)
}

/// Returns whether the word asks for something new, even if the goal mentions the caller's code as well.
fn asks_to_make(words: &[Word], at: usize) -> bool {
    let makes = is(words, at, lex::MAKE) || text(words, at) == "implement";
    let makes_new = makes && is_command(words, at) && !names_tests(words, at) && !names_documentation(words, at);
    makes_new || wants_new_thing(words, at)
}

/// Returns whether a command has a bare noun of code as its whole object: "Run script".
fn names_code_directly(words: &[Word], at: usize) -> bool {
    let names = is_code_noun(words, at + 1) || is(words, at + 1, lex::RUNNERS);
    is(words, at, lex::RUN) && names && ends_phrase(words, at + 2)
}

/// Returns whether the object of the first command is existing code, by a pronoun or by a definite noun: "Find the
/// bugs in my code".
fn has_code_as_object(words: &[Word], first: usize, intent: Intent) -> bool {
    let leads_to_object = |at: &usize| {
        [lex::RUN_WORDS, lex::LEADS, lex::OBJECTS, lex::SCANNED, lex::EXPLAIN].iter().any(|list| is(words, *at, list))
    };
    let last = (first + 1..words.len()).find(|at| !leads_to_object(at)).unwrap_or(words.len());
    (first..=last).any(|at| is_pronoun_for_code(words, at) || is_definite_code(words, at, intent))
}

/// Returns whether a pronoun means code: it qualifies no noun, and nothing new was named before it.
fn is_pronoun_for_code(words: &[Word], at: usize) -> bool {
    let is_qualifier = at + 1 < words.len()
        && !words[at + 1].starts_clause
        && !is(words, at, &["it", "them", "mine"])
        && (is(words, at + 1, ARTICLES) || ![lex::RUN_WORDS, lex::LEADS].iter().any(|list| is(words, at + 1, list)));
    let is_new = (0..at).any(|before| is(words, before, ARTICLES));
    is(words, at, &["this", "it", "these", "them", "mine"]) && !is_qualifier && !is_new
}

/// Returns whether a definite article or a word such as "my" belongs to a noun of code: "my Python program".
fn is_definite_code(words: &[Word], at: usize, intent: Intent) -> bool {
    if text(words, at) != "the" && !is(words, at, lex::GIVEN) {
        return false;
    }
    let ends = |next: &usize| words[*next].starts_clause || is(words, *next, lex::PHRASE_ENDS);
    let end = (at + 1..words.len().min(at + 5)).find(ends).unwrap_or(words.len().min(at + 5));
    // "Check the file for duplicates" may mean a file of data.
    let may_be_data = |noun: usize| {
        text(words, noun) == "file"
            && text(words, at) == "the"
            && (intent == Intent::Change || !ends_phrase(words, noun + 1))
    };
    (at + 1..end).any(|noun| (is_code_noun(words, noun) || is_tests_noun(words, noun)) && !may_be_data(noun))
}

fn is_code_noun(words: &[Word], at: usize) -> bool {
    [lex::CODE_NOUNS, lex::PROGRAMS, lex::PROJECT_NOUNS].iter().any(|nouns| is(words, at, nouns))
}

fn ends_phrase(words: &[Word], at: usize) -> bool {
    words.get(at).is_none_or(|word| word.starts_clause) || is(words, at, lex::LEADS)
}

/// Returns whether a goal seems to ask for work on code that its request does not have. Weaker than
/// [`work_on_existing_code`]: a recipe whose keywords explain the whole goal serves it all the same.
pub(crate) fn requires_caller_code(goal: &str) -> bool {
    let words = words(goal);
    let polite =
        |word: &Word| lex::LEADS.contains(&word.text.as_str()) || matches!(word.text.as_str(), "can" | "could" | "to");
    let start = words.iter().position(|word| !polite(word)).unwrap_or(0);
    if start >= words.len() {
        return false;
    }
    let about_other = words[start..].iter().take(6).any(|word| word.text == "for" || word.text == "to");
    let fixes = is(&words, start, &["fix", "repair"])
        || is(&words, start, &["debug", "correct", "patch"]) && is(&words, start + 1, lex::OBJECTS);
    fixes
        || asks_for_tests(&words, start) && about_other
        || asks_for_documentation(&words, start) && (about_other || is(&words, start, lex::DOCUMENT))
}
