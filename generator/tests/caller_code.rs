//! Requests with the caller's code.

use generator::{
    EntryPoint, FilePurpose, GenerateError, GenerateRequest, Generation, GenerationAction, GenerationMode, Generator,
    GeneratorConfig, OfferedRuntime, Origin, RoundFeedback,
};

async fn generate(request: GenerateRequest) -> Result<Generation, GenerateError> {
    Generator::open(GeneratorConfig::default()).expect("the catalogue is valid").generate(&request).await
}

/// Returns a generator for a sandbox with these runtimes, without aliases and endings.
fn offering(names: &[&str]) -> Generator {
    let runtime = |name: &&str| OfferedRuntime {
        name: (*name).to_owned(),
        has_tests: !matches!(*name, "sql" | "lua"),
        ..OfferedRuntime::default()
    };
    let runtimes = names.iter().map(runtime).collect();
    Generator::open(GeneratorConfig { runtimes, ..GeneratorConfig::default() }).expect("the catalogue is valid")
}

fn with_code(goal: &str, code: &str) -> GenerateRequest {
    GenerateRequest { goal: goal.to_owned(), code: Some(code.to_owned()), round: 1, ..GenerateRequest::default() }
}

fn script(path: &str) -> EntryPoint {
    EntryPoint::Script { path: path.to_owned() }
}

#[tokio::test]
async fn code_runs_as_given_where_the_goal_asks_for_it() {
    let generation = generate(with_code("Run this", "    x = 1\r\n    print(x)")).await.expect("runs");
    assert_eq!((&generation.origin, generation.action), (&Origin::Caller, GenerationAction::Ran));
    assert_eq!(generation.run, script("main.py"));
    let [file] = generation.files.as_slice() else { panic!("{:?}", generation.files) };
    assert_eq!((file.content.as_str(), file.kind, file.from_caller), ("x = 1\r\nprint(x)", FilePurpose::Code, true));
    assert!(!generation.repairable && generation.tokens == 0);
}

#[tokio::test]
async fn broken_code_is_given_to_the_run_as_it_is() {
    let generation = generate(with_code("run this", "def f(:\n  pass\n")).await.expect("runs");
    assert_eq!(generation.files[0].content, "def f(:\n  pass\n");
}

#[tokio::test]
async fn the_file_keeps_its_name_where_that_is_safe() {
    for (current_file, run) in [
        ("src/app.py", script("app.py")),
        ("C:\\work\\app.py", script("app.py")),
        ("../../etc/passwd", script("main.py")),
        ("/tmp/x y.py", script("x y.py")),
        ("größe.py", script("größe.py")),
        ("a?.py", script("main.py")),
        ("a\0b.py", script("main.py")),
        ("tests/test_app.py", script("test_app.py")),
        ("types.pyi", script("main.py")),
    ] {
        let request =
            GenerateRequest { current_file: Some(current_file.to_owned()), ..with_code("run this", "print(1)") };
        let generation = generate(request).await.expect("runs");
        // Tests are not analysed, so a file name must not make code a test.
        let is_kept = run != script("main.py");
        assert_eq!((generation.run, generation.files[0].kind), (run, FilePurpose::Code), "{current_file}");
        let remark = generation.remark.unwrap_or_default();
        assert_eq!(remark.contains("has the name main.py here"), !is_kept, "{current_file}: {remark}");
    }
}

