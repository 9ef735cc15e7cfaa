//! Detects the language that a goal asks for and the language of code.

use source_text::languages::{LANGUAGES, Language, PYTHON, by_name};
use source_text::python;

use crate::paths::base_name;

/// Returns the name of the runtime that executes a language.
pub(crate) fn runtime(language: &Language) -> &'static str {
    if language.id == "javascript" { "node" } else { language.id }
}

/// Returns the names by which a goal mentions the language of its code, in lower case.
pub(crate) fn names(language: &Language) -> Vec<String> {
    let names = language.names.iter().chain(language.common_words).map(|name| (*name).to_owned());
    names.chain([language.title.to_lowercase(), runtime(language).to_owned()]).collect()
}

fn in_prose(word: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.names.contains(&word) || language.common_words.contains(&word))
}

fn goal_words(goal: &str) -> Vec<String> {
    let separates = |c: char| !(c.is_alphanumeric() || matches!(c, '+' | '#'));
    goal.to_lowercase().split(separates).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Returns the language other than Python that a goal asks for, if any.
///
/// A goal that names Python means Python, unless another language is the target ("to Rust", "in Go").
pub(crate) fn requested_other_than_python(goal: &str) -> Option<&'static str> {
    let words = goal_words(goal);
    let python = words.iter().any(|word| PYTHON.names.contains(&word.as_str()));
    for (index, word) in words.iter().enumerate() {
        let Some(language) = in_prose(word).filter(|language| *language != PYTHON) else { continue };
        let before = index.checked_sub(1).map_or("", |at| words[at].as_str());
        let after = words.get(index + 1).map_or("", String::as_str);
        // "Markdown to HTML" names a format.
        let is_format = matches!(language.id, "html" | "css" | "sql");
        let targeted = matches!(before, "in" | "using") || matches!(before, "into" | "to") && !is_format;
        let qualifies =
            matches!(after, "program" | "function" | "script" | "class" | "module" | "code" | "package" | "binary");
        let meant = if language.common_words.contains(&word.as_str()) {
            qualifies && language.id != "sql" || targeted && after != "back"
        } else {
            true
        };
        if meant && (!python || targeted) {
            return Some(language.title);
        }
    }
    None
}

/// The language in which a request asks for new code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RequestedLanguage {
    /// No language is named.
    Any,
    Python,
    JavaScript,
    /// A language without recipes, and its name if known.
    Other(Option<&'static str>),
}

impl RequestedLanguage {
    /// Returns the runtimes whose recipes may serve, the preferred one first.
    pub(crate) fn runtimes(self) -> &'static [&'static str] {
        match self {
            Self::Any => &["python", "node"],
            Self::Python => &["python"],
            Self::JavaScript => &["node"],
            Self::Other(_) => &[],
        }
    }

    /// Returns the runtime of the language, by default Python's; `None` for an unknown language.
    pub(crate) fn runtime(self) -> Option<&'static str> {
        match self {
            Self::Any | Self::Python | Self::JavaScript => self.runtimes().first().copied(),
            Self::Other(name) => declared(name, None).ok().flatten().map(runtime),
        }
    }
}

/// Returns the language that the goal asks for, else the one that the caller names.
pub(crate) fn requested(goal: &str, named: Option<&str>) -> RequestedLanguage {
    let of = |name: &'static str| {
        if name == "JavaScript" { RequestedLanguage::JavaScript } else { RequestedLanguage::Other(Some(name)) }
    };
    if let Some(name) = requested_other_than_python(goal) {
        return of(name);
    }
    if declared_name(named).is_some() {
        return match declared(named, None) {
            Ok(Some(language)) if language == PYTHON => RequestedLanguage::Python,
            Ok(Some(language)) => of(language.title),
            Ok(None) | Err(UnknownLanguage) => RequestedLanguage::Other(None),
        };
    }
    let is_python = goal_words(goal).iter().any(|word| PYTHON.names.contains(&word.as_str()));
    if is_python { RequestedLanguage::Python } else { RequestedLanguage::Any }
}

/// The caller named a language that is not in the table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownLanguage;

/// Returns the caller's name of the language in lower case; `None` for "auto" and the like.
pub(crate) fn declared_name(named: Option<&str>) -> Option<String> {
    let named = named.map(|name| name.trim().to_lowercase()).unwrap_or_default();
    (!matches!(named.as_str(), "" | "auto" | "unknown" | "text" | "plaintext")).then_some(named)
}

