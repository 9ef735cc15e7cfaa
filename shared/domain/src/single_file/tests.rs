use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

#[track_caller]
fn check(files: &[(&str, &str)], expected: &str) {
    let parts: Vec<Part<'_>> = files.iter().map(|(path, text)| Part { path, text: (*text).to_owned() }).collect();
    assert_eq!(joined(&parts), expected);
}

#[test]
fn a_single_file_stays_as_it_is() {
    check(&[], "");
    check(&[("a.py", "from a import b\n\n")], "from a import b\n\n");
}

#[test]
fn files_of_several_languages_are_headed_in_their_own_comments() {
    let several = [("a.py", "a = 1\n\n"), ("b.js", "const a = require('./a.js');"), ("c.sql", "SELECT 1;\n")];
    check(
        &several,
        "# file: a.py\na = 1\n\n// file: b.js\nconst a = require('./a.js');\n\n-- file: c.sql\nSELECT 1;\n",
    );
}

#[test]
fn python_imports_of_a_joined_file_are_removed() {
    let tests = "from __future__ import annotations\n\nimport os, a as it\nfrom a import (  # names\n    one,\n    two as zwei,\n)\nfrom ab import three\n\n\ndef test_a():\n    from a import four\n    assert '''\nfrom a import x\n'''\n";
    let expected = "# file: a.py\nfrom __future__ import annotations\n'''About.'''\none = 1\n\n# file: test_a.py\n\nimport os\nit = __import__(\"sys\").modules[__name__]\nzwei = two\nfrom ab import three\n\n\ndef test_a():\n    pass\n    assert '''\nfrom a import x\n'''\n";
    check(&[("a.py", "'''About.'''\none = 1\n"), ("test_a.py", tests)], expected);
    let backslash = [("src/a.py", "one = 1\n"), ("test_a.py", "from a import one, \\\n    two\nimport a\n")];
    check(&backslash, "# file: src/a.py\none = 1\n\n# file: test_a.py\na = __import__(\"sys\").modules[__name__]\n");
}

#[test]
fn files_that_would_not_run_as_one_stay_separate() {
    for [(first, code), (second, test)] in [
        [("src/a.py", "x = 1\n"), ("test_a.py", "import src.a\n\nassert src.a.x\n")],
        [("src/a.py", "x = 1\n"), ("test_a.py", "from src import a, b\n")],
        [
            ("a.py", "class Clock:\n    pass\n"),
            ("test_a.py", "from a import Clock as Real\n\n\nclass Clock(Real):\n    pass\n"),
        ],
        [("a.py", "LIMIT: int = 1\n"), ("b.py", "LIMIT = 2\n")],
        [("a.js", "module.exports = { add: sum };\n"), ("b.mjs", "import { add } from './a.js';\n")],
        [("a.mjs", "export default () => 1;\n"), ("b.mjs", "import one from './a.mjs';\n")],
        [("a.mjs", "export const x = 1;\n"), ("b.mjs", "import * as a from './a.mjs';\n")],
        [("a.js", "const x = 1;\nmodule.exports = { y: x };\n"), ("b.js", "const { y: x } = require('./a.js');\n")],
        [("a.js", "const x = 1;\nmodule.exports = { x };\n"), ("b.js", "const x = 2;\nconst a = require('./a.js');\n")],
        [("a.js", "exports.x = () => 1;\n"), ("b.js", "const y = require('./a.js').x();\n")],
    ] {
        let mark = comment_mark(first.rsplit_once('.').expect("an ending").1);
        let note = "(a separate file)";
        let expected = format!("{mark} file: {first} {note}\n{code}\n{mark} file: {second} {note}\n{test}");
        check(&[(first, code), (second, test)], &expected);
    }
}

/// Runs the joined files: the tests must pass, and fail after `from` in the first file is replaced by `to`.
#[track_caller]
fn check_run(program: &str, words: &[&str], files: &[(&str, &str)], [from, to]: [&str; 2]) {
    if Command::new(program).arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "{program} is needed");
        println!("SKIPPED: {program} is needed");
        return;
    }
    let ending = files[0].0.rsplit_once('.').expect("an ending").1;
    let scratch = std::env::temp_dir().join(format!("single-file-run-{program}-{}", std::process::id()));
    fs::create_dir_all(&scratch).expect("a folder");
    let file = scratch.join(format!("joined.test.{ending}"));
    let passes = |text: &str| {
        fs::write(&file, text).expect("written");
        Command::new(program).args(words).arg(&file).current_dir(&scratch).output().expect("it starts")
    };
    let parts: Vec<Part<'_>> = files.iter().map(|(path, text)| Part { path, text: (*text).to_owned() }).collect();
    let text = joined(&parts);
    let output = passes(&text);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    let broken = text.replace(from, to);
    assert_ne!(broken, text, "{from} is in the text");
    assert!(!passes(&broken).status.success(), "the tests run:\n{text}");
    fs::remove_dir_all(&scratch).expect("removed");
}

