//! Decides the intent of a request from its mode, its goal and whether it has code, alike for every language.
//!
//! Code runs only if the goal asks for a run or requests nothing. A goal that is not understood never counts as a run,
//! because running a file does not serve "translate this".

mod closed_vocabulary;
mod existing_code;
mod lexicon {
    include!(concat!(env!("OUT_DIR"), "/words/intent.rs"));
}
mod non_english;
mod tool_selection;
mod tool_words {
    include!(concat!(env!("OUT_DIR"), "/words/tools.rs"));
}

use crate::caller_code::detection::language_of;
use crate::language;
use crate::tokenize::{Word, words};
use crate::types::{GenerateRequest, GenerationMode, Tool, is_blank};
use closed_vocabulary::CodeContext;
pub(crate) use existing_code::requires_caller_code;
use existing_code::work_on_existing_code;
use lexicon as lex;

/// The work that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Run the code as it is.
    Run,
    /// Run the tests of the code if the test runner finds any, else the code as it is.
    RunOrTest,
    /// Run the tests of the code; no tests is an error.
    Test,
    /// Add tests and leave the code unchanged.
    WriteTests,
    /// Change the code.
    Change,
    /// Describe the code as reference documentation.
    Document,
    /// Answer a question about the code.
    Explain,
    /// Write new code for the goal.
    Generate,
}

/// Returns the intent of a request; a mode other than `Auto` overrides the goal.
pub(crate) fn intent(request: &GenerateRequest) -> Intent {
    let code = request.code.as_deref();
    // Code that a human supplies is the answer to the goal, so it is only run.
    if request.supplied {
        return if request.mode == GenerationMode::Test || asks_for_a_test_run(&request.goal) {
            Intent::Test
        } else {
            Intent::RunOrTest
        };
    }
    match (request.mode, code) {
        (GenerationMode::Run, _) => Intent::Run,
        (GenerationMode::Test, _) => Intent::Test,
        (GenerationMode::WriteTests, _) => Intent::WriteTests,
        (GenerationMode::Change, _) => Intent::Change,
        (GenerationMode::Document, _) => Intent::Document,
        (GenerationMode::Explain, _) => Intent::Explain,
        (GenerationMode::Generate, _) => Intent::Generate,
        // An empty file says nothing about the goal.
        (GenerationMode::Auto, code) if is_blank(code) => {
            work_on_existing_code(&request.goal).unwrap_or(Intent::Generate)
        }
        (GenerationMode::Auto, code) => {
            let code = code.unwrap_or_default();
            let (named, file) = (request.language.as_deref(), request.current_file.as_deref());
            let own = language_of(named, file, code).map_or_else(Vec::new, language::names);
            of_goal(&request.goal, &CodeContext::of(code, file, own))
        }
    }
}

/// Returns the tool that serves the whole request; `None` if there is none. `definitions` are the names that the code
/// defines.
pub(crate) fn tool(request: &GenerateRequest, definitions: &[String]) -> Option<Tool> {
    let goal = request.goal.as_str();
    match request.mode {
        GenerationMode::Auto => tool_selection::of_goal(intent(request), goal, definitions),
        // The goal may only narrow the names that the mode applies to.
        GenerationMode::WriteTests => tool_selection::of_mode(Intent::WriteTests, goal, definitions),
        GenerationMode::Document => tool_selection::of_mode(Intent::Document, goal, definitions),
        GenerationMode::Change => tool_selection::of_mode(Intent::Change, goal, definitions),
        GenerationMode::Run | GenerationMode::Test | GenerationMode::Explain | GenerationMode::Generate => None,
    }
}

/// Returns whether a goal is about docstrings.
pub(crate) fn names_docstrings(goal: &str) -> bool {
    tool_selection::names_docstrings(&words(goal))
}

fn asks_for_a_test_run(goal: &str) -> bool {
    let words = words(goal);
    (0..words.len()).any(|at| asks_to_run_tests(&words, at))
}

/// Returns the intent of a goal with code. Of several requests, the one that changes most takes precedence.
fn of_goal(goal: &str, context: &CodeContext) -> Intent {
    let words = words(goal);
    if let Some(intent) = non_english::of_unspaced(goal) {
        return intent;
    }
    let mut actions = RequestedActions::default();
    for at in 0..words.len() {
        actions.add(&words, at);
    }
    let Some(intent) = actions.intent() else { return without_command(&words, context) };
    let understood = match intent {
        Intent::Run | Intent::RunOrTest | Intent::Test => closed_vocabulary::is_run(&words, context),
        Intent::Document => closed_vocabulary::is_documentation(&words, context),
        Intent::WriteTests | Intent::Change | Intent::Explain | Intent::Generate => true,
    };
    if understood { intent } else { non_english::of_words(&words).unwrap_or(Intent::Change) }
}

