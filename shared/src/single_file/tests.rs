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
fn javascript_imports_of_a_joined_file_are_removed_and_repeated_ones_merged() {
    let code = "'use strict';\n\nconst { hash, sign } = require('node:crypto');\nmodule.exports = { one };\n";
    let tests = "'use strict';\n\nconst test = require('node:test');\nconst { sign, verify } = require('node:crypto');\nconst { hash } = require('node:crypto');\nconst {\n  one,\n  two: zwei,\n} = require('./a.js');\nconst a = require('./a');\nconst other = require('./other.js');\n";
    let expected = "// file: a.js\n'use strict';\n\nconst { hash, sign } = require('node:crypto');\nmodule.exports = { one };\n\n// file: a.test.js\n'use strict';\n\nconst test = require('node:test');\nconst { verify } = require('node:crypto');\nconst zwei = two;\nconst a = module.exports;\nconst other = require('./other.js');\n";
    check(&[("a.js", code), ("a.test.js", tests)], expected);
    let modern = [("a.mjs", "export const one = 1;\n"), ("a.test.mjs", "import { one as eins } from './a.mjs';\n")];
    check(&modern, "// file: a.mjs\nexport const one = 1;\n\n// file: a.test.mjs\nconst eins = one;\n");
}

/// A recipe of the catalogue as its folder has it: code first, then tests.
struct Recipe {
    name: String,
    runtime: String,
    files: Vec<(String, String)>,
}

fn recipes() -> Vec<Recipe> {
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("generator/catalogue");
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
    let parts = recipe.files.iter().map(|(path, text)| Part { path, text: text.clone() }).collect::<Vec<_>>();
    let file = folder.join(format!("test_{}.{ending}", recipe.name.replace('-', "_")));
    fs::write(&file, joined(&parts)).expect("written");
    file
}
