//! The embedded recipes, and those of an operator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use generator::{
    CatalogueError, FilePurpose, GenerateError, GenerateRequest, Generator, GeneratorConfig, OfferedRuntime,
};

fn embedded() -> Generator {
    Generator::open(GeneratorConfig::default()).expect("the catalogue is valid")
}

/// A folder that is removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("generator-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn the_catalogue_is_what_the_folder_holds() {
    let generator = embedded();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue");
    let folders =
        fs::read_dir(&root).expect("the catalogue").filter(|entry| entry.as_ref().expect("an entry").path().is_dir());
    assert_eq!(generator.catalogue().len(), folders.count());
    assert!(generator.catalogue().len() >= 16);
    for recipe in generator.catalogue() {
        for file in &recipe.files {
            let text = fs::read_to_string(root.join(&recipe.name).join(&file.path)).expect("the file");
            assert_eq!(text, file.content, "{}/{}", recipe.name, file.path);
        }
    }
}

#[test]
fn recipes_keep_the_rules_of_the_house() {
    let generator = embedded();
    for recipe in generator.catalogue() {
        assert!(recipe.version.split('.').count() == 3, "{}", recipe.name);
        for file in &recipe.files {
            let tests = if recipe.runtime == "node" {
                file.content.lines().filter(|line| line.trim_start().starts_with("test(")).count()
            } else {
                file.content.matches("def test_").count()
            };
            assert_eq!(file.kind == FilePurpose::Test, tests >= 4, "{}: {tests} tests in {}", recipe.name, file.path);
            assert!(file.content.lines().count() <= 220, "{}: {} is long", recipe.name, file.path);
            let imports_code = recipe.files.iter().any(|code| {
                let import = match recipe.runtime.as_str() {
                    "node" => format!("require('./{}')", code.path),
                    _ => format!("from {} import", code.path.trim_end_matches(".py")),
                };
                file.content.contains(&import)
            });
            assert!(file.kind == FilePurpose::Code || imports_code, "{}: {} tests nothing", recipe.name, file.path);
            for forbidden in [
                "eval(",
                "exec(",
                "pickle",
                "os.system",
                "subprocess",
                "import requests",
                "time.sleep(",
                "mark.skip",
                "pytest.skip",
                "xfail",
            ] {
                assert!(!file.content.contains(forbidden), "{}: {forbidden} in {}", recipe.name, file.path);
            }
        }
    }
}

/// Runs each recipe's tests in a separate folder, as the sandbox does.
#[test]
fn the_tests_of_every_recipe_pass() {
    let pytest = |python: &str| {
        Command::new(python).args(["-c", "import pytest"]).output().is_ok_and(|output| output.status.success())
    };
    let venv = option_env!("RECIPE_PYTHON").unwrap_or("python3");
    if !pytest(venv) {
        println!(
            "SKIPPED: {venv} with pytest is not on this machine (set RECIPE_PYTHON to one that has it, and rebuild)"
        );
        return;
    }
    let scratch = Scratch::new("recipes");
    let generator = embedded();
    for recipe in generator.catalogue().iter().filter(|recipe| recipe.runtime == "python") {
        for file in &recipe.files {
            scratch.write(&format!("{}/{}", recipe.name, file.path), &file.content);
        }
        let mut command = Command::new(venv);
        command
            .args(["-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"])
            .current_dir(scratch.0.join(&recipe.name));
        let output = command.output().expect("pytest starts");
        assert!(output.status.success(), "{}:\n{}", recipe.name, String::from_utf8_lossy(&output.stdout));
    }
}

const DESCRIPTION: &str = r##"
name = "frobnicate"
version = "1.0.0"
title = "Frobnicator"
summary = "Frobnicates."
runtime = "python"
code = ["frob.py"]
tests = ["test_frob.py"]
[goals]
require = [["frobnicate"]]
examples = ["frobnicate"]
"##;

fn own(scratch: &Scratch, folder: &str, description: &str) {
    scratch.write(&format!("{folder}/recipe.toml"), description);
    scratch.write(&format!("{folder}/frob.py"), "X = 1\n");
    scratch.write(&format!("{folder}/test_frob.py"), "from frob import X\n\n\ndef test_x():\n    assert X == 1\n");
    scratch.write(&format!("{folder}/documentation.md"), "# Frobnicator\n");
}

fn open(scratch: &Scratch) -> Result<Generator, CatalogueError> {
    Generator::open(GeneratorConfig { catalogue_dirs: vec![scratch.0.clone()], ..GeneratorConfig::default() })
}

#[test]
fn the_operator_can_add_recipes() {
    let scratch = Scratch::new("own");
    own(&scratch, "frobnicate", DESCRIPTION);
    let generator = open(&scratch).expect("a valid recipe");
    assert!(generator.catalogue().iter().any(|recipe| recipe.name == "frobnicate"));
    assert_eq!(generator.propose("frobnicate it")[0].name, "frobnicate");
}

#[track_caller]
fn refuses(case: &str, prepare: impl Fn(&Scratch), reason: &str) {
    let scratch = Scratch::new(case);
    own(&scratch, "frobnicate", DESCRIPTION);
    prepare(&scratch);
    let error = open(&scratch).expect_err(case).to_string();
    assert!(error.contains(reason), "{error}");
}

