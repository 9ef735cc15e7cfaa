//! Selects the tool that serves a goal about the caller's code without a language model.
//!
//! Each tool has a closed vocabulary: a goal with any other word asks for more than the tool does, and no tool is
//! selected.

use super::tool_words::{
    ARTICLES, CLEAN_WORDS, DEFINITIONS, DOCSTRING_NOUNS, DOCSTRING_WORDS, IMPORTS, INJECTED, INJECTIONS, LAYOUT,
    MAKING, MODE_WORDS, PLAIN, SECURITY_ISSUES, SECURITY_NOUNS, SECURITY_VERBS, SECURITY_WORDS, TEST_NOUNS, TEST_WORDS,
    UNUSED, VULNERABILITIES,
};
use super::{Intent, is, non_english, text};
use crate::tokenize::{Word, words};
use crate::types::{CleanUp, Tool};

/// Returns the tool that serves a whole goal of an intent. `definitions` are the names that the code defines.
pub(super) fn of_goal(intent: Intent, goal: &str, definitions: &[String]) -> Option<Tool> {
    let words = words(goal);
    match intent {
        Intent::WriteTests => tests(goal, definitions).or_else(|| non_english::tool(&words)),
        Intent::Document => docstrings(&words),
        Intent::Change => docstrings(&words)
            .or_else(|| security(&words))
            .or_else(|| clean_up(&words))
            .or_else(|| non_english::tool(&words)),
        Intent::Run | Intent::RunOrTest | Intent::Test | Intent::Explain | Intent::Generate => None,
    }
}

fn any(words: &[Word], list: &[&str]) -> bool {
    (0..words.len()).any(|at| is(words, at, list))
}

fn all_known(words: &[Word], lists: &[&[&str]]) -> bool {
    (0..words.len()).all(|at| lists.iter().any(|list| is(words, at, list)))
}

/// Returns the tool for tests of the definitions that the goal names, or of all.
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
    let asks = any(&words, TEST_NOUNS) && makes_only(&words, TEST_NOUNS, TEST_WORDS);
    let known = all_known(&words, &[PLAIN, MAKING, TEST_NOUNS, TEST_WORDS]);
    (asks && known).then_some(Tool::WriteTests { names })
}

/// Returns the tool of a mode if no word of the goal asks for something else.
pub(super) fn of_mode(intent: Intent, goal: &str, definitions: &[String]) -> Option<Tool> {
    let words = words(goal);
    let is_understood = |nouns, others| {
        all_known(&words, &[PLAIN, MAKING, MODE_WORDS, nouns, others]) && makes_only(&words, nouns, others)
    };
    match intent {
        Intent::WriteTests => of_goal(intent, goal, definitions)
            .or_else(|| is_understood(TEST_NOUNS, TEST_WORDS).then_some(Tool::WriteTests { names: Vec::new() })),
        Intent::Document => {
            let wants = names_docstrings(&words) && has_only_wanted_docstrings(&words);
            (wants && is_understood(DOCSTRING_NOUNS, DOCSTRING_WORDS)).then_some(Tool::Docstrings)
        }
        Intent::Change => of_goal(intent, goal, definitions),
        Intent::Run | Intent::RunOrTest | Intent::Test | Intent::Explain | Intent::Generate => None,
    }
}

/// Returns the index of a verb's object: the first word after it that is neither an article nor an adjective.
fn object_of(words: &[Word], verb: usize, adjectives: &[&str]) -> usize {
    let is_between = |at: &usize| !is(words, *at, ARTICLES) && !is(words, *at, adjectives);
    (verb + 1..words.len()).find(is_between).unwrap_or(words.len())
}

/// Returns whether every verb of making has only one of `nouns` as its object.
fn makes_only(words: &[Word], nouns: &[&str], adjectives: &[&str]) -> bool {
    (0..words.len()).all(|at| {
        if is(words, at, nouns) && text(words, at + 1) == "and" {
            return is(words, at + 2, MAKING) || is(words, at + 2, &["document"]);
        }
        // "Give this function tests" and "I want you to ..." have another object between.
        let asks_somebody = is(words, at, &["need", "want"]) && is(words, at + 1, &["you", "to"]);
        if !is(words, at, MAKING) || is(words, at, &["give", "cover"]) || asks_somebody {
            return true;
        }
        is(words, object_of(words, at, adjectives), nouns)
    })
}

/// Returns whether a word that is also the name of a definition, such as `add`, means the definition here.
fn is_name_here(tokens: &[&str], at: usize) -> bool {
    let word = tokens[at].to_lowercase();
    let is_common = [PLAIN, MAKING, TEST_NOUNS, TEST_WORDS].iter().any(|list| list.contains(&word.as_str()));
    let before = at.checked_sub(1).map_or("", |before| tokens[before]);
    let behind = tokens.get(at + 1).copied().unwrap_or_default();
    !is_common
        || ["for", "of", "function", "class", "method"].contains(&before)
        || ["function", "class", "method"].contains(&behind)
}