#[tokio::test]
async fn a_file_of_tests_is_run_by_the_test_runner_where_the_goal_asks_for_it() {
    let (tests, plain) = ("def test_sum():\n    assert 1 + 1 == 3\n", "print('no tests here')\n");
    let node = "import test from 'node:test';\ntest('sum', () => { throw new Error('no'); });\n";
    let either = |path: &str| EntryPoint::TestsOrScript { path: path.to_owned() };
    for (goal, current_file, code, path, run) in [
        ("Test this", None, tests, "test_main.py", either("test_main.py")),
        ("Test this", None, plain, "main.py", script("main.py")),
        ("Run this", Some("test_sums.py"), tests, "test_sums.py", either("test_sums.py")),
        ("Run this", Some("test_sums.py"), plain, "test_sums.py", script("test_sums.py")),
        ("Run the tests", None, tests, "test_main.py", EntryPoint::Tests),
        ("Run this with pytest", Some("src/sums.py"), tests, "test_sums.py", EntryPoint::Tests),
        ("Run this script", None, tests, "main.py", script("main.py")),
        ("Run the tests", None, plain, "test_main.py", EntryPoint::Tests),
        ("Run the tests", None, node, "main.test.mjs", EntryPoint::Tests),
        ("Run this script", None, node, "main.mjs", script("main.mjs")),
    ] {
        let generator = offering(&["python", "node"]);
        let language = (code == node).then(|| "javascript".to_owned());
        let request =
            GenerateRequest { current_file: current_file.map(str::to_owned), language, ..with_code(goal, code) };
        let generation = generator.generate(&request).await.expect("runs");
        assert_eq!((generation.files[0].path.as_str(), &generation.run), (path, &run), "{goal}");
        assert_eq!(
            (generation.files[0].content.as_str(), generation.files[0].kind),
            (code, FilePurpose::Code),
            "{goal}"
        );
        assert_eq!(generation.origin, Origin::Caller);
    }
}

#[tokio::test]
async fn documenting_runs_the_code_as_given_and_quotes_nothing() {
    let code = "import os\nclass Cart:\n    '''SECRET_DOC'''\n    def add_item(self, item, count='SECRET_DEFAULT'):\n        return 'SECRET_TEXT' # SECRET_NOTE\n";
    let generation = generate(with_code("Document this code", code)).await.expect("documented");
    assert_eq!((generation.origin, generation.run), (Origin::Documenter, script("main.py")));
    assert_eq!(generation.files[0].content, code);
    let text = generation.documentation;
    assert!(text.contains("`Cart`") && text.contains("`add_item`") && text.contains("`count` (optional)"), "{text}");
    assert!(!text.contains("SECRET"), "{text}");
}

/// Checks that the hint names what is missing and the alternatives.
#[track_caller]
fn refused(result: Result<Generation, GenerateError>, missing: &str) {
    let Err(GenerateError::NoGenerator { hint }) = result else { panic!("{missing}: {result:?}") };
    assert!(hint.contains(missing) && hint.contains("mode run") && !hint.contains("SECRET"), "{hint}");
}

#[tokio::test]
async fn a_request_that_nothing_serves_is_refused_in_every_language() {
    let generator = offering(&["python", "node", "bash", "sql"]);
    for (language, code) in [
        ("python", "print('SECRET')"),
        ("javascript", "SECRET()"),
        ("bash", "echo SECRET"),
        ("sql", "SELECT 'SECRET';"),
    ] {
        for (goal, missing) in [
            ("Fix this code", "a language model"),
            ("Write unit tests for it", "a language model"),
            ("Translate this to Go", "a language model"),
            ("Explain this code", "a language model"),
            ("Refaktoriere diesen Code", "a language model"),
        ] {
            let request = GenerateRequest { language: Some(language.to_owned()), ..with_code(goal, code) };
            refused(generator.generate(&request).await, missing);
        }
        let request = GenerateRequest { language: Some(language.to_owned()), ..with_code("Document this", code) };
        let documented = generator.generate(&request).await;
        assert_eq!(documented.is_ok(), language == "python", "{documented:?}");
    }
    for (language, missing) in [("sql", "no test runner"), ("bash", "The file has no tests")] {
        let request =
            GenerateRequest { language: Some(language.to_owned()), ..with_code("Run the tests", "echo SECRET") };
        refused(generator.generate(&request).await, missing);
    }
}