/// The requests of a goal.
#[derive(Default)]
struct RequestedActions {
    runs: bool,
    changes: bool,
    writes_tests: bool,
    documents: bool,
    explains: bool,
    generates: bool,
    /// True if tests are to be run.
    tests: bool,
    /// True if tests are mentioned that may be run.
    mentions_tests: bool,
}

impl RequestedActions {
    /// Returns the requests of one word.
    fn of(words: &[Word], at: usize) -> Self {
        let mut actions = Self::default();
        actions.add(words, at);
        actions
    }

    fn add(&mut self, words: &[Word], at: usize) {
        self.add_run(words, at);
        self.changes |= asks_for_change(words, at);
        self.writes_tests |= asks_for_tests(words, at);
        self.documents |= asks_for_documentation(words, at);
        self.explains |= asks_for_explanation(words, at);
        self.generates |= asks_for_new_code(words, at);
        self.tests |= asks_to_run_tests(words, at);
        self.mentions_tests |= text(words, at).starts_with("test") && !is_negated(words, at) && !in_remark(words, at);
    }

    fn add_run(&mut self, words: &[Word], at: usize) {
        if starts_other_tool(words, at) {
            self.changes = true;
        } else {
            self.runs |= asks_for_run(words, at);
        }
    }

    fn intent(&self) -> Option<Intent> {
        let by_precedence = [
            (self.changes, Intent::Change),
            (self.generates, Intent::Generate),
            (self.writes_tests, Intent::WriteTests),
            (self.documents, Intent::Document),
            (self.explains, Intent::Explain),
            (self.tests, Intent::Test),
            (self.runs && self.mentions_tests, Intent::RunOrTest),
            (self.runs, Intent::Run),
        ];
        by_precedence.into_iter().find(|(asked, _)| *asked).map(|(_, intent)| intent)
    }
}

/// Returns the intent of a goal without a command: a title is a run, any other goal an unknown request.
fn without_command(words: &[Word], context: &CodeContext) -> Intent {
    if let Some(intent) = non_english::of_words(words) {
        intent
    } else if closed_vocabulary::is_title(words, context) {
        Intent::Run
    } else if words.iter().any(|word| lex::TESTS.contains(&word.text.as_str())) {
        Intent::WriteTests
    } else {
        Intent::Change
    }
}

fn text(words: &[Word], at: usize) -> &str {
    words.get(at).map_or("", |word| word.text.as_str())
}

fn is(words: &[Word], at: usize, list: &[&str]) -> bool {
    words.get(at).is_some_and(|word| list.contains(&word.text.as_str()))
}

/// Returns the index of the first word of the clause that contains `at`.
fn clause_start(words: &[Word], at: usize) -> usize {
    (0..=at).rev().find(|index| words[*index].starts_clause).unwrap_or(0)
}

/// Returns the words of the clause after `at`.
fn rest_of_clause(words: &[Word], at: usize) -> impl Iterator<Item = (usize, &str)> {
    let end = (at + 1..words.len()).find(|index| words[*index].starts_clause).unwrap_or(words.len());
    (at + 1..end).map(|index| (index, words[index].text.as_str()))
}

fn is_negated(words: &[Word], at: usize) -> bool {
    let start = clause_start(words, at);
    (at.saturating_sub(3).max(start)..at).any(|near| is(words, near, lex::NEGATIONS))
}

/// Returns whether `at` is in a clause that describes the code ("it uses unittest").
fn in_remark(words: &[Word], at: usize) -> bool {
    let start = clause_start(words, at);
    start > 0 && start < at && is(words, start, lex::REMARKS)
}

/// Returns whether the word at `at` is in the position of a command: at the start of a clause or after a word that
/// leads to one, not negated, and not the purpose of a run ("run this to fix the index").
fn is_command(words: &[Word], at: usize) -> bool {
    if is_negated(words, at) || is(words, at + 1, &["nothing", "none", "no"]) {
        return false;
    }
    let Some(before) = at.checked_sub(1) else { return true };
    if text(words, before) == "to" {
        let asked = before.checked_sub(1).is_some_and(|earlier| is(words, earlier, lex::WISHES));
        let runs_before = (0..before).any(|earlier| is(words, earlier, lex::RUN));
        return asked && !runs_before;
    }
    let you_should = is(words, before, &["should", "must", "can", "could", "may"])
        && before.checked_sub(1).is_some_and(|earlier| is(words, earlier, &["you", "we"]));
    words[at].starts_clause || is(words, before, lex::LEADS) || you_should
}