/// Returns whether a goal mentions docstrings.
pub(super) fn names_docstrings(words: &[Word]) -> bool {
    (0..words.len()).any(|at| {
        is(words, at, &["docstring", "docstrings"])
            || text(words, at) == "doc" && is(words, at + 1, &["string", "strings"])
    })
}

fn docstrings(words: &[Word]) -> Option<Tool> {
    let verbs = any(words, MAKING) || any(words, &["document"]);
    let wants = names_docstrings(words)
        && has_only_wanted_docstrings(words)
        && makes_only(words, DOCSTRING_NOUNS, DOCSTRING_WORDS);
    let known = all_known(words, &[PLAIN, MAKING, DOCSTRING_NOUNS, DOCSTRING_WORDS]);
    (verbs && wants && known).then_some(Tool::Docstrings)
}

/// Returns whether every "without" only selects definitions that lack a docstring.
fn has_only_wanted_docstrings(words: &[Word]) -> bool {
    (0..words.len()).all(|at| {
        let is_of_definitions =
            at.checked_sub(1).is_some_and(|before| is(words, before, &["functions", "classes", "methods"]));
        text(words, at) != "without" || is_of_definitions
    })
}

fn security(words: &[Word]) -> Option<Tool> {
    let kind = match (any(words, INJECTIONS), any(words, &["sql"]), any(words, &["command", "shell"])) {
        (true, true, false) => Some("SQL-INJECTION"),
        (true, false, true) => Some("COMMAND-INJECTION"),
        (true, false, false) => Some("INJECTION"),
        (false, false, false) => None,
        (true, true, true) | (false, true, _) | (false, _, true) => return None,
    };
    let asks = any(words, SECURITY_VERBS) && (0..words.len()).all(|at| is_about_security(words, at));
    let known = all_known(words, &[PLAIN, SECURITY_NOUNS, SECURITY_VERBS, SECURITY_WORDS, INJECTIONS, INJECTED]);
    (asks && known).then_some(Tool::FixSecurity { kind })
}

/// Returns whether a word has the object or qualifier that makes it a request about security.
fn is_about_security(words: &[Word], at: usize) -> bool {
    let behind = |list: &[&str]| at.checked_sub(1).is_some_and(|before| is(words, before, list));
    match text(words, at) {
        "secure" => behind(&["more"]) || (0..at).any(|before| text(words, before) == "make") || is_command(words, at),
        "harden" => is_command(words, at),
        "make" => (at + 1..words.len()).any(|next| text(words, next) == "secure"),
        "security" => is(words, at + 1, SECURITY_ISSUES) || is(words, at + 1, VULNERABILITIES),
        "insecure" => is(words, at + 1, &["parts", "code"]),
        "parts" => behind(&["insecure"]),
        word if SECURITY_ISSUES.contains(&word) => {
            behind(&["security"]) || behind(INJECTIONS) || behind(VULNERABILITIES)
        }
        word if SECURITY_VERBS.contains(&word) => {
            let object = object_of(words, at, &["of", "found", "reported"]);
            [SECURITY_NOUNS, INJECTIONS, INJECTED].iter().any(|list| is(words, object, list))
                && text(words, object) != "secure"
        }
        _ => true,
    }
}

/// Returns whether a word is in the position of a command: "please secure this", "can you harden it".
fn is_command(words: &[Word], at: usize) -> bool {
    let before = at.checked_sub(1);
    words[at].starts_clause
        || before.is_some_and(|before| is(words, before, &["please", "pls", "kindly", "you", "to", "and"]))
}