#[tokio::test]
async fn the_mode_decides_whatever_the_goal_says() {
    let tests = "def test_sum():\n    assert 1 + 1 == 3\n";
    let with_mode = |mode, code| GenerateRequest { mode, ..with_code("Fix this code", code) };
    let ran = generate(with_mode(GenerationMode::Run, tests)).await.expect("runs");
    assert_eq!((ran.run, ran.action), (script("main.py"), GenerationAction::Ran));
    let tested = generate(with_mode(GenerationMode::Test, "print('none')\n")).await.expect("runs");
    assert_eq!((tested.run, tested.action), (EntryPoint::Tests, GenerationAction::Tested));
    let documented = generate(with_mode(GenerationMode::Document, tests)).await.expect("documented");
    assert_eq!((documented.origin, documented.action), (Origin::Documenter, GenerationAction::Documented));
    let translated = GenerateRequest {
        goal: "Translate the docstrings to French".to_owned(),
        ..with_mode(GenerationMode::Document, tests)
    };
    refused(generate(translated).await, "a language model");
    for mode in [GenerationMode::Change, GenerationMode::WriteTests, GenerationMode::Explain] {
        refused(generate(with_mode(mode, tests)).await, "a language model");
    }
    let without_code = GenerateRequest {
        mode: GenerationMode::Run,
        goal: "Write an LRU cache".to_owned(),
        ..GenerateRequest::default()
    };
    assert!(matches!(generate(without_code).await, Err(GenerateError::NoGenerator { .. })));
    let generated = GenerateRequest {
        mode: GenerationMode::Generate,
        goal: "Write an LRU cache".to_owned(),
        ..with_mode(GenerationMode::Generate, "x = 1")
    };
    let generated = generate(generated).await.expect("served");
    assert!(matches!(generated.origin, Origin::Recipe { .. }) && generated.action == GenerationAction::Generated);
}

#[tokio::test]
async fn code_that_a_human_supplies_is_run_whatever_the_goal_was() {
    let request = GenerateRequest { supplied: true, ..with_code("Translate this to Go", "print(1)") };
    let generation = generate(request).await.expect("runs");
    assert_eq!((generation.run, generation.action), (script("main.py"), GenerationAction::Ran));
}

#[tokio::test]
async fn blank_code_counts_as_none() {
    assert!(matches!(generate(with_code("launch a rocket", " \n\t")).await, Err(GenerateError::NoGenerator { .. })));
}

#[tokio::test]
async fn other_languages_are_refused_with_the_runtimes_that_exist() {
    let cases = [
        GenerateRequest { language: Some("rust".to_owned()), ..with_code("run this", "fn main() {}") },
        GenerateRequest { current_file: Some("app.js".to_owned()), ..with_code("run this", "print(1)") },
        with_code("run this", "#!/bin/sh\necho SECRET $HOME\n"),
        GenerateRequest { language: Some("klingon".to_owned()), ..with_code("run this", "print(1)") },
    ];
    for request in cases {
        let Err(GenerateError::NoGenerator { hint }) = generate(request).await else { panic!("served") };
        assert!(hint.contains("python") && !hint.contains("SECRET") && !hint.contains("klingon"), "{hint}");
    }
}

#[tokio::test]
async fn another_runtime_of_the_sandbox_runs_its_language_as_given() {
    let generator = offering(&["python", "node"]);
    let request =
        GenerateRequest { language: Some("javascript".to_owned()), ..with_code("run this", "  console.log(1)") };
    let generation = generator.generate(&request).await.expect("runs");
    assert_eq!((generation.runtime.as_str(), generation.run), ("node", script("main.js")));
    assert_eq!(generation.files[0].content, "console.log(1)");
}