/// Returns whether a word of `list` follows `at`, with only `modifiers` between them.
fn followed_by(words: &[Word], at: usize, modifiers: &[&str], list: &[&str]) -> bool {
    let next = (at + 1..words.len()).find(|next| is(words, *next, list) || !is(words, *next, modifiers));
    next.is_some_and(|next| is(words, next, list))
}

/// Returns whether the word is a verb here: unambiguous, or followed by an object.
fn is_verb_here(words: &[Word], at: usize) -> bool {
    !is(words, at, lex::CHANGE_SOMETHING) || is(words, at + 1, lex::OBJECTS)
}

/// Returns whether a command runs another program: "run black on this", "run it through mypy".
fn starts_other_tool(words: &[Word], at: usize) -> bool {
    is(words, at, lex::RUN)
        && is_command(words, at)
        && (at + 1..words.len().min(at + 6)).any(|next| is(words, next, lex::TOOLS) && !is_negated(words, next))
}

fn asks_for_run(words: &[Word], at: usize) -> bool {
    let mut rest = rest_of_clause(words, at);
    if (at + 1..words.len().min(at + 12))
        .any(|next| text(words, next) == "without" && is(words, next + 1, &["running", "executing"]))
    {
        return false;
    }
    let tests = text(words, at) == "test" && !is(words, at + 1, lex::TEST_HEADS) && !is(words, at + 1, lex::TEST_PLANS);
    if is(words, at, lex::RUN) && is_verb_here(words, at) || tests {
        return is_command(words, at) && !rest.any(|(next, _)| is(words, next, lex::JUDGEMENTS));
    }
    if is(words, at, lex::SHOW) && !gets_it_done(words, at) {
        return (is_command(words, at) || text(words, at) == "sure")
            && rest.any(|(next, _)| is(words, next, lex::SHOWN));
    }
    let only = words[at].starts_clause && is(words, at, &["only", "just"]) && is(words, at + 1, &["the", "its"]);
    only && is(words, at + 2, &["output", "result", "results"]) || asks_what_it_prints(words, at)
}

/// Returns whether a question is answered by a run: "What does this print?", "Does it run?".
fn asks_what_it_prints(words: &[Word], at: usize) -> bool {
    if !words[at].starts_clause || !is(words, at, &["what", "whats", "does", "is"]) {
        return false;
    }
    let answers: &[&str] = match text(words, at) {
        "does" => &["run", "work", "execute", "start", "pass"],
        "is" => &["working", "running"],
        _ => &["print", "prints", "output", "outputs", "return", "result", "results", "display", "printed"],
    };
    rest_of_clause(words, at).any(|(next, _)| is(words, next, answers))
        && !rest_of_clause(words, at).any(|(next, _)| is(words, next, &["on", "under", "if", "wrong", "why"]))
}

const PASSES: &[&str] = &["pass", "passes", "passing", "green", "succeed", "succeeds", "fail", "fails", "failing"];

fn makes_sure(words: &[Word], at: usize) -> bool {
    text(words, at) == "make" && is(words, at + 1, &["sure", "certain"])
}

/// Returns whether "get" asks for a change, as in "Get this to run on Windows".
fn gets_it_done(words: &[Word], at: usize) -> bool {
    text(words, at) == "get" && is(words, at + 1, &["this", "it", "that"])
}

fn asks_for_change(words: &[Word], at: usize) -> bool {
    if !is_command(words, at) || is(words, at + 1, lex::NEGATIONS) {
        return false;
    }
    let shown = rest_of_clause(words, at).any(|(next, _)| is(words, next, lex::SHOWN) || is(words, next, PASSES));
    if makes_sure(words, at) || is(words, at, &["verify", "confirm", "ensure"]) {
        // A run only shows its output; comparing that with an expectation is allowed.
        let compares = is(words, at, &["verify", "confirm"]) && (0..at).any(|before| is(words, before, lex::RUN));
        return !shown && !compares;
    }
    if text(words, at) == "send" && is(words, at + 1, &["me", "us"]) {
        return false;
    }
    if text(words, at) == "make" && shown && !makes_sure(words, at) && points_or_tests(words, at) {
        return true;
    }
    let has_them_pass =
        is(words, at, &["get", "let", "have"]) && shown && rest_of_clause(words, at).any(|(_, word)| word == "to");
    if gets_it_done(words, at) || has_them_pass {
        return true;
    }
    let adds_tests = is(words, at, lex::MAKE_OR_CHANGE) && (names_tests(words, at) || names_documentation(words, at));
    let makes_new = asks_for_new_code(words, at);
    is(words, at, lex::CHANGE) && is_verb_here(words, at) && !adds_tests && !makes_new
        || is(words, at, lex::MAKE)
            && is_about_given_code(words)
            && !names_tests(words, at)
            && !names_documentation(words, at)
}