fn clean_up(words: &[Word]) -> Option<Tool> {
    if !all_known(words, &[PLAIN, CLEAN_WORDS]) || !(0..words.len()).all(|at| is_about_tidiness(words, at)) {
        return None;
    }
    let imports = any(words, &["import", "imports"]);
    let sorts = any(words, &["sort", "sorted", "order", "organize", "organise", "tidy", "clean"]);
    // The only allowed negation is "not used".
    let negates = any(words, &["not"]) && !any(words, &["used"]);
    let mut steps = Vec::new();
    if any(words, LAYOUT) {
        steps.push(CleanUp::Format);
    }
    if imports && sorts || any(words, &["isort"]) {
        steps.push(CleanUp::Imports);
    }
    let tidies = imports && any(words, &["clean", "cleanup", "tidy"]);
    if tidies || any(words, UNUSED) {
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

/// Returns whether a word of a clean-up request has an object that the tool handles: imports are, functions are not.
fn is_about_tidiness(words: &[Word], at: usize) -> bool {
    let behind = |list: &[&str]| at.checked_sub(1).is_some_and(|before| is(words, before, list));
    let object = object_of(words, at, &["rid", "of", "code", "script", "file", "module"]);
    match text(words, at) {
        "sort" | "organize" | "organise" => is(words, object_of(words, at, &[]), &["import", "imports", "and"]),
        "sorted" | "order" => behind(IMPORTS) || is(words, object_of(words, at, &[]), IMPORTS),
        "remove" | "delete" | "drop" | "rid" => {
            let named = object_of(words, at, &["of"]);
            is(words, named, UNUSED)
                || is(words, named, IMPORTS) && (named..words.len()).any(|next| is(words, next, UNUSED))
        }
        "fix" => is(words, object, LAYOUT) || is(words, object, &["lint", "linting", "ruff", "unused"]),
        "format" | "reformat" | "autoformat" | "modernize" | "modernise" => !is(words, object, IMPORTS),
        // A noun joined by "and" must be an object of the tool as well.
        "and" => !is(words, object_of(words, at, &[]), DEFINITIONS),
        word if UNUSED.contains(&word) => is_of_imports(words, at),
        _ => true,
    }
}

/// Returns whether "unused" refers to imports: "unused imports", "remove unused ones", "imports that are not used".
fn is_of_imports(words: &[Word], at: usize) -> bool {
    let is_link =
        |index: &usize| !is(words, *index, &["that", "are", "is", "not", "and"]) && !is(words, *index, UNUSED);
    let next = (at + 1..words.len()).find(is_link).unwrap_or(words.len());
    let before = (0..at).rev().find(is_link);
    is(words, next, IMPORTS)
        || text(words, at) != "used" && before.is_some_and(|before| is(words, before, IMPORTS))
        || text(words, at) == "used" && any(words, &["not"]) && before.is_some_and(|before| is(words, before, IMPORTS))
}

#[cfg(test)]
mod tests {
    use crate::caller_code::intent::tool;
    use crate::types::{CleanUp, GenerateRequest, GenerationMode, Tool};

    const CODE: &str =
        "import os\n\n\ndef add(a, b):\n    # an edge case\n    return a + b\n\n\nclass Stack:\n    pass\n";

    fn of(goal: &str, mode: GenerationMode) -> Option<Tool> {
        let code = Some(CODE.to_owned());
        let request = GenerateRequest { goal: goal.to_owned(), code, mode, ..GenerateRequest::default() };
        tool(&request, &["add".to_owned(), "Stack".to_owned()])
    }

    #[track_caller]
    fn check(expected: &Tool, goals: &[&str]) {
        for goal in goals {
            assert_eq!(of(goal, GenerationMode::Auto).as_ref(), Some(expected), "{goal}");
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
        check(
            &steps(&[Unused]),
            &[
                "Remove unused imports",
                "Remove imports that are not used",
                "Remove imports that are unused",
                "Get rid of unused imports",
            ],
        );
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
                "Fix the security bugs",
                "Please secure this code",
                "Harden this script",
                "Make the insecure parts secure",
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
                "Add docstrings to all functions and classes without docstrings",
                "I want you to write docstrings for this",
            ],
        );
    }

    const OTHER_REQUESTS: &[&str] = &[
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
        "Fix the bugs and security issues",
        "Fix the security issues and bugs",
        "Fix the issues and make this secure",
        "Make this insecure",
        "Remove the security in this function",
        "Remove this function and fix the security issues",
        "Remove unused functions",
        "Remove unused classes",
        "Remove unused code",
        "Remove the unused imports and functions",
        "Remove functions that are not used",
        "Sort the functions",
        "Sort the imports and functions",
        "Remove all imports and format the code",
        "Remove the formatting",
        "Fix the code and format it",
        "Give me this code without docstrings",
        "Document this code without docstrings",
        "Add a class with docstrings",
        "Add docstrings and a class",
        "Add a function and tests",
        "Add tests and a function",
    ];

    #[test]
    fn a_word_beyond_the_vocabulary_makes_it_another_request() {
        for goal in OTHER_REQUESTS {
            assert_eq!(of(goal, GenerationMode::Auto), None, "{goal}");
        }
    }

    #[test]
    fn a_mode_says_what_to_do() {
        assert_eq!(of("Whatever is useful", GenerationMode::WriteTests), Some(tests_of(&[])));
        assert_eq!(of("Tests for the function add", GenerationMode::WriteTests), Some(tests_of(&["add"])));
        assert_eq!(of("Write tests for add", GenerationMode::WriteTests), Some(tests_of(&["add"])));
        assert_eq!(of("All of it, with docstrings", GenerationMode::Document), Some(Tool::Docstrings));
        assert_eq!(of("All of it", GenerationMode::Document), None);
        assert_eq!(of("Fix the security issues", GenerationMode::Change), Some(Tool::FixSecurity { kind: None }));
        assert_eq!(of("Make it nicer", GenerationMode::Change), None);
        for goal in ["Unittest only, for empty input", "Write no tests for add", "Rename add", "Add a class"] {
            assert_eq!(of(goal, GenerationMode::WriteTests), None, "{goal}");
        }
        for goal in ["Remove all docstrings", "Translate the docstrings to French", "This without docstrings"] {
            assert_eq!(of(goal, GenerationMode::Document), None, "{goal}");
        }
        assert_eq!(of("Write tests for add", GenerationMode::Run), None);
    }
}