#[tokio::test]
async fn code_gets_the_name_that_its_runtime_needs() {
    let generator = offering(&["python", "node", "bash", "sql"]);
    for (code, file, runtime, run) in [
        ("import fs from 'node:fs';\nconst a = {};\nconsole.log(a);", None, "node", script("main.mjs")),
        ("const fs = require('fs');\nfunction f() {}\n", None, "node", script("main.js")),
        ("import {\n  readFileSync,\n} from 'node:fs';\n", Some("src/index.js"), "node", script("index.mjs")),
        ("console.log(await 7);\n", Some("a.js"), "node", script("a.mjs")),
        ("/* import a from 'b' */\nconst fs = require('fs');\n", Some("a.js"), "node", script("a.js")),
        ("import a from 'node:fs';\n", Some("a.cjs"), "node", script("a.cjs")),
        (
            "const { test } = require('node:test');\n",
            Some("lib/a.test.js"),
            "node",
            EntryPoint::TestsOrScript { path: "a.test.js".to_owned() },
        ),
        ("#!/bin/bash\necho hi\n", None, "bash", script("main.sh")),
        ("CREATE TABLE t(a);\nSELECT * FROM t;\n", None, "sql", script("main.sql")),
        ("SELECT 1;", Some("q.sql"), "sql", script("q.sql")),
        // Python imports from `.py` only, and Node.js takes modules from `.mjs` only.
        ("print(1)\n", Some("Tool.PY"), "python", script("Tool.py")),
        ("import a from 'node:fs';\n", Some("a.MJS"), "node", script("a.mjs")),
    ] {
        let request = GenerateRequest { current_file: file.map(str::to_owned), ..with_code("run this", code) };
        let generation = generator.generate(&request).await.expect("runs");
        assert_eq!((generation.runtime.as_str(), &generation.run), (runtime, &run), "{code}");
    }
    let typescript =
        GenerateRequest { language: Some("typescript".to_owned()), ..with_code("run this", "let a: number = 1;") };
    assert!(matches!(generator.generate(&typescript).await, Err(GenerateError::NoGenerator { .. })));
}

#[tokio::test]
async fn the_first_line_the_name_the_file_and_the_content_decide_in_this_order() {
    let generator = offering(&["python", "node", "bash", "lua", "sql"]);
    for (language, file, code, runtime, path, remark) in [
        (None, None, "#!/bin/bash -e\nls -la\n", "bash", "main.sh", None),
        (
            None,
            Some("tool"),
            "#!/usr/bin/env -S A=1 node --no-warnings\nprocess.exit(3)\n",
            "node",
            "main.js",
            Some("has the name main.js here"),
        ),
        (None, Some("run.py"), "#!/bin/sh\npwd\n", "bash", "main.sh", Some("has the name main.sh here")),
        (Some("python"), None, "#!/bin/sh\npwd\n", "bash", "main.sh", Some("run as bash, by the first line")),
        (Some("sh"), None, "#!/bin/bash\npwd\n", "bash", "main.sh", None),
        (Some("bash"), None, "#!/opt/unheard\npwd\n", "bash", "main.sh", None),
        (Some("Node.js"), Some("x.py"), "console.log(1)", "node", "main.js", Some("has the name main.js here")),
        (None, Some("x.lua"), "print(1)", "lua", "x.lua", None),
        (None, Some("x.py3"), "print(1)", "python", "main.py", Some("has the name main.py here")),
        (None, None, "print(1)", "python", "main.py", Some("language assumed: python; give `language`")),
        (None, Some("x.txt"), "ls -la", "bash", "main.sh", Some("language assumed: bash")),
        (None, None, "local t = {}\nprint(#t)", "lua", "main.lua", Some("language assumed: lua")),
        (None, None, "hello world, this is prose", "python", "main.py", Some("language assumed: python")),
        (None, None, "```js\nlet a\n```", "python", "main.py", Some("Markdown fence")),
        (Some("js"), None, "```js\nlet a\n```", "node", "main.js", Some("Markdown fence")),
    ] {
        let (language, current_file) = (language.map(str::to_owned), file.map(str::to_owned));
        let request = GenerateRequest { language, current_file, ..with_code("run this", code) };
        let generation = generator.generate(&request).await.unwrap_or_else(|error| panic!("{code}: {error}"));
        assert_eq!((generation.runtime.as_str(), generation.run), (runtime, script(path)), "{code}");
        let found = generation.remark.unwrap_or_default();
        assert!(remark.map_or(found.is_empty(), |remark| found.contains(remark)), "{code}: {found}");
        assert!(generation.documentation.contains(&found), "{}", generation.documentation);
    }
}

