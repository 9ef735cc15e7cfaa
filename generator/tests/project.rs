//! Requests with several files of the caller.

use generator::{
    EntryPoint, FilePurpose, GenerateError, GenerateRequest, Generation, GenerationAction, GenerationMode, Generator,
    GeneratorConfig, OfferedRuntime, Origin, RoundFeedback, SourceFile,
};

fn offering() -> Generator {
    let runtime = |name: &str, endings: &[&str], has_tests| OfferedRuntime {
        name: name.to_owned(),
        aliases: Vec::new(),
        endings: endings.iter().map(|ending| (*ending).to_owned()).collect(),
        has_tests,
        ..OfferedRuntime::default()
    };
    let runtimes = vec![
        runtime("python", &[".py"], true),
        runtime("node", &[".js", ".mjs"], true),
        runtime("bash", &[".sh"], true),
        runtime("sql", &[".sql"], false),
        runtime("c", &[".c", ".h"], false),
    ];
    Generator::open(GeneratorConfig { runtimes, ..GeneratorConfig::default() }).expect("the catalogue is valid")
}

fn request(mode: GenerationMode, entry: Option<&str>, files: &[(&str, &str)]) -> GenerateRequest {
    let file = |(path, content): &(&str, &str)| SourceFile {
        path: (*path).to_owned(),
        content: (*content).to_owned(),
        kind: FilePurpose::Code,
        from_caller: true,
    };
    GenerateRequest {
        goal: "Run this".to_owned(),
        files: files.iter().map(file).collect(),
        entry: entry.map(str::to_owned),
        mode,
        round: 1,
        ..GenerateRequest::default()
    }
}

async fn generate(request: &GenerateRequest) -> Result<Generation, GenerateError> {
    offering().generate(request).await
}

fn script(path: &str) -> EntryPoint {
    EntryPoint::Script { path: path.to_owned() }
}

const HELPER: (&str, &str) = ("lib/helper.py", "def two():\n    return 2\n");
const TESTS: (&str, &str) =
    ("tests/test_helper.py", "from lib.helper import two\n\ndef test_two():\n    assert two() == 2\n");

#[tokio::test]
async fn the_entry_runs_with_every_file_as_it_is() {
    let files = [("src/start.py", "    import x\n"), HELPER, ("data.csv", "a,b\r\n"), ("empty/__init__.py", "")];
    let made = generate(&request(GenerationMode::Auto, Some("src/start.py"), &files)).await.expect("runs");
    assert_eq!(
        (&made.origin, made.action, &made.run),
        (&Origin::Caller, GenerationAction::Ran, &script("src/start.py"))
    );
    assert_eq!(made.runtime, "python");
    let kept: Vec<_> = made.files.iter().map(|file| (file.path.as_str(), file.content.as_str())).collect();
    assert_eq!(kept, files);
    assert!(made.files.iter().all(|file| file.from_caller && file.kind == FilePurpose::Code));
}

#[tokio::test]
async fn without_an_entry_the_names_decide_or_the_caller_is_asked() {
    for (files, expected) in [
        (vec![("tool.py", "x = 1")], Some(script("tool.py"))),
        (vec![("tool.py", "x = 1"), ("data.json", "{}"), TESTS], Some(script("tool.py"))),
        (vec![HELPER, ("main.py", "x = 1")], Some(script("main.py"))),
        (vec![("other.js", ""), ("index.js", "console.log(1)")], Some(script("index.js"))),
        (vec![("sum.h", "int sum(int);"), ("sum.c", "int main(void) { return 0; }")], Some(script("sum.c"))),
        (vec![("a.py", "x = 1"), ("lib/main.py", "x = 1")], None),
        (vec![("a.sh", "echo a"), ("b.sh", "echo b")], None),
    ] {
        let made = generate(&request(GenerationMode::Run, None, &files)).await;
        match (made, expected) {
            (Ok(made), Some(run)) => assert_eq!(made.run, run, "{files:?}"),
            (Err(GenerateError::NoGenerator { hint }), None) => assert!(hint.contains("in entry"), "{hint}"),
            (made, expected) => panic!("{files:?}: {made:?}, not {expected:?}"),
        }
    }
}

