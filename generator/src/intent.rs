//! What a goal asks to be done with the caller's code.

use crate::words::{Word, words};

/// What to do with the caller's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Run it as it is.
    AsGiven,
    /// Describe it.
    Document,
    /// Change it until it works.
    Fix,
    /// Leave it and add tests.
    WriteTests,
}

const FIX: &[&str] = &["fix", "repair"];
/// Verbs of repair that begin a sentence as other words too ("Correct output is expected").
const FIX_SOMETHING: &[&str] = &["debug", "correct", "patch"];
/// What makes a verb of them, standing right behind it.
const FIXED: &[&str] = &[
    "the",
    "this",
    "that",
    "these",
    "those",
    "it",
    "its",
    "my",
    "our",
    "their",
    "your",
    "any",
    "all",
    "every",
    "everything",
    "whatever",
    "what",
    "error",
    "errors",
    "bug",
    "bugs",
    "mistake",
    "mistakes",
    "issue",
    "issues",
];
const DOCUMENT: &[&str] = &["document"];
const MAKE: &[&str] =
    &["write", "add", "generate", "create", "make", "produce", "provide", "build", "develop", "implement"];
const RUN: &[&str] = &["run", "execute", "analyse", "analyze", "check", "evaluate", "print", "start", "launch", "use"];
const NEGATIONS: &[&str] = &["not", "dont", "never", "without", "no", "nothing", "none"];
/// Words after which a verb is a command.
const LEADS: &[&str] = &[
    "and",
    "then",
    "to",
    "please",
    "you",
    "must",
    "should",
    "also",
    "me",
    "just",
    "first",
    "can",
    "could",
    "or",
    "automatically",
];
const TEST_MODIFIERS: &[&str] = &[
    "a",
    "an",
    "the",
    "some",
    "more",
    "unit",
    "pytest",
    "unittest",
    "integration",
    "regression",
    "comprehensive",
    "thorough",
    "good",
    "full",
    "set",
    "of",
    "missing",
    "automated",
    "edge",
    "case",
    "new",
    "complete",
    "proper",
    "extensive",
    "python",
];
const TESTS_MODIFIERS: &[&str] = &[
    "the", "these", "this", "my", "its", "all", "of", "unit", "attached", "code", "file", "with", "and", "included",
    "python", "node", "any",
];
const DOC_NOUNS: &[&str] = &["documentation", "docs", "docstring", "docstrings"];
const DOC_MODIFIERS: &[&str] = &[
    "a",
    "an",
    "the",
    "some",
    "more",
    "markdown",
    "api",
    "good",
    "full",
    "complete",
    "missing",
    "proper",
    "comprehensive",
    "technical",
    "reference",
];

/// Reads the intent from a goal; where it asks for several things, the one that changes most wins.
pub(crate) fn intent(goal: &str) -> Intent {
    let words = words(goal);
    let any = |finds: fn(&[Word], usize) -> bool| (0..words.len()).any(|at| finds(&words, at));
    if any(asks_to_fix) {
        Intent::Fix
    } else if any(asks_for_tests) {
        Intent::WriteTests
    } else if any(asks_for_documentation) {
        Intent::Document
    } else {
        Intent::AsGiven
    }
}

/// Whether the tests that the code holds are to be run: "run the tests", "test this code", or a test runner by name.
pub(crate) fn asks_to_run_tests(goal: &str) -> bool {
    let words = words(goal);
    (0..words.len()).any(|at| {
        let negated = (at.saturating_sub(3)..at).any(|near| is(&words, near, NEGATIONS));
        let named = is_runner(&words, at) || is_test_suite(&words, at);
        let runs = is(&words, at, RUN) && followed_by(&words, at, TESTS_MODIFIERS, &["tests", "testcases"]);
        let tests = text(&words, at) == "test" && is(&words, at + 1, &["this", "it", "the", "my", "these", "that"]);
        !negated && (named || runs || tests && is_command(&words, at))
    })
}

/// A test runner as the means, not as something that the code happens to use.
fn is_runner(words: &[Word], at: usize) -> bool {
    let by = |before: usize| is(words, before, RUN) || is(words, before, &["with", "using", "under", "by", "through"]);
    let is_means = is_command(words, at)
        || at.checked_sub(1).is_some_and(by)
        || (is(words, at.saturating_sub(1), &["the", "my", "this", "these"]) && at.checked_sub(2).is_some_and(by));
    is(words, at, &["pytest", "unittest", "unittests"]) && is_means
}

fn is_test_suite(words: &[Word], at: usize) -> bool {
    text(words, at) == "test" && is(words, at + 1, &["suite", "suites"])
}

/// Whether a goal without code starts with work on code that should have come with it.
pub(crate) fn presumes_code(goal: &str) -> bool {
    let words = words(goal);
    let start = words.iter().position(|word| !LEADS.contains(&word.text.as_str())).unwrap_or(0);
    let about_other =
        words[start.min(words.len())..].iter().take(6).any(|word| word.text == "for" || word.text == "to");
    asks_to_fix(&words, start)
        || asks_for_tests(&words, start) && about_other
        || asks_for_documentation(&words, start) && (about_other || is(&words, start, DOCUMENT))
}

fn text(words: &[Word], at: usize) -> &str {
    words.get(at).map_or("", |word| word.text.as_str())
}

fn is(words: &[Word], at: usize, list: &[&str]) -> bool {
    words.get(at).is_some_and(|word| list.contains(&word.text.as_str()))
}