#[test]
fn recipes_that_break_a_rule_are_refused_by_name_and_reason() {
    let describe = |from: &'static str, to: &'static str| {
        move |scratch: &Scratch| own(scratch, "frobnicate", &DESCRIPTION.replace(from, to))
    };
    refuses("unknown-field", describe("[goals]", "[goals]\nrequired = 1"), "recipe.toml is invalid");
    refuses("other-name", describe("\"frobnicate\"\nversion", "\"other\"\nversion"), "name of its folder");
    refuses("missing-file", describe("\"frob.py\"", "\"gone.py\""), "gone.py is missing");
    refuses("no-tests", describe("[\"test_frob.py\"]", "[]"), "not listed in recipe.toml");
    refuses("upwards", describe("\"frob.py\"", "\"../frob.py\""), "missing");
    refuses("no-words", describe("[[\"frobnicate\"]]", "[[\"the\"]]"), "goals.require");
    refuses("no-groups", describe("[[\"frobnicate\"]]", "[]"), "goals.require");
    refuses(
        "unknown-claim",
        describe("[goals]", "provides = [\"magic\"]\n[goals]"),
        "provides: magic is not the name of a requirement",
    );
    refuses(
        "promised-by-a-keyword",
        describe("examples =", "covers = [\"async\"]\nexamples ="),
        "the keyword async states async, which provides does not name",
    );
    refuses("other-runtime", describe("\"python\"", "\"cobol\""), "runtime must be python or node");
    let parameter =
        "[[parameters]]\nname = \"x\"\ndescription = \"X\"\nkind = \"integer\"\nconstant = \"Y\"\ndefault = 1\n[goals]";
    refuses("unassigned-constant", describe("[goals]", parameter), "parameter x: constant must be assigned once");
    refuses("stray", |scratch| scratch.write("frobnicate/stray.txt", "x"), "stray.txt");
    refuses(
        "taken",
        |scratch| own(scratch, "lru-cache", &DESCRIPTION.replace("\"frobnicate\"\nversion", "\"lru-cache\"\nversion")),
        "same name",
    );
    let missing = GeneratorConfig { catalogue_dirs: vec!["/no/such/folder".into()], ..GeneratorConfig::default() };
    assert!(matches!(Generator::open(missing), Err(CatalogueError::Unreadable { .. })));
}

const PARAMETER: &str = r#"
[[parameters]]
name = "teeth"
description = "Number of teeth"
kind = "integer"
constant = "X"
default = 1
min = 1
max = 10
cues = ["teeth"]
"#;

#[tokio::test]
async fn values_of_a_goal_are_written_into_the_recipe_and_its_page() {
    let scratch = Scratch::new("values");
    let goals = "[goals]\ncovers = [\"teeth\"]\nnumbers = []";
    own(&scratch, "frobnicate", &(DESCRIPTION.replace("[goals]", goals) + PARAMETER));
    let generator = open(&scratch).expect("a valid recipe");
    let ask = async |goal: &str| {
        generator.generate(&GenerateRequest { goal: goal.to_owned(), ..GenerateRequest::default() }).await
    };
    let served = ask("Frobnicate with 7 teeth").await.expect("served");
    assert_eq!(served.files[0].content, "X = 7\n");
    assert!(served.documentation.contains("## Parameters used") && served.documentation.contains("| teeth | `7` |"));
    let plain = ask("Frobnicate").await.expect("served");
    assert_eq!((plain.files[0].content.as_str(), plain.documentation.as_str()), ("X = 1\n", "# Frobnicator\n"));
    for (goal, reason) in [
        ("Frobnicate with 70 teeth", "teeth is a whole number from 1 to 10"),
        ("Frobnicate 7 times", "is written for other numbers"),
    ] {
        let Err(GenerateError::NoGenerator { hint }) = ask(goal).await else { panic!("{goal}: served") };
        assert!(hint.contains(reason), "{hint}");
    }
}

#[tokio::test]
async fn recipes_of_javascript_serve_goals_that_name_it_or_that_no_recipe_of_python_is_near() {
    let scratch = Scratch::new("node");
    let description = DESCRIPTION.replace("\"python\"", "\"node\"").replace("frob.py", "frob.js");
    let description = description
        .replace("test_frob.js", "frob.test.js")
        .replace("[\"frobnicate\"]]", "[\"frobnicate\", \"stack\"]]");
    scratch.write("frobnicate/recipe.toml", &description.replace("examples", "covers = [\"javascript\"]\nexamples"));
    scratch.write("frobnicate/frob.js", "'use strict';\nmodule.exports = { x: 1 };\n");
    scratch.write("frobnicate/frob.test.js", "const { x } = require('./frob.js');\n");
    scratch.write("frobnicate/documentation.md", "# Frobnicator\n");
    let node = OfferedRuntime {
        name: "node".to_owned(),
        endings: vec![".js".to_owned()],
        has_tests: true,
        ..OfferedRuntime::default()
    };
    let with_node = |has_node: bool| {
        let mut config = GeneratorConfig { catalogue_dirs: vec![scratch.0.clone()], ..GeneratorConfig::default() };
        config.runtimes.extend(has_node.then(|| node.clone()));
        Generator::open(config).expect("a valid recipe")
    };
    let (both, python) = (with_node(true), with_node(false));
    for (generator, goal, language, expected) in [
        (&both, "frobnicate", None, Some("node")),
        (&both, "frobnicate in JavaScript", None, Some("node")),
        (&both, "Implement a stack", Some("javascript"), Some("node")),
        (&both, "Implement a stack", None, Some("python")),
        (&both, "frobnicate in Python", None, None),
        (&both, "frobnicate in TypeScript", None, None),
        (&python, "frobnicate", None, None),
    ] {
        let language = language.map(str::to_owned);
        let served = generator
            .generate(&GenerateRequest { goal: goal.to_owned(), language, ..GenerateRequest::default() })
            .await;
        assert_eq!(served.ok().map(|generation| generation.runtime).as_deref(), expected, "{goal}");
    }
}
