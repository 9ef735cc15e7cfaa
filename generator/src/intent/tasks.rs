//! Wishes about given code that tools serve without a language model. Each kind has a closed vocabulary: a goal with a word
//! beyond it wishes for more than the tool does, and is refused.

use super::task_words::{
    CLEAN_WORDS, DOCSTRING_NOUNS, DOCSTRING_WORDS, INJECTED, INJECTIONS, MAKING, PLAIN, SECURITY_NOUNS, SECURITY_VERBS,
    SECURITY_WORDS, TEST_NOUNS, TEST_WORDS,
};
use super::{Intent, foreign, is, text};
use crate::exchange::{CleanUp, Tool};
use crate::words::{Word, words};

/// Returns the tool that serves a goal whole; its intent is known already. `definitions` are the names that the code defines.
pub(super) fn of_goal(intent: Intent, goal: &str, definitions: &[String]) -> Option<Tool> {
    let words = words(goal);
    match intent {
        Intent::WriteTests => tests(goal, definitions).or_else(|| foreign::tool(&words)),
        Intent::Document => docstrings(&words),
        Intent::Change => docstrings(&words)
            .or_else(|| security(&words))
            .or_else(|| clean_up(&words))
            .or_else(|| foreign::tool(&words)),
        Intent::Run | Intent::RunOrTest | Intent::Test | Intent::Explain | Intent::Generate => None,
    }
}

fn any(words: &[Word], list: &[&str]) -> bool {
    (0..words.len()).any(|at| is(words, at, list))
}

fn all_known(words: &[Word], lists: &[&[&str]]) -> bool {
    (0..words.len()).all(|at| lists.iter().any(|list| is(words, at, list)))
}

/// Tests of what the goal names, or of everything.
fn tests(goal: &str, definitions: &[String]) -> Option<Tool> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '\'';
    let tokens: Vec<&str> = goal.split(|c| !is_part(c)).filter(|token| !token.is_empty()).collect();
    let (mut names, mut rest) = (Vec::new(), Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        match definitions.iter().find(|name| name.eq_ignore_ascii_case(token)) {
            Some(name) if is_name_here(&tokens, at) => names.push(name.clone()),
            Some(_) | None => rest.push(*token),
        }
    }
    let words = words(&rest.join(" "));
    let known = all_known(&words, &[PLAIN, MAKING, TEST_NOUNS, TEST_WORDS]);
    (any(&words, TEST_NOUNS) && known).then_some(Tool::WriteTests { names })
}

/// Returns whether a word that a definition is called means it: a function may be called `add`.
fn is_name_here(tokens: &[&str], at: usize) -> bool {
    let word = tokens[at].to_lowercase();
    let is_common = [PLAIN, MAKING, TEST_NOUNS, TEST_WORDS].iter().any(|list| list.contains(&word.as_str()));
    let before = at.checked_sub(1).map_or("", |before| tokens[before]);
    let behind = tokens.get(at + 1).copied().unwrap_or_default();
    !is_common
        || ["for", "of", "function", "class", "method"].contains(&before)
        || ["function", "class", "method"].contains(&behind)
}

/// Returns whether a goal asks for docstrings, whatever else is in it.
pub(super) fn names_docstrings(words: &[Word]) -> bool {
    (0..words.len()).any(|at| {
        is(words, at, &["docstring", "docstrings"])
            || text(words, at) == "doc" && is(words, at + 1, &["string", "strings"])
    })
}

fn docstrings(words: &[Word]) -> Option<Tool> {
    let verbs = any(words, MAKING) || any(words, &["document"]);
    let known = all_known(words, &[PLAIN, MAKING, DOCSTRING_NOUNS, DOCSTRING_WORDS]);
    (verbs && names_docstrings(words) && known).then_some(Tool::Docstrings)
}