#[tokio::test]
async fn tests_among_the_files_are_run_together() {
    let made =
        generate(&request(GenerationMode::Test, None, &[("main.py", "x = 1"), HELPER, TESTS])).await.expect("tests");
    assert_eq!((&made.run, made.action, made.files.len()), (&EntryPoint::Tests, GenerationAction::Tested, 3));
    let by_goal =
        GenerateRequest { goal: "Run the tests".to_owned(), ..request(GenerationMode::Auto, None, &[HELPER, TESTS]) };
    assert_eq!(generate(&by_goal).await.expect("tests").run, EntryPoint::Tests);
    for files in
        [vec![HELPER], vec![HELPER, ("main.py", "def test_two(): assert 0")], vec![("test_a.sql", "select 1;")]]
    {
        let refused = generate(&request(GenerationMode::Test, None, &files)).await;
        assert!(matches!(refused, Err(GenerateError::NoGenerator { .. })), "{files:?}: {refused:?}");
    }
    let entry =
        generate(&request(GenerationMode::Run, Some("tests/test_helper.py"), &[HELPER, TESTS])).await.expect("runs");
    assert_eq!((entry.action, entry.run), (GenerationAction::Ran, script("tests/test_helper.py")));
}

#[tokio::test]
async fn no_tests_are_left_out_without_a_word() {
    let shell = ("check/test_a.sh", "test_a() { false; }\n");
    let other = ("tests/test_other.py", "def test_other():\n    assert False\n");
    let skipped = |folder: &str| (format!("{folder}/test_x.py"), "def test_x():\n    assert False\n");
    for mode in [GenerationMode::Test, GenerationMode::Auto] {
        let goal = "Run the tests".to_owned();
        let refused = generate(&GenerateRequest { goal, ..request(mode, None, &[HELPER, TESTS, shell]) }).await;
        assert!(matches!(refused, Err(GenerateError::NoGenerator { .. })), "{refused:?}");
    }
    for folder in ["build", "a/dist", "venv/b", "x.egg"] {
        let (path, content) = skipped(folder);
        let refused = generate(&request(GenerationMode::Test, None, &[HELPER, TESTS, (&path, content)])).await;
        assert!(matches!(refused, Err(GenerateError::NoGenerator { .. })), "{folder}: {refused:?}");
    }
    let files = [HELPER, TESTS, shell, other];
    for (entry, runtime, kept) in
        [("tests/test_helper.py", "python", 3), ("check/test_a.sh", "bash", 4), ("lib/helper.py", "python", 4)]
    {
        let made = generate(&request(GenerationMode::Test, Some(entry), &files)).await.expect("tests");
        assert_eq!(
            (made.runtime.as_str(), made.files.len(), &made.run),
            (runtime, kept, &EntryPoint::Tests),
            "{entry}"
        );
    }
}

#[tokio::test]
async fn a_blank_first_file_does_not_decide_what_the_goal_means() {
    let init = ("pkg/__init__.py", " \n");
    let made = generate(&request(GenerationMode::Auto, None, &[init, HELPER, ("pkg/tool.py", "print(1)\n")])).await;
    assert!(matches!(&made, Err(GenerateError::NoGenerator { hint }) if hint.contains("in entry")), "{made:?}");
    let made = generate(&request(GenerationMode::Auto, None, &[init, HELPER])).await.expect("runs");
    assert_eq!(made.run, script("lib/helper.py"));
    let goal = "Run the tests".to_owned();
    let made = generate(&GenerateRequest { goal, ..request(GenerationMode::Auto, None, &[init, TESTS]) })
        .await
        .expect("tests");
    assert_eq!(made.action, GenerationAction::Tested);
}