#[tokio::test]
async fn what_is_no_program_of_an_offered_language_is_refused() {
    let generator = offering(&["python", "node", "bash", "lua", "sql"]);
    let notebook = "{\"cells\": [], \"nbformat\": 4}";
    for (language, file, code, reason) in [
        (None, None, "#!/usr/bin/env ruby\nputs('hi')\n", "Ruby"),
        (None, None, "#!/usr/bin/awk -f\nBEGIN {}\n", "the first line"),
        (Some("python"), None, notebook, "notebook"),
        (None, Some("a.ipynb"), "{", "notebook"),
        (None, None, "{\"SECRET\": null}", "JSON"),
        (None, Some("data.json"), "const a = () => { return 1 };", "JSON"),
        (None, Some("config.yaml"), "a: 1\n", "YAML"),
        (None, Some("README.md"), "# SECRET\n", "Markdown"),
        (None, Some("Makefile"), "all:\n\techo hi\n", "name of the file"),
        (None, Some("notes.txt"), "SECRET milk\n", "name of the file"),
        (None, Some("pom.xml"), "x = 1\n", "name of the file"),
        (None, None, "x <- c(1, 2)\nprint(mean(x))\n", "R, "),
        (None, None, "interface P { a: string }\nconst p: P = { a: '' };\n", "TypeScript"),
        (Some("klingon"), None, "print(1)", "that name"),
    ] {
        let (language, current_file) = (language.map(str::to_owned), file.map(str::to_owned));
        let request = GenerateRequest { language, current_file, ..with_code("run this", code) };
        let Err(GenerateError::NoGenerator { hint }) = generator.generate(&request).await else { panic!("{code}") };
        let lists_runtimes = hint.contains("python, node, bash, lua, sql");
        assert!(hint.contains(reason) && lists_runtimes && !hint.contains("SECRET"), "{code}: {hint}");
    }
}