fn security(words: &[Word]) -> Option<Tool> {
    let kind = match (any(words, INJECTIONS), any(words, &["sql"]), any(words, &["command", "shell"])) {
        (true, true, false) => Some("SQL-INJECTION"),
        (true, false, true) => Some("COMMAND-INJECTION"),
        (true, false, false) => Some("INJECTION"),
        (false, false, false) => None,
        (true, true, true) | (false, true, _) | (false, _, true) => return None,
    };
    let asks = (any(words, SECURITY_NOUNS) || kind.is_some()) && any(words, SECURITY_VERBS);
    let known = all_known(words, &[PLAIN, SECURITY_NOUNS, SECURITY_VERBS, SECURITY_WORDS, INJECTIONS, INJECTED]);
    (asks && known).then_some(Tool::FixSecurity { kind })
}

fn clean_up(words: &[Word]) -> Option<Tool> {
    if !all_known(words, &[PLAIN, CLEAN_WORDS]) {
        return None;
    }
    let imports = any(words, &["import", "imports"]);
    let sorts = any(words, &["sort", "sorted", "order", "organize", "organise", "tidy", "clean"]);
    // "Not used" and nothing else may be negated.
    let negates = any(words, &["not"]) && !any(words, &["used"]);
    let mut steps = Vec::new();
    let lays_out = any(
        words,
        &[
            "format",
            "reformat",
            "autoformat",
            "formatting",
            "formatted",
            "prettify",
            "beautify",
            "black",
            "pep8",
            "pep",
            "indentation",
            "whitespace",
            "style",
        ],
    );
    if lays_out {
        steps.push(CleanUp::Format);
    }
    if imports && sorts || any(words, &["isort"]) {
        steps.push(CleanUp::Imports);
    }
    let tidies = imports && any(words, &["clean", "cleanup", "tidy"]);
    if tidies || any(words, &["unused", "unneeded", "unnecessary", "used"]) {
        steps.push(CleanUp::Unused);
    }
    if any(words, &["modernize", "modernise", "pyupgrade"]) {
        steps.push(CleanUp::Modernize);
    }
    let all = any(words, &["clean", "cleanup", "tidy", "lint", "ruff"]);
    if steps.is_empty() && all && !imports {
        steps = vec![CleanUp::Imports, CleanUp::Unused, CleanUp::Modernize, CleanUp::Format];
    }
    (!steps.is_empty() && !negates).then_some(Tool::CleanUp { steps })
}

#[cfg(test)]
mod tests {
    use crate::exchange::{CleanUp, Mode, Request, Tool};
    use crate::intent::tool;

    const CODE: &str =
        "import os\n\n\ndef add(a, b):\n    # an edge case\n    return a + b\n\n\nclass Stack:\n    pass\n";

    fn of(goal: &str, mode: Mode) -> Option<Tool> {
        let code = Some(CODE.to_owned());
        let request = Request { goal: goal.to_owned(), code, mode, ..Request::default() };
        tool(&request, &["add".to_owned(), "Stack".to_owned()])
    }

    #[track_caller]
    fn check(expected: &Tool, goals: &[&str]) {
        for goal in goals {
            assert_eq!(of(goal, Mode::Auto).as_ref(), Some(expected), "{goal}");
        }
    }

