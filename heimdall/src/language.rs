//! Guesses the language of a text: by name, by path, by what it looks like.

/// Every language we know: canonical name, other names, file extensions.
const LANGUAGES: &[(&str, &[&str], &[&str])] = &[
    ("python", &["py", "python3", "python2", "cpython"], &["py", "pyi", "pyw"]),
    ("javascript", &["js", "jsx", "node", "nodejs", "ecmascript", "javascriptreact"], &["js", "jsx", "mjs", "cjs"]),
    ("typescript", &["ts", "tsx", "typescriptreact"], &["ts", "tsx", "mts", "cts"]),
    ("go", &["golang"], &["go"]),
    ("rust", &["rs"], &["rs"]),
    ("bash", &["sh", "shell", "zsh", "shellscript"], &["sh", "bash", "zsh", "ksh"]),
    ("java", &[], &["java"]),
    ("kotlin", &["kt"], &["kt", "kts"]),
    ("csharp", &["c#", "cs"], &["cs"]),
    ("c", &[], &["c", "h"]),
    ("cpp", &["c++", "cxx"], &["cpp", "cc", "cxx", "hpp", "hh"]),
    ("ruby", &["rb"], &["rb"]),
    ("php", &[], &["php"]),
    ("sql", &["postgresql", "mysql", "sqlite", "plsql", "tsql"], &["sql"]),
    ("html", &["htm"], &["html", "htm"]),
    ("css", &[], &["css"]),
    ("json", &[], &["json"]),
    ("yaml", &["yml"], &["yaml", "yml"]),
    ("toml", &[], &["toml"]),
    ("dockerfile", &["docker"], &["dockerfile"]),
    ("markdown", &["md"], &["md"]),
];

/// Line starts that speak for a language, with their weight.
const LINE_STARTS: &[(&str, &str, u32)] = &[
    ("python", "def ", 3),
    ("python", "async def ", 3),
    ("python", "elif ", 3),
    ("python", "from ", 1),
    ("python", "import ", 1),
    ("python", "except", 2),
    ("python", "print(", 1),
    ("python", "with ", 1),
    ("python", "@", 1),
    ("python", "if __name__", 4),
    ("javascript", "function ", 2),
    ("javascript", "const ", 2),
    ("javascript", "let ", 2),
    ("javascript", "var ", 2),
    ("javascript", "export ", 2),
    ("javascript", "module.exports", 3),
    ("javascript", "document.", 3),
    ("javascript", "console.", 3),
    ("typescript", "interface ", 2),
    ("typescript", "export type ", 4),
    ("typescript", "export interface ", 4),
    ("go", "package ", 3),
    ("go", "func ", 3),
    ("go", "import (", 3),
    ("rust", "fn ", 3),
    ("rust", "pub fn ", 4),
    ("rust", "let mut ", 4),
    ("rust", "use ", 2),
    ("rust", "impl ", 3),
    ("rust", "#[", 3),
    ("java", "public class ", 4),
    ("java", "import java", 4),
    ("java", "private ", 1),
    ("java", "public static void ", 4),
    ("java", "package ", 1),
    ("c", "#include ", 4),
    ("php", "<?php", 6),
    ("sql", "select ", 3),
    ("sql", "insert into ", 3),
    ("sql", "create table ", 4),
    ("sql", "update ", 2),
    ("sql", "delete from ", 3),
    ("html", "<!doctype", 6),
    ("html", "<html", 6),
    ("bash", "echo ", 2),
    ("bash", "fi", 2),
    ("bash", "done", 2),
    ("bash", "export ", 1),
    ("bash", "set -e", 4),
    ("bash", "curl ", 2),
    ("bash", "sudo ", 3),
    ("dockerfile", "from ", 1),
    ("dockerfile", "run ", 2),
];

/// How much of a text the guess reads, in lines.
const LINES_READ: usize = 400;

/// The language of a text, by path first, then by content; `python` where nothing speaks for another.
pub fn detect_language(path: Option<&str>, source: &str) -> &'static str {
    path.and_then(by_path).or_else(|| by_shebang(source)).unwrap_or_else(|| by_content(source))
}

/// What a language is called that was named and that we do not know.
pub(crate) const UNKNOWN: &str = "unknown";

/// Names by which editors say that they do not know either.
const NO_NAMES: &[&str] = &["", "auto", "detect", "none", "other", "plain", "plaintext", "text", "txt", "unknown"];