/// A verb is a command at the start of a clause or after a word that leads to one, unless that is negated, or it only
/// tells what running the code is for ("run this to fix the index").
fn is_command(words: &[Word], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return true };
    let negated = (at.saturating_sub(3)..at).any(|near| is(words, near, NEGATIONS)) || is(words, at + 1, NEGATIONS);
    let purpose = text(words, before) == "to" && (0..before).any(|earlier| is(words, earlier, RUN));
    let leads = words[at].starts_clause || is(words, before, LEADS);
    leads && !negated && !purpose
}

/// Whether `list` follows `at`, with nothing but `modifiers` in between.
fn followed_by(words: &[Word], at: usize, modifiers: &[&str], list: &[&str]) -> bool {
    let next = (at + 1..words.len()).find(|next| is(words, *next, list) || !is(words, *next, modifiers));
    next.is_some_and(|next| is(words, next, list))
}

fn asks_to_fix(words: &[Word], at: usize) -> bool {
    let makes_work = text(words, at) == "make"
        && followed_by(words, at, &["it", "this", "code", "the", "script"], &["work", "pass"]);
    let verb =
        is(words, at, FIX) && !is(words, at + 1, NEGATIONS) || is(words, at, FIX_SOMETHING) && is(words, at + 1, FIXED);
    (verb || makes_work) && is_command(words, at)
}

fn asks_for_tests(words: &[Word], at: usize) -> bool {
    let writes = is(words, at, MAKE) && followed_by(words, at, TEST_MODIFIERS, &["tests", "test", "testcases"]);
    // "write a test data generator" asks for something else.
    let noun = (at + 1..words.len()).find(|next| is(words, *next, &["tests", "test", "testcases"]));
    let plain = noun.is_some_and(|noun| {
        text(words, noun) != "test"
            || noun + 1 == words.len()
            || is(words, noun + 1, &["cases", "case", "suite", "for", "to", "that", "which"])
    });
    let covers = text(words, at) == "cover" && (at..words.len().min(at + 6)).any(|near| is(words, near, &["tests"]));
    (writes && plain || covers) && is_command(words, at)
}

fn asks_for_documentation(words: &[Word], at: usize) -> bool {
    let verb = is(words, at, DOCUMENT);
    let writes = is(words, at, MAKE) && followed_by(words, at, DOC_MODIFIERS, DOC_NOUNS);
    (verb || writes) && is_command(words, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Intent, goals: &[&str]) {
        for goal in goals {
            assert_eq!(intent(goal), expected, "{goal}");
        }
    }

    #[test]
    fn running_is_the_default() {
        check(
            Intent::AsGiven,
            &[
                "Run this script and show its output",
                "Execute the attached code, please",
                "Analyse this for security issues",
                "Run this script and fix nothing",
                "Run it, but do not fix anything",
                "Run this without fixing it",
                "Don't fix this, just run it",
                "Run this to fix the database index",
                "Run the bug fix script",
                "Run the fix and show the output",
                "Parse this document",
                "Run this document converter",
                "Create a document from the template",
                "Run the tests",
                "Test this code",
                "Create a JWT authentication function with tests",
                "Write a function with tests",
                "Write a test data generator",
                "Print the documentation of this module",
                "Compute the prefix sums",
                "Create a test file in the sandbox and read it back",
                "Write a test file to the temporary folder and print it",
                "Correct output is expected, run this",
                "Debug output should appear, run this please",
                "",
            ],
        );
    }

    #[test]
    fn tests_are_run_where_the_goal_asks_for_it() {
        for goal in [
            "Run the tests",
            "Run these unit tests, please",
            "Test this code",
            "Please test the attached file",
            "Execute this with pytest",
            "Run the unittest file",
            "Run my test suite",
            "Pytest this file",
            "Check all tests",
        ] {
            assert!(asks_to_run_tests(goal), "{goal}");
        }
        for goal in [
            "Run this script and show its output",
            "Run this, but do not run the tests",
            "Run this without pytest",
            "Execute the test script",
            "Print the test results",
            "Run the latest code",
            "Run this script, it uses unittest, and show its output",
            "Run this benchmark of pytest plugins",
            "",
        ] {
            assert!(!asks_to_run_tests(goal), "{goal}");
        }
    }

    #[test]
    fn fixing_is_a_command() {
        check(
            Intent::Fix,
            &[
                "Fix this code",
                "fix the bug in the parser",
                "Please fix it",
                "Run this and fix any errors",
                "Find the bug and repair it",
                "Debug this function",
                "Run it and correct any errors",
                "Please patch the parser",
                "I want you to fix this",
                "Make it work",
                "Fix this and write tests for it",
                "This crashes on startup. Fix it!",
            ],
        );
    }

    #[test]
    fn tests_are_asked_for_by_a_verb_and_its_object() {
        check(
            Intent::WriteTests,
            &[
                "Write tests for this",
                "write unit tests for it",
                "Add some pytest tests",
                "generate comprehensive test cases for this module",
                "Run this and then add tests",
                "Create a test suite for the parser",
                "Cover this with tests",
            ],
        );
    }

    #[test]
    fn documentation_is_asked_for_by_verb_or_noun() {
        check(
            Intent::Document,
            &[
                "Document this code",
                "Please document the module",
                "Add docstrings",
                "Generate documentation for it",
                "write API docs for this",
                "Run and document it",
            ],
        );
    }

    #[test]
    fn goals_that_presume_code() {
        for goal in [
            "Fix the failing parser",
            "Write tests for the login module",
            "Document the API client",
            "Please add unit tests to the parser",
        ] {
            assert!(presumes_code(goal), "{goal}");
        }
        for goal in [
            "Create a JWT function and write tests for it",
            "Write a linked list",
            "Create a fixed size buffer",
            "",
            "please",
        ] {
            assert!(!presumes_code(goal), "{goal}");
        }
    }
}