#[tokio::test]
async fn another_version_than_the_one_there_is_refused_or_named() {
    let python =
        OfferedRuntime { version: Some("3.11.2".to_owned()), ..GeneratorConfig::default().runtimes[0].clone() };
    let config = GeneratorConfig { runtimes: vec![python], ..GeneratorConfig::default() };
    let generator = Generator::open(config).expect("is valid");
    for (name, expected) in [
        ("python", Some("")),
        ("Python 3", Some("")),
        ("python3.11", Some("")),
        ("python 3.12", Some("run as python 3.11.2, the version that is available, instead of 3.12")),
        ("python2.7", None),
    ] {
        let request = GenerateRequest { language: Some(name.to_owned()), ..with_code("run this", "print(1)") };
        match (generator.generate(&request).await, expected) {
            (Ok(generation), Some(remark)) => assert_eq!(generation.remark.unwrap_or_default(), remark, "{name}"),
            (Err(GenerateError::NoGenerator { hint }), None) => assert!(hint.contains("has version 3.11.2"), "{hint}"),
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
    let request = with_code("run this", "#!/usr/bin/python2\nprint 1\n");
    assert!(matches!(generator.generate(&request).await, Err(GenerateError::NoGenerator { .. })));
}

/// Proves that a language can be added to the sandbox without a change of this crate.
#[tokio::test]
async fn a_language_that_only_its_runtime_knows_runs_as_given() {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let made_up = OfferedRuntime {
        name: "made-up".to_owned(),
        aliases: words(&["mup", "python", "typescript"]),
        endings: words(&[".mu", ".muu", ".py"]),
        ..OfferedRuntime::default()
    };
    let runtimes = [GeneratorConfig::default().runtimes, vec![made_up]].concat();
    let generator = Generator::open(GeneratorConfig { runtimes, ..GeneratorConfig::default() }).expect("is valid");
    for (language, file, runtime, path) in [
        (None, Some("src/x.mu"), "made-up", "x.mu"),
        (None, Some("x.MUU"), "made-up", "x.muu"),
        (Some("Made-Up"), None, "made-up", "main.mu"),
        (Some("mup"), Some("x.js"), "made-up", "main.mu"),
        (Some("auto"), Some("x.mu"), "made-up", "x.mu"),
        // A runtime can claim names and endings only of languages that no offered runtime executes.
        (Some("python"), None, "python", "main.py"),
        (None, Some("x.py"), "python", "x.py"),
        (Some("typescript"), None, "made-up", "main.mu"),
        (None, None, "python", "main.py"),
    ] {
        let (language, current_file) = (language.map(str::to_owned), file.map(str::to_owned));
        let request = GenerateRequest { language, current_file, ..with_code("Run this", "say 1") };
        let generation = generator.generate(&request).await.expect("runs");
        let found = (generation.runtime.as_str(), generation.run, generation.files[0].content.as_str());
        assert_eq!(found, (runtime, script(path), "say 1"), "{request:?}");
    }
    let klingon = GenerateRequest { language: Some("klingon".to_owned()), ..with_code("run this", "say 1") };
    let Err(GenerateError::NoGenerator { hint }) = generator.generate(&klingon).await else { panic!("served") };
    assert!(hint.contains("python, made-up"), "{hint}");
}

#[tokio::test]
async fn hostile_code_neither_aborts_nor_hangs() {
    for unit in ["(", "not ", "f'{", "'''", "\\\n", "if x:\n ", "\u{0}", "\u{feff}", "lambda:"] {
        let code = format!("  {}", unit.repeat(20_000));
        generate(with_code("document this", &code)).await.expect("runs");
    }
}

#[tokio::test]
async fn requested_changes_that_nothing_can_make_are_refused() {
    let comment = |request: GenerateRequest| GenerateRequest {
        feedback: Some(RoundFeedback { comment: Some("make it shorter".to_owned()), ..RoundFeedback::default() }),
        ..request
    };
    let recipe = GenerateRequest { goal: "Write an LRU cache with tests".to_owned(), ..GenerateRequest::default() };
    let chosen = GenerateRequest { recipe: Some("lru-cache".to_owned()), ..recipe.clone() };
    for request in [recipe, chosen, with_code("Run this", "print(1)"), with_code("Document this", "x = 1")] {
        let refused = generate(comment(request.clone())).await.expect_err(&request.goal);
        let GenerateError::NoGenerator { hint } = refused else { panic!("{refused}") };
        assert!(hint.contains("no language model is configured. Supply code, choose another recipe"), "{hint}");
        generate(request.clone()).await.unwrap_or_else(|error| panic!("{}: {error}", request.goal));
    }
}

#[tokio::test]
async fn no_recipe_serves_a_goal_about_code_that_did_not_come() {
    let generator = offering(&["python", "bash"]);
    for (mode, goal) in [
        (GenerationMode::Auto, "Run this program"),
        (GenerationMode::Auto, "Run the tests"),
        (GenerationMode::Auto, "Explain this code"),
        (GenerationMode::Run, "Create an LRU cache"),
    ] {
        let asked = GenerateRequest { goal: goal.to_owned(), mode, round: 1, ..GenerateRequest::default() };
        let refused = generator.generate(&asked).await;
        let Err(GenerateError::NoGenerator { hint }) = refused else { panic!("{goal}: {refused:?}") };
        assert!(hint.contains("none came with it") && !hint.contains("recipe"), "{goal}: {hint}");
    }
}

#[tokio::test]
async fn other_shells_and_numbers_run_as_nothing_else() {
    let generator = offering(&["python", "bash"]);
    for code in ["#!/bin/zsh\na=(x y)\necho $a[1]\n", "#!/usr/bin/env ksh\necho 1\n", "1\n2\n-3.5\n"] {
        let refused = generator.generate(&with_code("Run this", code)).await;
        assert!(matches!(refused, Err(GenerateError::NoGenerator { .. })), "{code}: {refused:?}");
    }
    for code in ["#!/bin/sh\necho 1\n", "#!/bin/dash\necho 1\n"] {
        assert_eq!(generator.generate(&with_code("Run this", code)).await.expect("runs").runtime, "bash");
    }
}