#[test]
fn joined_javascript_runs_whatever_way_names_are_exported() {
    let common =
        |call: &str| format!("const test = require('node:test');\nconst assert = require('node:assert');\n{call}");
    let modern = |call: &str| format!("import test from 'node:test';\nimport assert from 'node:assert';\n{call}");
    let thrust = "test('thrust', () => assert.equal(thrust(2, 3), 6));\n";
    for (code, ending, tests) in [
        ("exports.thrust = (m, a) => m * a;\n", "js", common("const { thrust } = require('./rocket.js'); // ours\n")),
        (
            "module.exports.thrust = function (m, a) { return m * a; };\n",
            "js",
            common("const { thrust } = require('./rocket');\n"),
        ),
        (
            "const f = (m, a) => m * a;\nmodule.exports = {\n  push: f,\n};\n",
            "js",
            common("const { push: thrust } = require('./rocket.js');\n"),
        ),
        (
            "const f = (m, a) => m * a;\nmodule.exports = { f };\n",
            "js",
            common("const { f: thrust } = require('./rocket.js');\n"),
        ),
        (
            "function thrust(m, a) { return m * a; }\nmodule.exports = thrust;\n",
            "js",
            common("const thrust = require('./rocket.js');\n"),
        ),
        ("module.exports = (m, a) => m * a;\n", "js", common("const thrust = require('./rocket.js');\n")),
        ("export default function f(m, a) { return m * a; }\n", "mjs", modern("import thrust from './rocket.mjs';\n")),
        (
            "const thrust = (m, a) => m * a;\nexport default thrust;\n",
            "mjs",
            modern("import thrust from './rocket.mjs';\n"),
        ),
        (
            "const f = (m, a) => m * a;\nexport {\n  f as thrust,\n};\n",
            "mjs",
            modern("import { thrust } from './rocket.mjs';\n"),
        ),
        ("export const f = (m, a) => m * a;\n", "mjs", modern("import { f as thrust } from './rocket.mjs';\n")),
    ] {
        let (path, tests) = (format!("rocket.{ending}"), tests + thrust);
        let test_path = format!("rocket.test.{ending}");
        check_run("node", &["--test"], &[(&path, code), (&test_path, &tests)], ["m * a", "m + a"]);
    }
    let both = "const test = require('node:test');\nconst { one } = require('../src/a.js');\nconst { two } = require('../src/b.js');\ntest('both', () => require('node:assert').equal(one() + two(), 3));\n";
    let first = ("src/a.js", "module.exports = { one: () => 1 };\n");
    let second = ("src/b.js", "const { one } = require('./a');\nexports.two = () => one() + 1;\n");
    check_run("node", &["--test"], &[first, second, ("test/a.test.js", both)], ["=> 1 }", "=> 5 }"]);
}

#[test]
fn joined_python_runs_whatever_way_modules_are_imported() {
    for (path, import) in [
        ("src/a.py", "from src.a import x\n"),
        ("src/a.py", "from src import a; x = a.x\n"),
        ("src/a.py", "import src.a as a, os\nx = a.x\n"),
        ("a.py", "from . import a as it\nx = it.x\n"),
        ("a.py", "from .a import x\n"),
        ("a.py", "import a; x = a.x; text = '#;'\n"),
        ("a.py", "import a, os; from a import x as y  # both\nassert y() == 6\n"),
        ("a/__init__.py", "from a import (\n    x,\n)\n"),
    ] {
        let test = format!("{import}assert x() == 6\n");
        check_run(
            "python3",
            &[],
            &[(path, "def x():\n    return 6\n"), ("test_a.py", &test)],
            ["return 6", "return 7"],
        );
    }
}

