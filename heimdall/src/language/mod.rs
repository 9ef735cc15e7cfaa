//! Language detection: by the given name, by path, by content.

mod data_formats;
mod heuristics;
mod line_kinds;
mod table;
mod triple_quotes;
mod unsupported;

use crate::notebook::cells::is_notebook;
use source_text::file_kind::{self, FileKind};

pub(crate) use table::{UNKNOWN, canonical};

/// Names that editors use for an unknown language.
const UNSPECIFIED_NAMES: &[&str] =
    &["", "auto", "detect", "none", "other", "plain", "plaintext", "text", "txt", "unknown"];

/// Names of notebooks; their cells are Python unless the notebook names another language.
const NOTEBOOKS: &[&str] = &["ipynb", "jupyter", "jupyter notebook", "jupyter-notebook", "notebook"];

/// The way to analyse a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    /// As a text in a language; [`UNKNOWN`] if the caller names an unknown language.
    Language(&'static str),
    /// Cell by cell.
    Notebook,
    /// Not analysed: the file type is unsupported, or the text does not look like code.
    NotCode,
}

/// Returns the language of a text by its path, then by its content; `unknown` if neither is supported.
pub fn detect_language(path: Option<&str>, source: &str) -> &'static str {
    match detect(path, source) {
        Guess::Language(language) => language,
        Guess::Notebook => "python",
        Guess::NotCode => UNKNOWN,
    }
}

/// Returns the way to analyse a text: by the name that the caller gives, else by path and content.
pub(crate) fn guess(name: Option<&str>, path: Option<&str>, source: &str) -> Guess {
    let name =
        name.map(|name| name.trim().to_ascii_lowercase()).filter(|name| !UNSPECIFIED_NAMES.contains(&name.as_str()));
    let Some(name) = name else { return detect(path, source) };
    let language = if NOTEBOOKS.contains(&name.as_str()) { "python" } else { canonical(&name).unwrap_or(UNKNOWN) };
    // Editors name the language of the cells. Parsed as Python, a notebook would be one large constant.
    let is_python_notebook = language == "python" && is_notebook(source);
    if is_python_notebook { Guess::Notebook } else { Guess::Language(language) }
}

fn detect(path: Option<&str>, source: &str) -> Guess {
    match path.map_or(FileKind::Unknown, file_kind::kind) {
        FileKind::Notebook if is_notebook(source) => Guess::Notebook,
        // A truncated notebook.
        FileKind::Notebook if source.trim_start_matches('\u{feff}').trim_start().starts_with('{') => Guess::NotCode,
        FileKind::Language(language) if language.id == "json" && is_notebook(source) => Guess::Notebook,
        FileKind::Language(language) => {
            table::analyzed(language).or_else(|| by_shebang(source)).map_or(Guess::NotCode, Guess::Language)
        }
        FileKind::Unsupported => by_shebang(source).map_or(Guess::NotCode, Guess::Language),
        FileKind::Notebook | FileKind::Unknown => {
            by_shebang(source).map_or_else(|| by_content(source), Guess::Language)
        }
    }
}

fn by_content(source: &str) -> Guess {
    if is_notebook(source) {
        return Guess::Notebook;
    }
    heuristics::language(source).map_or(Guess::NotCode, Guess::Language)
}

fn by_shebang(source: &str) -> Option<&'static str> {
    let line = source.trim_start_matches('\u{feff}').strip_prefix("#!")?.lines().next()?;
    let program = line.split(['/', ' ']).rfind(|word| !word.is_empty() && !word.starts_with('-'))?;
    canonical(program)
}

#[cfg(test)]
mod tests {
    use super::{Guess, UNKNOWN, canonical, detect_language, guess};

    #[track_caller]
    fn check(path: Option<&str>, source: &str, expect: &str) {
        assert_eq!(detect_language(path, source), expect, "{path:?} {source}");
    }

    #[test]
    fn the_path_decides_first() {
        check(Some("src/a/main.rs"), "def f(): pass", "rust");
        check(Some("C:\\x\\App.TSX"), "", "typescript");
        check(Some("Dockerfile"), "", "dockerfile");
        check(Some("notes.unknown"), "def f():\n    return 1\n", UNKNOWN);
        check(Some("run.cgi"), "#!/usr/bin/env python3\nprint(1)\n", "python");
    }