/// Returns the language by the caller's name for it, else by the file's extension; `Ok(None)` without either.
pub(crate) fn declared(named: Option<&str>, file: Option<&str>) -> Result<Option<&'static Language>, UnknownLanguage> {
    if let Some(named) = declared_name(named) {
        return by_name(&named).filter(|language| !language.is_data()).map(Some).ok_or(UnknownLanguage);
    }
    let is_of = |language: &&Language, path| !language.is_data() && base_name(path, language.extensions).is_some();
    Ok(file.and_then(|path| LANGUAGES.iter().find(|language| is_of(language, path))))
}

/// Returns the language of the caller's code: as named, else by the file's extension, else by its content.
///
/// Defaults to Python unless the content clearly is another language. An unknown name is an error; versions in a name
/// are
/// ignored.
pub(crate) fn detect(
    named: Option<&str>,
    file: Option<&str>,
    code: &str,
) -> Result<&'static Language, UnknownLanguage> {
    if let Some(language) = declared(named, file)? {
        return Ok(language);
    }
    if is_javascript_in_form_of_python(code) {
        return by_name("javascript").ok_or(UnknownLanguage);
    }
    Ok(detect_by_content(code).filter(|_| !python::is_valid(code)).unwrap_or(PYTHON))
}

/// Returns the file name for unnamed code. Node.js accepts `import` and `export` only in `.mjs` files.
pub(crate) fn default_path(language: &Language, code: &str) -> &'static str {
    let is_module_line = |line: &str| {
        let imports = line.starts_with("import ") && (line.contains(" from ") || line.contains(['\'', '"']));
        imports || line.starts_with("export ")
    };
    if language.id == "javascript" && code.lines().map(str::trim).any(is_module_line) {
        return "main.mjs";
    }
    language.default_file
}

/// Returns whether code that may parse as Python is JavaScript, such as a lone call of `console.log`.
fn is_javascript_in_form_of_python(code: &str) -> bool {
    let is_python_line = |line: &str| ["import ", "from ", "def ", "class "].iter().any(|word| line.starts_with(word));
    code.contains("console.log(") && !code.contains("console =") && !code.lines().map(str::trim).any(is_python_line)
}

/// Returns whether a line is a shell command that cannot be a Python statement.
fn is_shell_line(line: &str) -> bool {
    let begins = ["echo ", "set -e", "export ", "if [", "while [", "mkdir ", "grep ", "cat ", "printf '", "printf \""];
    matches!(line, "fi" | "done" | "esac" | "then" | "do") || begins.iter().any(|word| line.starts_with(word))
}

/// Returns whether the first statement is SQL.
fn is_sql(code: &str) -> bool {
    let statement = code.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("--"));
    let upper = statement.unwrap_or_default().to_ascii_uppercase();
    let begins = ["SELECT ", "CREATE ", "INSERT ", "WITH ", "UPDATE ", "DELETE FROM ", "DROP ", "PRAGMA ", "BEGIN;"];
    code.contains(';') && begins.iter().any(|word| upper.starts_with(word))
}