#[tokio::test]
async fn changes_that_a_reviewer_asks_for_are_not_ignored() {
    let comment = RoundFeedback { comment: Some("Rename two".to_owned()), ..RoundFeedback::default() };
    let asked = GenerateRequest {
        feedback: Some(comment),
        ..request(GenerationMode::Run, None, &[HELPER, ("main.py", "x = 1")])
    };
    let refused = generate(&asked).await;
    assert!(matches!(&refused, Err(GenerateError::NoGenerator { hint }) if hint.contains("reject")), "{refused:?}");
}

#[tokio::test]
async fn the_name_of_the_entry_tells_its_language() {
    let files = [("run.sh", "echo 1"), ("main.py", "x = 1"), ("app.js", "1")];
    for (entry, runtime) in [("run.sh", "bash"), ("main.py", "python"), ("app.js", "node")] {
        let request = GenerateRequest {
            language: Some("python".to_owned()),
            ..request(GenerationMode::Run, Some(entry), &files)
        };
        assert_eq!(generate(&request).await.expect("runs").runtime, runtime, "{entry}");
    }
    let refused =
        generate(&request(GenerationMode::Run, Some("a.rb"), &[("a.rb", "puts 1"), ("main.py", "x = 1")])).await;
    assert!(matches!(refused, Err(GenerateError::NoGenerator { .. })), "{refused:?}");
}

#[tokio::test]
async fn other_work_takes_one_file() {
    for mode in [GenerationMode::Change, GenerationMode::WriteTests, GenerationMode::Explain, GenerationMode::Generate]
    {
        match generate(&request(mode, None, &[HELPER, TESTS])).await {
            Err(GenerateError::NoGenerator { hint }) => assert!(hint.contains("one file"), "{hint}"),
            made => panic!("{mode:?}: {made:?}"),
        }
    }
    let documented =
        generate(&request(GenerationMode::Document, Some("lib/helper.py"), &[HELPER, TESTS])).await.expect("outline");
    assert!(
        documented.documentation.contains("# lib/helper.py") && documented.documentation.contains("test_helper.py")
    );
    let wish = GenerateRequest {
        goal: "Add docstrings".to_owned(),
        ..request(GenerationMode::Document, None, &[HELPER, ("main.py", "x = 1")])
    };
    let node = request(GenerationMode::Document, None, &[("index.js", "1"), ("lib.js", "2")]);
    for request in [wish, node] {
        let refused = generate(&request).await;
        assert!(matches!(refused, Err(GenerateError::NoGenerator { .. })), "{refused:?}");
    }
    let single =
        GenerateRequest { goal: "Write tests".to_owned(), ..request(GenerationMode::WriteTests, None, &[HELPER]) };
    let given = offering().given_code(&single).expect("a tool writes tests for one file");
    assert_eq!(given.file.path, "helper.py");
    // Tests cannot import a module of that name.
    let named = GenerateRequest {
        files: vec![],
        code: Some(HELPER.1.to_owned()),
        current_file: Some("my helper.py".to_owned()),
        ..single
    };
    assert_eq!(offering().given_code(&named).expect("a tool writes tests").file.path, "main.py");
}

#[tokio::test]
async fn a_test_may_take_a_fixture_of_another_file() {
    let generator = offering();
    let fixture = "import pytest\n@pytest.fixture\ndef z():\n    return 3\n";
    let test = "def test_a(z):\n    assert z == 3\n";
    for (setup, tests) in
        [("conftest.py", "test_a.py"), ("tests/conftest.py", "tests/test_a.py"), ("helper.py", "test_a.py")]
    {
        for (mode, goal) in [
            (GenerationMode::Test, "Run this"),
            (GenerationMode::Auto, "Run the tests"),
            (GenerationMode::Auto, "Test this"),
        ] {
            for entry in [None, Some(tests)] {
                let asked = GenerateRequest {
                    goal: goal.to_owned(),
                    ..request(mode, entry, &[(setup, fixture), (tests, test)])
                };
                let made = generator.generate(&asked).await.expect("tests");
                assert_eq!((made.action, made.files.len()), (GenerationAction::Tested, 2), "{setup} {goal}");
            }
        }
    }
    // Tests that are asked for are found by the name of their file, wherever their parameters come from.
    let made =
        generator.generate(&request(GenerationMode::Test, None, &[HELPER, ("test_a.py", test)])).await.expect("tests");
    assert_eq!(made.run, EntryPoint::Tests);
}