    #[test]
    fn the_content_decides_without_a_path() {
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
        check(None, "password = 1\n", "python");
        check(None, "# a comment\n", "python");
        check(None, "x = eval(input())", "python");
    }

    #[test]
    fn strings_do_not_decide_the_language() {
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
    fn text_that_is_not_code_is_unknown() {
        for text in [
            "",
            "Hello world",
            "Dear all,\n\nUse the new form from Monday.\nWith it, requests are faster.\nLet me know (or call).\n",
            "Select the file from the menu, then press the button.\n",
            "This is a report.\nFunction names are in the table of names(s).\n",
            "Das ist ein Text und nicht der Code.",
            "TODO: nothing",
            "<?xml version=\"1.0\"?>\n<a/>\n",
            "<note>\n  <to>all</to>\n</note>\n",
            "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
            "\\documentclass{article}\n\\begin{document}\n",
            "[mysqld]\nport = 3306\nskip-networking\n",
            "$name = Get-Item $path\nWrite-Host $name\n",
            "local a = 1\nprint(a)\n",
            "#!/usr/bin/perl -w\nprint 1;\n",
            "body { color: red; }\n",
            ".a > b {\n  color: red;\n}\n",
            "all: a.o\n\tgcc -o a a.o\n",
            "server {\n  listen 80;\n  location / {\n    root /x;\n  }\n}\n",
            "resource \"a\" \"b\" {\n  c = \"d\"\n}\n",
            "syntax = \"proto3\";\nmessage A {\n  string b = 1;\n}\n",
            "object A extends App {\n  println(1)\n}\n",
            "defmodule A do\n  def f, do: 1\nend\n",
            "main :: IO ()\nmain = putStrLn \"x\"\n",
            "import Foundation\nlet x = 1\nprint(x)\n",
            "query { user(id: 1) { name } }\n",
            "type User {\n  id: ID!\n}\n\ninput A {\n  b: Int\n}\n",
            "Get-ChildItem | Where-Object { $_.Name }\n",
            "function A {\n  param($b)\n  Write-Host $b\n}\n",
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nValueError: x\n",
            "def foo\n  puts 'x'\nend\n",
        ] {
            check(None, text, UNKNOWN);
        }
        check(None, "{\"a\": [1, 2]}", "json");
        check(None, "a: 1\nb:\n  - c\n", "yaml");
    }

    #[test]
    fn a_line_of_another_language_in_a_program_has_no_effect() {
        check(None, "import os\nS = \"\"\"\n$name = Get-Item\n\"\"\"\nos.system(input())\n", "python");
        check(None, "import os\nS = '''\nlocal a = 1\n'''\nos.system(input()\n", "python");
        check(None, "\"\"\"doc\n--- a\n+++ b\n\"\"\"\nimport os\n", "python");
        check(None, "[x]\ny = eval(input())\n", "python");
        check(None, "host: str = 'x'\nport: int = 1\n", "python");
        check(None, "$a = $('#b');\neval(location.hash);\n", "javascript");
        check(None, "const a = `\nlocal b = 1\n`;\neval(a);\n", "javascript");
        check(None, "set -e\necho a\nlocal b = 1\nsudo c\n", "bash");
        check(None, "def broken(:\n    return\n", "python");
        check(None, "class Foo\n  pass\n", "python");
        check(None, "while True\n  x += 1\n", "python");
    }

    #[test]
    fn prose_in_comments_does_not_make_a_text_prose() {
        let doc = "\"\"\"Says what the function is for.\n\nThis is the text of it.\nIt will be long.\n\"\"\"\n";
        check(None, &format!("{doc}x = f()\n"), "python");
        check(None, "# This is the text of a comment.\n# It is about the code.\nx = f()\n", "python");
        check(None, "/*\n This is the license of the file.\n You can use it.\n*/\nfunction f() {\n}\n", "javascript");
        check(None, "select name\nfrom users\nwhere name is not null\n", "sql");
        check(None, "echo this is the start of it\nsudo reboot\n", "bash");
        check(None, "from a import b\nassert b is not None\n", "python");
        check(None, "x = (\n", "python");
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
        assert_eq!(guess(Some("cobol"), Some("a.py"), python), Guess::Language(UNKNOWN));
        assert_eq!(guess(Some("c++"), Some("a.py"), python), Guess::Language("cpp"));
        for nothing in [None, Some(" "), Some("PlainText")] {
            assert_eq!(guess(nothing, None, python), Guess::Language("python"));
        }
    }
}