/// Returns the language of code by constructs that Python does not have.
fn detect_by_content(code: &str) -> Option<&'static Language> {
    let text = code.trim_start_matches('\u{feff}').trim_start();
    let first = text.lines().next().unwrap_or_default();
    if let Some(interpreter) = first.strip_prefix("#!") {
        let name = interpreter.rsplit(['/', ' ']).next().unwrap_or_default();
        return by_name(name);
    }
    let any_line = |test: &dyn Fn(&str) -> bool| text.lines().map(str::trim).any(test);
    let braces = text.contains('{') && text.contains('}');
    let alias = if text.starts_with("<?php") {
        "php"
    } else if text.to_ascii_lowercase().starts_with("<!doctype html") || text.starts_with("<html") {
        "html"
    } else if any_line(&|line| line.starts_with("#include <") || line.starts_with("#include \"")) {
        if text.contains("std::") { "c++" } else { "c" }
    } else if first.starts_with("package ") && text.contains("func ") {
        "go"
    } else if braces && any_line(&|line| line.starts_with("fn ") || line.starts_with("pub fn ")) {
        "rust"
    } else if braces && any_line(&|line| line.starts_with("public class ") || line.starts_with("public static ")) {
        "java"
    } else if braces
        && any_line(&|line| ["function ", "const ", "let ", "export "].iter().any(|word| line.starts_with(word)))
    {
        "javascript"
    } else if is_sql(text) {
        "sql"
    } else if any_line(&is_shell_line) {
        "bash"
    } else {
        return None;
    };
    by_name(alias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_name_languages() {
        for (goal, expected) in [
            ("create a kubernetes operator in Go", Some("Go")),
            ("Write an LRU cache in Rust", Some("Rust")),
            ("JavaScript debounce function", Some("JavaScript")),
            ("a C++ ring buffer", Some("C++")),
            ("ring buffer in C", Some("C")),
            ("convert this Python script to Go", Some("Go")),
            ("write a bash script that greets", Some("Bash")),
            ("a shell script that greets", Some("Bash")),
            ("quicksort using swift", Some("Swift")),
            ("let it go and write python", None),
            ("a Python LRU cache like the one Java has", None),
            ("prevent SQL injection in the repository", None),
            ("a swift implementation of quicksort", None),
            ("implement grade C handling", None),
            ("convert Roman numerals to integers", None),
        ] {
            assert_eq!(requested_other_than_python(goal), expected, "{goal}");
        }
    }

    #[test]
    fn the_goal_wins_over_the_language_that_the_caller_names() {
        for (goal, named, expected) in [
            ("a stack", None, RequestedLanguage::Any),
            ("a stack", Some("auto"), RequestedLanguage::Any),
            ("a stack", Some("Python 3"), RequestedLanguage::Python),
            ("a stack in Python", None, RequestedLanguage::Python),
            ("a stack", Some("js"), RequestedLanguage::JavaScript),
            ("a stack in node", Some("python"), RequestedLanguage::JavaScript),
            ("debounce for Node.js", None, RequestedLanguage::JavaScript),
            ("a stack in TypeScript", None, RequestedLanguage::Other(Some("TypeScript"))),
            ("a stack", Some("rust"), RequestedLanguage::Other(Some("Rust"))),
            ("a stack", Some("klingon"), RequestedLanguage::Other(None)),
        ] {
            assert_eq!(requested(goal, named), expected, "{goal} {named:?}");
        }
    }

    #[test]
    fn code_is_recognised_by_name_then_file_then_content() {
        let name = |named, file, code| detect(named, file, code).map(|language| language.title);
        assert_eq!(name(Some("Python3"), Some("x.js"), "fn main() {}"), Ok("Python"));
        for (named, expected) in [("python3.11", "Python"), ("Python 3", "Python"), ("C++17", "C++"), ("go1.22", "Go")]
        {
            assert_eq!(name(Some(named), None, "x = 1"), Ok(expected), "{named}");
        }
        for unknown in ["brainfuck", "3.11"] {
            assert_eq!(name(Some(unknown), None, "x = 1"), Err(UnknownLanguage), "{unknown}");
        }
        assert_eq!(name(Some("auto"), Some("src/x.ts"), "x = 1"), Ok("TypeScript"));
        assert_eq!(name(None, Some("notes.unknown"), "x = 1"), Ok("Python"));
        assert_eq!(name(None, Some("notes.json"), "const a = () => { return 1 };"), Ok("JavaScript"));
        assert_eq!(name(None, Some("build.ksh"), "x = 1"), Ok("Bash"));
        assert_eq!(name(None, None, "fn main() {\n}\n"), Ok("Rust"));
        assert_eq!(name(None, None, "#!/bin/bash\necho hi there\n"), Ok("Bash"));
        assert_eq!(name(None, None, "#!/usr/bin/env python3\nprint(1)\n"), Ok("Python"));
        assert_eq!(name(None, None, "const a = () => { return 1 };\n"), Ok("JavaScript"));
        assert_eq!(name(None, None, "console.log('hi')\n"), Ok("JavaScript"));
        assert_eq!(name(None, None, "from rich import console\nconsole.log('hi')\n"), Ok("Python"));
        assert_eq!(name(None, None, "-- all\nSELECT 1;\n"), Ok("SQL"));
        assert_eq!(name(None, None, "for f in *; do\n  echo $f\ndone\n"), Ok("Bash"));
        assert_eq!(name(None, None, "print('hello'"), Ok("Python"));
        assert_eq!(name(None, None, "#include <stdio.h>\nint main() {}\n"), Ok("C"));
    }
}