#[tokio::test]
async fn mode_run_runs_tests_as_a_program() {
    let generator = offering();
    for (path, content) in [
        ("test_port.sh", "test_port() { true; }\ntest_port 80\n"),
        ("test_x.py", "def test_a():\n    assert 1\n"),
        ("x.test.js", "import test from 'node:test';\n"),
    ] {
        let single = request(GenerationMode::Run, None, &[(path, content)]);
        let code = Some(content.to_owned());
        let alone = GenerateRequest { code, current_file: Some(path.to_owned()), files: Vec::new(), ..single.clone() };
        for asked in [single, alone] {
            let made = generator.generate(&asked).await.expect("runs");
            assert!(
                matches!(made.run, EntryPoint::Script { .. }) && made.action == GenerationAction::Ran,
                "{path}: {made:?}"
            );
            let by_goal =
                generator.generate(&GenerateRequest { mode: GenerationMode::Auto, ..asked }).await.expect("runs");
            assert_eq!(by_goal.action, GenerationAction::Tested, "{path}");
        }
    }
}

#[tokio::test]
async fn an_empty_file_is_code_and_runs() {
    let generator = offering();
    for path in ["main.py", "main.js", "main.sh"] {
        for content in ["", "\n\n"] {
            for mode in [GenerationMode::Auto, GenerationMode::Run] {
                let made = generator.generate(&request(mode, None, &[(path, content)])).await.expect("runs");
                assert_eq!((&made.run, made.files[0].content.as_str()), (&script(path), content));
            }
            let asked = request(GenerationMode::Auto, None, &[]);
            let alone =
                GenerateRequest { code: Some(content.to_owned()), current_file: Some(path.to_owned()), ..asked };
            assert_eq!(generator.generate(&alone).await.expect("runs").run, script(path));
            for mode in [
                GenerationMode::Test,
                GenerationMode::WriteTests,
                GenerationMode::Change,
                GenerationMode::Document,
                GenerationMode::Explain,
            ] {
                for asked in [request(mode, None, &[(path, content)]), GenerateRequest { mode, ..alone.clone() }] {
                    assert_eq!(generator.given_code(&asked), None);
                    let refused = generator.generate(&asked).await;
                    assert!(
                        matches!(&refused, Err(GenerateError::NoGenerator { hint }) if hint.contains("is empty")),
                        "{refused:?}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn files_without_a_program_are_refused_for_what_they_are() {
    let generator = offering();
    for (files, expected) in [
        (vec![("main.ts", "const a: number = 1"), ("l.ts", "export {}")], "TypeScript"),
        (vec![("main.go", "package main"), ("go.mod", "module x")], "Go"),
        (vec![("main.go", "package main"), ("build.sh", "echo 1")], "Go"),
        (vec![("a.csv", "1,2"), ("b.json", "{}")], "None of the files is a program"),
        (vec![("conftest.py", "x = 1"), ("test_a.py", "def test_a(): pass")], "mode test"),
        (vec![("a.py", "x = 1"), ("b.py", "x = 1")], "__main__"),
    ] {
        let refused = generator.generate(&request(GenerationMode::Run, None, &files)).await;
        assert!(matches!(&refused, Err(GenerateError::NoGenerator { hint }) if hint.contains(expected)), "{refused:?}");
    }
}