#[test]
fn javascript_imports_of_a_joined_file_are_removed_and_repeated_ones_merged() {
    let code =
        "'use strict';\n\nconst { hash, sign } = require('node:crypto');\nconst one = 1;\nmodule.exports = { one };\n";
    let tests = "'use strict';\n\nconst test = require('node:test');\nconst { sign, verify } = require('node:crypto');\nconst { hash } = require('node:crypto');\nconst {\n  one,\n  one: zwei,\n} = require('./a.js');\nconst a = require('./a');\nconst other = require('./other.js');\n";
    let expected = "// file: a.js\n'use strict';\n\nconst { hash, sign } = require('node:crypto');\nconst one = 1;\nmodule.exports = { one };\n\nconst a = module.exports;\nconst zwei = one;\n\n// file: a.test.js\n'use strict';\n\nconst test = require('node:test');\nconst { verify } = require('node:crypto');\nconst other = require('./other.js');\n";
    check(&[("a.js", code), ("a.test.js", tests)], expected);
    let modern = [("a.mjs", "export const one = 1;\n"), ("a.test.mjs", "import { one as eins } from './a.mjs';\n")];
    check(&modern, "// file: a.mjs\nexport const one = 1;\n\nconst eins = one;\n\n// file: a.test.mjs\n\n");
}

/// A recipe of the catalogue, read from its folder: code first, then tests.
struct Recipe {
    name: String,
    runtime: String,
    files: Vec<(String, String)>,
}

fn recipes() -> Vec<Recipe> {
    let catalogue =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace").join("generator/catalogue");
    let folders = fs::read_dir(catalogue).expect("the catalogue").map(|entry| entry.expect("an entry").path());
    folders.filter(|path| path.is_dir()).map(|folder| recipe(&folder)).collect()
}

fn recipe(folder: &Path) -> Recipe {
    let description = fs::read_to_string(folder.join("recipe.toml")).expect("a description");
    let value = |name: &str| {
        let line = description.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='));
        line.unwrap_or_else(|| panic!("{name} is in {}", folder.display())).to_owned()
    };
    let quoted = |text: String| text.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let files = quoted(value("code")).into_iter().chain(quoted(value("tests")));
    let read = |path: String| (path.clone(), fs::read_to_string(folder.join(path)).expect("a file"));
    Recipe {
        name: folder.file_name().expect("a name").to_string_lossy().into_owned(),
        runtime: quoted(value("runtime")).concat(),
        files: files.map(read).collect(),
    }
}

/// Runs the joined files of each recipe by the plain test runner of its language.
#[test]
fn every_recipe_passes_its_tests_as_one_file() {
    let python = option_env!("RECIPE_PYTHON").unwrap_or("python3");
    let works = |program: &str, words: &[&str]| {
        Command::new(program).args(words).output().is_ok_and(|output| output.status.success())
    };
    let (has_pytest, has_node) = (works(python, &["-c", "import pytest"]), works("node", &["--version"]));
    let scratch = std::env::temp_dir().join(format!("single-file-{}", std::process::id()));
    fs::create_dir_all(&scratch).expect("a folder");
    for recipe in recipes() {
        assert!(!text_of(&recipe).contains(" (a separate file)"), "{}", recipe.name);
        let is_node = recipe.runtime == "node";
        if !(if is_node { has_node } else { has_pytest }) {
            println!(
                "SKIPPED: {} (pytest and node are needed; RECIPE_PYTHON names a python at build time)",
                recipe.name
            );
            continue;
        }
        let file = write(&scratch, &recipe, if is_node { "test.js" } else { "py" });
        let mut command = if is_node { Command::new("node") } else { Command::new(python) };
        let words = if is_node { &["--test"][..] } else { &["-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"] };
        let output = command.args(words).arg(&file).current_dir(&scratch).output().expect("it starts");
        assert!(output.status.success(), "{}:\n{}", recipe.name, String::from_utf8_lossy(&output.stdout));
    }
    fs::remove_dir_all(&scratch).expect("removed");
}

fn write(folder: &Path, recipe: &Recipe, ending: &str) -> PathBuf {
    let file = folder.join(format!("test_{}.{ending}", recipe.name.replace('-', "_")));
    fs::write(&file, text_of(recipe)).expect("written");
    file
}

fn text_of(recipe: &Recipe) -> String {
    joined(&recipe.files.iter().map(|(path, text)| Part { path, text: text.clone() }).collect::<Vec<_>>())
}
