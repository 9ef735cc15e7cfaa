//! Snippets without a name, as people paste them.

use super::content::{ContentGuess, guess};
use super::modules::is_module;

/// Checks the language of snippets, divided by lines of dashes.
#[track_caller]
fn check(expected: &str, snippets: &str) {
    for snippet in snippets.split("\n----\n") {
        let found = match guess(snippet) {
            ContentGuess::Program(language) => language.id,
            ContentGuess::Unclear => "unclear",
            ContentGuess::Data(_) => "data",
        };
        assert_eq!(found, expected, "{snippet}");
    }
}

#[test]
fn python_is_python_valid_or_broken() {
    // Unclear text is run by Python as well.
    for snippet in include_str!("snippets/python.txt").split("\n----\n") {
        let is_other = matches!(guess(snippet), ContentGuess::Program(language) if language.id != "python");
        assert!(!is_other && !matches!(guess(snippet), ContentGuess::Data(_)), "{snippet}");
    }
}

#[test]
fn the_other_offered_languages_are_found() {
    check("bash", include_str!("snippets/bash.txt"));
    check("javascript", include_str!("snippets/javascript.txt"));
    check("lua", include_str!("snippets/lua.txt"));
    check("sql", include_str!("snippets/sql.txt"));
}

#[test]
fn languages_without_a_runtime_are_found() {
    for (language, snippets) in include_str!("snippets/refused.txt").split("\n====\n").map(|part| {
        let (language, snippets) = part.split_once('\n').expect("a title");
        (language, snippets)
    }) {
        check(language, snippets);
    }
}

#[test]
fn data_is_no_program_and_prose_is_unclear() {
    check("data", include_str!("snippets/data.txt"));
    check("unclear", include_str!("snippets/unclear.txt"));
}

#[test]
fn any_text_has_a_guess_in_bounded_time() {
    for unit in
        ["(", "{", "[", "'", "`", "\"\"\"", "<<A\n", "$(", "if x\n", "\u{0}", "é", "function ", "-- ", "/*", "a: b\n"]
    {
        let text = unit.repeat(20_000);
        guess(&text);
        is_module(&text);
    }
}