/// Returns whether the clause refers to the caller's code. After "and" a pronoun may refer to the new code.
fn points_at_code(words: &[Word], at: usize) -> bool {
    let made = rest_of_clause(words, at).take_while(|(_, word)| *word != "and");
    made.into_iter().any(|(next, _)| is(words, next, lex::POINTERS))
}

fn points_or_tests(words: &[Word], at: usize) -> bool {
    points_at_code(words, at) || names_runnable_tests(words, at)
}

/// Returns whether a goal wants a new thing: "I need a script that ...", "Give me a program".
fn wants_new_thing(words: &[Word], at: usize) -> bool {
    let wants = is(words, at, &["need", "want", "like", "give", "get"]) && !is_negated(words, at);
    let article = (at + 1..words.len().min(at + 3)).find(|next| is(words, *next, &["a", "an"]));
    let thing = article.is_some_and(|article| {
        (article + 1..words.len().min(article + 5)).any(|next| is(words, next, lex::NEW_THINGS))
    });
    wants && thing && !points_at_code(words, at)
}

fn asks_for_new_code(words: &[Word], at: usize) -> bool {
    let makes = is(words, at, lex::MAKE) || is(words, at, &["make", "implement"]) && text(words, at + 1) != "the";
    let names_other = names_tests(words, at) || names_documentation(words, at) || makes_sure(words, at);
    (wants_new_thing(words, at) || makes && is_command(words, at) && !names_other) && !is_about_given_code(words)
}

/// Returns whether a goal refers to the caller's code anywhere.
fn is_about_given_code(words: &[Word]) -> bool {
    (0..words.len()).any(|at| {
        let definite =
            text(words, at) == "the" && (at + 1..words.len().min(at + 4)).any(|next| is(words, next, lex::CODE_NOUNS));
        definite || is(words, at, lex::GIVEN)
    })
}

fn names_tests(words: &[Word], at: usize) -> bool {
    // "Write a test data generator" does not ask for tests.
    let noun = (at + 1..words.len()).find(|next| is(words, *next, lex::TESTS) || text(words, *next) == "test");
    let plain = noun.is_some_and(|noun| {
        text(words, noun) != "test"
            || noun + 1 == words.len()
            || is(words, noun + 1, lex::TEST_HEADS)
            || is(words, noun + 1, &["for", "to", "that", "which"])
    });
    plain && followed_by(words, at, lex::TEST_MODIFIERS, &[lex::TESTS, &["test"]].concat())
}

fn asks_for_tests(words: &[Word], at: usize) -> bool {
    let makes = is(words, at, lex::MAKE) || is(words, at, lex::MAKE_OR_CHANGE);
    let covers = text(words, at) == "cover" && (at..words.len().min(at + 6)).any(|near| is(words, near, lex::TESTS));
    let unit_tests = text(words, at) == "unit" && text(words, at + 1) == "test" && is(words, at + 2, lex::OBJECTS);
    let gives = (is(words, at, lex::SHOW) || is(words, at, &["try", "start", "output", "return"]))
        && names_new_tests(words, at);
    (makes && names_tests(words, at) || covers || unit_tests || gives) && is_command(words, at)
}

/// Returns whether tests are asked for that do not exist yet: "give me unit tests", not "show the results of the
/// tests".
fn names_new_tests(words: &[Word], at: usize) -> bool {
    let noun = rest_of_clause(words, at).find(|(next, _)| is_tests_noun(words, *next));
    noun.is_some_and(|(noun, _)| !(at + 1..noun).any(|index| is(words, index, lex::DEFINITE)))
}

fn names_documentation(words: &[Word], at: usize) -> bool {
    followed_by(words, at, lex::DOC_MODIFIERS, lex::DOC_NOUNS)
}

fn asks_for_documentation(words: &[Word], at: usize) -> bool {
    let makes = is(words, at, lex::MAKE) || is(words, at, lex::MAKE_OR_CHANGE);
    (is(words, at, lex::DOCUMENT) || makes && names_documentation(words, at)) && is_command(words, at)
}