/// The language of a text as its caller names it; [`UNKNOWN`] where the name is none of ours, and a guess where nothing is named.
pub(crate) fn language_of(name: Option<&str>, path: Option<&str>, source: &str) -> &'static str {
    let named = name.map(str::trim).filter(|name| !NO_NAMES.contains(&name.to_ascii_lowercase().as_str()));
    named.map_or_else(|| detect_language(path, source), |name| canonical(name).unwrap_or(UNKNOWN))
}

/// The canonical name behind a name as people write it, with or without a version.
pub(crate) fn canonical(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase();
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' ' | '-' | '_'));
    [name.as_str(), bare].into_iter().find_map(named)
}

fn named(name: &str) -> Option<&'static str> {
    LANGUAGES
        .iter()
        .find(|(language, aliases, _)| *language == name || aliases.contains(&name))
        .map(|(language, ..)| *language)
}

fn by_path(path: &str) -> Option<&'static str> {
    let file = path.rsplit(['/', '\\']).next()?.to_ascii_lowercase();
    let extension = file.rsplit('.').next()?;
    LANGUAGES.iter().find(|(_, _, extensions)| extensions.contains(&extension)).map(|(language, ..)| *language)
}

fn by_shebang(source: &str) -> Option<&'static str> {
    let line = source.trim_start_matches('\u{feff}').strip_prefix("#!")?.lines().next()?;
    let program = line.split(['/', ' ']).rfind(|word| !word.is_empty() && !word.starts_with('-'))?;
    canonical(program)
}

fn by_content(source: &str) -> &'static str {
    let mut scores: Vec<(&'static str, u32)> = LANGUAGES.iter().map(|(language, ..)| (*language, 0)).collect();
    let mut add = |language: &str, weight: u32| {
        if let Some(entry) = scores.iter_mut().find(|(name, _)| *name == language) {
            entry.1 += weight;
        }
    };
    let lines = || source.trim_start_matches('\u{feff}').lines().take(LINES_READ).map(str::trim);
    let is_sql = first_code(lines()).is_some_and(is_statement);
    if is_sql {
        add("sql", 3);
    }
    let mut quote = Quote::default();
    lines().for_each(|line| quote.read(line));
    // What is never closed was no such text.
    let closes = !quote.is_open();
    for line in lines() {
        let quoted = quote.is_open() && closes;
        quote.read(line);
        if !quoted {
            score_line(line, is_sql, &mut add);
        }
    }
    // The first of equals wins, and Python is the first: it is what we read best.
    scores.iter().rev().max_by_key(|(_, score)| *score).map_or("python", |(language, _)| *language)
}

/// The first line that is neither empty nor a comment of SQL or Python.
fn first_code<'s>(lines: impl Iterator<Item = &'s str>) -> Option<&'s str> {
    let mut in_comment = false;
    for line in lines {
        in_comment |= line.starts_with("/*");
        let commented = in_comment || line.is_empty() || line.starts_with("--") || line.starts_with('#');
        in_comment &= !line.contains("*/");
        if !commented {
            return Some(line);
        }
    }
    None
}

/// Whether a line begins an SQL statement. Queries inside of another language's texts begin later.
fn is_statement(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let mut words = line.split_whitespace();
    let (verb, next) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match verb {
        "with" => line.contains(" as (") && !line.ends_with(':') || line.ends_with(" as"),
        "delete" => next == "from",
        "insert" | "replace" | "merge" => next == "into",
        "update" => line.contains(" set ") || words.next().is_none() && !next.is_empty(),
        "drop" => matches!(next, "table" | "view" | "index" | "schema" | "database"),
        "select" | "create" | "alter" | "truncate" | "grant" | "pragma" | "explain" => next != "=",
        _ => false,
    }
}

/// The text between three quotes: what another language looks like in there is no sign of it.
#[derive(Default)]
struct Quote {
    open: Option<&'static str>,
}

impl Quote {
    fn is_open(&self) -> bool {
        self.open.is_some()
    }

    fn read(&mut self, line: &str) {
        let mut rest = line;
        loop {
            let found = match self.open {
                Some(mark) => rest.find(mark).map(|at| (at, mark)),
                None => ["\"\"\"", "'''"].into_iter().filter_map(|mark| Some((rest.find(mark)?, mark))).min(),
            };
            let Some((at, mark)) = found else { return };
            self.open = if self.is_open() { None } else { Some(mark) };
            rest = &rest[at + mark.len()..];
        }
    }
}