    fn tests_of(names: &[&str]) -> Tool {
        Tool::WriteTests { names: names.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn tests_are_written_where_a_goal_asks_for_nothing_else() {
        check(
            &tests_of(&[]),
            &[
                "Write unit tests for this function",
                "Add tests please",
                "Write tests",
                "Create a test suite for this module",
                "Could you write some tests for my code?",
                "I need unit tests for this",
                "Generate pytest tests for this file",
                "hey can you pls add some unit tests for this",
                "Unit tests for this code",
                "Schreibe Tests für diesen Code",
                "Escribe pruebas para este código",
                "Please write comprehensive unit tests for the following code",
            ],
        );
        check(&tests_of(&["add"]), &["Write tests for the add function", "Add unit tests for `add`"]);
        check(&tests_of(&["add", "Stack"]), &["Write tests for add() and the class Stack"]);
    }

    #[test]
    fn clean_up_is_a_list_of_steps() {
        use CleanUp::{Format, Imports, Modernize, Unused};
        let steps = |steps: &[CleanUp]| Tool::CleanUp { steps: steps.to_vec() };
        check(
            &steps(&[Format]),
            &[
                "Format this file",
                "Format this with black",
                "Run black on this",
                "Reformat the code",
                "Fix the style warnings",
                "Formatiere diesen Code bitte",
            ],
        );
        check(&steps(&[Imports]), &["Sort the imports", "Run isort on this file"]);
        check(&steps(&[Imports, Unused]), &["Sort the imports and remove unused ones"]);
        check(&steps(&[Imports, Unused]), &["Clean up the imports"]);
        check(&steps(&[Unused]), &["Remove unused imports", "Please remove the unused imports"]);
        check(&steps(&[Modernize]), &["Modernize this code"]);
        check(
            &steps(&[Imports, Unused, Modernize, Format]),
            &[
                "Clean up this code",
                "Tidy up this script please",
                "Lint this file",
                "Fix the lint warnings",
                "Run ruff on this",
            ],
        );
    }

    #[test]
    fn security_and_docstrings_are_understood() {
        check(
            &Tool::FixSecurity { kind: Some("SQL-INJECTION") },
            &["Fix the SQL injection", "Fix the sql injection vulnerability"],
        );
        check(&Tool::FixSecurity { kind: Some("COMMAND-INJECTION") }, &["Remove the shell injection in this script"]);
        check(
            &Tool::FixSecurity { kind: None },
            &[
                "Fix the security issues",
                "Fix the security problems in this code",
                "Make this secure",
                "Make this code more secure",
                "Fix all vulnerabilities",
                "Please remove the security holes",
            ],
        );
        check(
            &Tool::Docstrings,
            &[
                "Add docstrings",
                "Add docstrings to all functions",
                "Please write docstrings for this class",
                "Add missing docstrings",
                "Document this module with docstrings",
            ],
        );
    }

    #[test]
    fn a_word_beyond_the_vocabulary_makes_it_another_wish() {
        for goal in [
            "Add tests for the edge case of empty input",
            "Write tests using unittest",
            "Write tests with 100% coverage",
            "Write tests and fix the bugs they find",
            "Write integration tests for this",
            "Do not write tests",
            "Run the tests",
            "Test this function",
            "Fix the bug",
            "Fix the security issue and rename x",
            "Fix this",
            "Fix the SQL",
            "Remove the shell command",
            "Make this faster",
            "Make this better",
            "Refactor this code",
            "Simplify this function",
            "Remove the unused function add",
            "Remove the import of os",
            "Remove all imports",
            "Do not format this",
            "Format the output as a table",
            "Sort the list in this function",
            "Clean up the temporary files",
            "Add Google style docstrings",
            "Remove the docstrings",
            "Translate the docstrings to French",
            "Add docstrings and type hints",
            "Add a class",
            "Use this module",
            "Make it run",
            "Rename add to plus",
            "Run this script",
            "Is this code secure?",
            "Explain the security issues",
            "Fix the warnings",
            "Fix the import errors",
            "Fix the syntax errors",
            "Schreibe eine Funktion",
            "Schreibe Tests für leere Listen",
            "Formatiere die Ausgabe als Tabelle",
        ] {
            assert_eq!(of(goal, Mode::Auto), None, "{goal}");
        }
    }

    #[test]
    fn a_mode_says_what_to_do() {
        assert_eq!(of("Whatever is useful", Mode::WriteTests), Some(tests_of(&[])));
        assert_eq!(of("Tests for the function add", Mode::WriteTests), Some(tests_of(&["add"])));
        assert_eq!(of("Write tests for add", Mode::WriteTests), Some(tests_of(&["add"])));
        assert_eq!(of("All of it, with docstrings", Mode::Document), Some(Tool::Docstrings));
        assert_eq!(of("All of it", Mode::Document), None);
        assert_eq!(of("Fix the security issues", Mode::Change), Some(Tool::FixSecurity { kind: None }));
        assert_eq!(of("Make it nicer", Mode::Change), None);
        assert_eq!(of("Write tests for add", Mode::Run), None);
    }
}