fn asks_for_explanation(words: &[Word], at: usize) -> bool {
    if in_remark(words, at) {
        return false;
    }
    let rest = || rest_of_clause(words, at);
    if is(words, at, lex::EXPLAIN) && is_verb_here(words, at) && is_command(words, at) {
        return true;
    }
    let shows = is(words, at, lex::SHOW) || is(words, at, lex::RUN) || is(words, at, lex::MAKE);
    if shows && is_command(words, at) {
        let any = |list: &[&str]| rest().any(|(next, _)| is(words, next, list) && !is_negated(words, next));
        let counts = rest().any(|(next, word)| word == "how" && is(words, next + 1, &["many", "much", "long"]));
        let is_state = |at: usize| is(words, at, &["is", "are", "was", "were", "looks"]);
        let verdict = rest().any(|(next, word)| matches!(word, "right" | "correct") && is_state(next.wrapping_sub(1)));
        let asked = (any(&["how", "why", "wrong"]) || verdict) && !counts
            || any(&["does"]) && !any(&["output", "outputs", "prints", "print"]);
        // The test counts serve "Run the tests and give me a summary".
        let sums_up = any(&["summary", "overview"]) && (0..at).any(|before| is(words, before, lex::TESTS));
        let judged = any(lex::JUDGEMENTS) && !sums_up;
        return judged || is(words, at, lex::SHOW) && asked;
    }
    let joined =
        is(words, at.wrapping_sub(1), &["and", "or", "but"]) && is(words, at, &["what", "why", "how", "where"]);
    let joined = joined && !is(words, at + 1, &["many", "much", "long"]);
    let is_question = (words[at].starts_clause || joined) && is(words, at, lex::QUESTIONS) && at + 1 < words.len();
    is_question && !asks_what_it_prints(words, at) && !asks_whether_tests_pass(words, at) && !is_announcement(words, at)
}

/// Returns whether a clause only starts like a question: "Do not change it", "Would you run this".
fn is_announcement(words: &[Word], at: usize) -> bool {
    is(words, at, &["have", "would", "will"]) && is(words, at + 1, &["a", "you"])
        || is(words, at, &["do", "does"]) && is(words, at + 1, &["not", "this", "it", "run"])
}

/// Returns whether a question asks for test results: "Do the tests pass?", "Does the code pass its tests?"
fn asks_whether_tests_pass(words: &[Word], at: usize) -> bool {
    let counts = text(words, at) == "how" && text(words, at + 1) == "many" || text(words, at) == "which";
    let ends = |next: usize| is(words, next, PASSES) || is(words, next, &["ok", "work", "run"]);
    (counts || is(words, at, &["do", "does", "will", "are", "is"]))
        && names_runnable_tests(words, at)
        && rest_of_clause(words, at).any(|(next, _)| ends(next))
}

fn names_runnable_tests(words: &[Word], at: usize) -> bool {
    rest_of_clause(words, at).any(|(next, _)| is_tests_noun(words, next))
}

/// Returns whether a noun means tests that can be run: not negated and not a qualifier ("the test results").
fn is_tests_noun(words: &[Word], at: usize) -> bool {
    let plural = is(words, at, lex::TESTS);
    let composed = text(words, at) == "test" && is(words, at + 1, lex::TEST_HEADS);
    (plural || composed) && !is_negated(words, at)
}

fn asks_to_run_tests(words: &[Word], at: usize) -> bool {
    if in_remark(words, at) || is_negated(words, at) {
        return false;
    }
    let runs = is(words, at, lex::RUN) || is(words, at, lex::SHOW) || is(words, at, &["make"]);
    let named = runs && is_command(words, at) && names_runnable_tests(words, at);
    let verb = text(words, at) == "test" && is_command(words, at) && names_runner(words, at);
    named || verb || is_runner(words, at) || asks_whether_tests_pass(words, at)
}

fn names_runner(words: &[Word], at: usize) -> bool {
    rest_of_clause(words, at).any(|(next, _)| is(words, next, lex::RUNNERS) && !is_negated(words, next))
}

/// Returns whether a test runner is the means ("run it with python -m pytest"), not something that the code uses.
fn is_runner(words: &[Word], at: usize) -> bool {
    if !is(words, at, lex::RUNNERS) {
        return false;
    }
    let filler = &["the", "my", "this", "these", "python", "python3", "m", "via", "all"];
    let by = (0..at).rev().find(|before| !is(words, *before, filler));
    let means = by.is_some_and(|by| {
        is(words, by, lex::RUN) || is(words, by, &["with", "using", "under", "by", "through", "use", "via"])
    });
    is_command(words, at) || means
}

#[cfg(test)]
mod tests;