fn score_line(line: &str, is_sql: bool, add: &mut impl FnMut(&str, u32)) {
    let head: String = line.chars().take(40).collect::<String>().to_ascii_lowercase();
    for (language, start, weight) in LINE_STARTS {
        if head.starts_with(start) && (*language != "sql" || is_sql) {
            add(language, *weight);
        }
    }
    if line.ends_with(':') {
        add("python", 1);
    }
    if line.ends_with("{") || line.ends_with("};") {
        for language in ["javascript", "typescript", "go", "rust", "java"] {
            add(language, 1);
        }
    }
    if line.ends_with(';') {
        for language in ["javascript", "typescript", "rust", "java", "c"] {
            add(language, 1);
        }
        if is_sql {
            add("sql", 1);
        }
    }
    if line.contains(" => ") || line.contains("===") || line.contains("require(") {
        add("javascript", 2);
        add("typescript", 2);
    }
    if line.contains(": string") || line.contains(": number") {
        add("typescript", 3);
    }
    if line.contains(":= ") && !line.contains('(') {
        add("go", 1);
    }
    if line.ends_with("; then") || line.ends_with("; do") || line.starts_with("$(") {
        add("bash", 4);
    }
}

#[cfg(test)]
mod tests {
    use super::{UNKNOWN, canonical, detect_language, language_of};

    #[track_caller]
    fn check(path: Option<&str>, source: &str, expect: &str) {
        assert_eq!(detect_language(path, source), expect);
    }

    #[test]
    fn the_path_decides_first() {
        check(Some("src/a/main.rs"), "def f(): pass", "rust");
        check(Some("C:\\x\\App.TSX"), "", "typescript");
        check(Some("Dockerfile"), "", "dockerfile");
        check(Some("notes.unknown"), "def f():\n    return 1\n", "python");
    }

    #[test]
    fn then_the_content() {
        check(None, "#!/usr/bin/env python3\nprint(1)", "python");
        check(None, "#!/bin/bash\nx=1", "bash");
        check(None, "const a = require('x');\nconsole.log(a);\n", "javascript");
        check(None, "interface A { name: string }\nconst a: string = '';\n", "typescript");
        check(None, "package main\n\nfunc main() {\n}\n", "go");
        check(None, "fn main() {\n    let mut x = 1;\n}\n", "rust");
        check(None, "public class A {\n  public static void main(String[] a) {\n  }\n}", "java");
        check(None, "SELECT a FROM b;\n", "sql");
        check(None, "-- names\n\n/* of\nall */\nselect\n  name\nfrom b\n", "sql");
        check(None, "WITH a AS (\n  SELECT 1\n)\nSELECT * FROM a;\n", "sql");
        check(None, "update a set b = 1;\n", "sql");
        check(None, "import os\nfor f in os.listdir('.'):\n    print(f)\n", "python");
        check(None, "from flask import request\nx = 1\n", "python");
        check(None, "", "python");
        check(None, "x = eval(input())", "python");
    }

    #[test]
    fn what_a_program_holds_as_text_is_not_its_language() {
        let query = "    cur.execute(f\"\"\"\n        SELECT a\n        FROM b WHERE c = {uid}\n    \"\"\")\n";
        check(None, &format!("def f(cur, uid):\n{query}{query}"), "python");
        check(None, &format!("uid = input()\n{}", query.replace("    ", "")), "python");
        check(None, &format!("uid = input()\n{}", query.replace("\"\"\"", "'''").replace("    ", "")), "python");
        check(None, "def page(a):\n    return \"\"\"\n<!doctype html>\n<html>\n\"\"\"\n", "python");
        check(None, "with a() as b:\n    b.run()\n", "python");
        check(None, "update = 1\nx = eval(input())\n", "python");
        check(None, "const a = (b) => db.query(`\n  SELECT a\n  FROM b WHERE c = ${b}`);\n", "javascript");
    }

    #[test]
    fn names_have_aliases() {
        assert_eq!(canonical(" PY "), Some("python"));
        assert_eq!(canonical("c#"), Some("csharp"));
        assert_eq!(canonical("Python 3.11"), Some("python"));
        assert_eq!(canonical("klingon"), None);
    }

    #[test]
    fn a_named_language_is_never_guessed() {
        let python = "import os\nos.system(input())\n";
        assert_eq!(language_of(Some("cobol"), Some("a.py"), python), UNKNOWN);
        assert_eq!(language_of(Some("c++"), Some("a.py"), python), "cpp");
        for nothing in [None, Some(" "), Some("PlainText")] {
            assert_eq!(language_of(nothing, None, python), "python");
        }
    }
}
