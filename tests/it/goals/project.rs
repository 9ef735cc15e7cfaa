//! Several files with input, from the submission to the result.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Client, Options, Stack, Terminal, eventually};

async fn stack() -> Stack {
    let options = Options { backend: "bubblewrap", ..Options::default() };
    Stack::start_with(options.with("limits.profile", "load")).await
}

fn files(files: &[(&str, &str)]) -> Value {
    files.iter().map(|(path, content)| json!({"path": path, "content": content})).collect()
}

/// Submits without approval, waits, and returns the status document.
async fn end_of(client: &Client, goal: &str, project: Value, mut preferences: Value) -> Value {
    preferences["require_approval"] = false.into();
    let context = json!({"project_context": project, "execution_preferences": preferences});
    let answer = client.post("/api/v3/execute?wait=60s", &json!({"goal": goal, "context": context})).await;
    answer.expect(200)["data"].clone()
}

#[track_caller]
fn printed(end: &Value, stdout: &str) {
    assert_eq!(end["status"], "completed", "{end:#}");
    assert_eq!(end["artifacts"]["test_results"]["stdout"], stdout, "{:#}", end["artifacts"]["test_results"]);
}

const HELPER: &str =
    "import json, pathlib\n\ndef rows():\n    return json.loads(pathlib.Path('data/rows.json').read_text())\n";

#[tokio::test]
async fn a_program_of_several_files_runs_with_its_input() {
    let stack = stack().await;
    let client = stack.developer().await;
    let main = "import os, sys\nfrom lib.helper import rows\nprint(sum(rows()), sys.argv[1:], os.environ['UNIT'], input(), sys.stdin.read())\n";
    let python = files(&[
        ("main.py", main),
        ("lib/__init__.py", ""),
        ("lib/helper.py", HELPER),
        ("data/rows.json", "[1, 2, 3]"),
        ("README.md", "# Rows\n"),
    ]);
    let input =
        json!({"stdin": "first\nrest", "args": ["--all", "a b"], "env": {"UNIT": "kg", "PYTHONUNBUFFERED": "1"}});
    let end = end_of(&client, "Run this and show its output", json!({"files": python}), input.clone()).await;
    printed(&end, "6 ['--all', 'a b'] kg first rest\n");
    assert_eq!((&end["action"], &end["runtime"]["language"]), (&json!("ran"), &json!("python")));
    let id = end["workflow_id"].as_str().expect("an id");
    let own = client.get(&format!("/api/v3/execute/{id}/artifacts/files/lib/helper.py")).await;
    assert_eq!((own.status, own.text.as_str()), (200, HELPER));

    let node = files(&[
        ("package.json", r#"{"type": "module"}"#),
        (
            "src/start.js",
            "import { two } from './lib.js';\nimport { readFileSync } from 'node:fs';\nconsole.log(two(), process.argv[2], process.env.UNIT, readFileSync(0, 'utf8'));\n",
        ),
        ("src/lib.js", "export const two = () => 2;\n"),
    ]);
    let end = end_of(&client, "Run this", json!({"files": node, "entry": "src/start.js"}), input.clone()).await;
    printed(&end, "2 --all kg first\nrest\n");

    let bash = files(&[
        ("main.sh", "source ./lib.sh\ngreet \"$2\" \"$UNIT\"; cat\n"),
        ("lib.sh", "greet() { echo \"$@\"; }\n"),
    ]);
    let end = end_of(&client, "Run this", json!({"files": bash, "entry": "main.sh"}), input).await;
    printed(&end, "a b kg\nfirst\nrest");

    // As a program it would define its tests and end without a check.
    let tests = json!({"file_content": "def test_a():\n    assert False\n", "current_file": "test_a.py"});
    let end = end_of(&client, "Run this", tests, json!({"args": ["-v"]})).await;
    assert_eq!((&end["status"], &end["error"]["code"]), (&json!("failed"), &json!("args_unsupported")), "{end:#}");

    let sql = json!({"file_content": "SELECT 1;", "language": "sql"});
    let end = end_of(&client, "Run this", sql, json!({"args": [".shell id"]})).await;
    assert_eq!((&end["status"], &end["error"]["code"]), (&json!("failed"), &json!("args_unsupported")), "{end:#}");
    let sql = json!({"file_content": "SELECT 1;", "language": "sql"});
    let end = end_of(&client, "Run this", sql, json!({"stdin": "SELECT 2;"})).await;
    assert_eq!((&end["status"], &end["error"]["code"]), (&json!("failed"), &json!("stdin_unsupported")), "{end:#}");
}

#[tokio::test]
async fn tests_among_the_files_are_found_and_every_file_is_analysed() {
    let stack = stack().await;
    let client = stack.developer().await;
    let tests = "import os\nfrom lib.sums import add\n\ndef test_add():\n    assert add(1, 2) == 3\n\ndef test_env():\n    assert os.environ['UNIT'] == 'kg'\n\ndef test_wrong():\n    assert add(1, 1) == 3\n";
    let project = files(&[
        (
            "lib/sums.py",
            "import os\n\ndef add(a, b):\n    return a + b\n\ndef clean(path):\n    os.system('rm ' + path)\n",
        ),
        ("tests/test_sums.py", tests),
        ("conftest.py", "import pytest\n"),
        ("notes.txt", "import subprocess, sys\nsubprocess.run(sys.argv[1], shell=True)\n"),
        ("rows.csv", "a,b\n1,2\n"),
    ]);
    let end = end_of(&client, "Run the tests", json!({"files": project}), json!({"env": {"UNIT": "kg"}})).await;
    assert_eq!((&end["status"], &end["action"]), (&json!("completed"), &json!("tested")), "{end:#}");
    let results = &end["artifacts"]["test_results"];
    assert_eq!((&results["total"], &results["passed"]), (&json!(3), &json!(2)), "{results:#}");
    let report = &end["artifacts"]["security_report"];
    assert_eq!(report["language"], "python");
    let found = |file: &str| {
        let all = report["findings"].as_array().expect("findings");
        all.iter().any(|finding| finding["file"] == file && finding["type"] == "security")
    };
    assert!(found("lib/sums.py"), "{report:#}");
    assert!(found("notes.txt"), "a program may load a file of any name: {report:#}");
    assert!(!found("rows.csv"), "{report:#}");
}

/// Files that have the names of the sandbox's own modules replace none of them.
#[tokio::test]
async fn no_file_takes_the_place_of_what_reports_the_tests() {
    let stack = stack().await;
    let client = stack.developer().await;
    let lie = "import os, sys\nos.write(1, b'LIE\\n')\nos._exit(0)\n";
    let names = [
        "sitecustomize.py",
        "usercustomize.py",
        "promptcraft_tests.py",
        "promptcraft_report.py",
        "pytest.py",
        "json.py",
    ];
    let mut project = vec![
        ("test_truth.py", "def test_fails():\n    assert False\n"),
        ("pytest.ini", "[pytest]\npython_files = none.py\n"),
    ];
    project.extend(names.map(|name| (name, lie)));
    let end = end_of(&client, "Run the tests", json!({"files": files(&project)}), json!({})).await;
    let results = &end["artifacts"]["test_results"];
    assert_eq!(
        (&end["action"], &results["total"], &results["failed"]),
        (&json!("tested"), &json!(1), &json!(1)),
        "{results:#}"
    );
    assert!(!results["stdout"].as_str().unwrap_or_default().contains("LIE"), "{results:#}");
}

#[tokio::test]
async fn runtimes_are_those_that_workers_have() {
    let stack = stack().await;
    let client = stack.developer().await;
    let listed = eventually("a heartbeat", Duration::from_secs(20), || async {
        let answer = client.get("/api/v3/runtimes").await;
        (answer.status == 200).then(|| answer.json()["data"]["runtimes"].clone())
    })
    .await;
    let of = |name: &str| listed.as_array().expect("a list").iter().find(|it| it["name"] == name).expect("it is there");
    let health = client.get("/health").await.json();
    let names: Vec<&Value> = listed.as_array().expect("a list").iter().map(|it| &it["name"]).collect();
    assert_eq!(json!(names), health["services"]["sandbox"]["runtimes"]);
    let end = end_of(&client, "Run this", json!({"file_content": "print(1)", "language": "python"}), json!({})).await;
    assert_eq!(of("python")["version"], end["runtime"]["version"]);
    assert_eq!((&of("python")["runs_tests"], &of("sql")["runs_tests"]), (&json!(true), &json!(false)));
    let packages = of("python")["packages"].as_array().expect("a list");
    assert!(packages.iter().any(|package| package["name"] == "pytest"), "{packages:?}");
    // Every listed name and extension is one that a submission may use.
    for alias in of("node")["aliases"].as_array().expect("a list") {
        let project = json!({"file_content": "console.log(1)", "language": alias});
        printed(&end_of(&client, "Run this", project, json!({})).await, "1\n");
    }
}

#[tokio::test]
async fn a_terminal_runs_files_with_input() {
    let stack = stack().await;
    let folder: PathBuf = stack.directory().join("project");
    fs::create_dir_all(folder.join("lib")).expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let main = write(
        "start.py",
        "import os, sys\nfrom lib.two import two\nprint(two(), sys.argv[1:], os.environ['UNIT'], sys.stdin.read())\nsys.exit(3)\n",
    );
    let lib = write("lib/two.py", "def two():\n    return 2\n");
    let stdin = write("input.txt", "typed");
    let terminal = Terminal::new(&stack);
    let words = [
        "run",
        &main,
        &lib,
        "--entry",
        &main,
        "--stdin",
        &stdin,
        "--arg",
        "-x",
        "--env",
        "UNIT=kg",
        "--no-approval",
        "--wait",
    ];
    let seen = terminal.run(&words);
    assert!(seen.out.contains("2 ['-x'] kg typed"), "{seen:?}");
    assert_eq!(seen.code, 1, "the program failed: {seen:?}");
    let missing = terminal.run(&["run", "mian.py"]);
    assert!(missing.code != 0 && missing.err.contains("file not found: mian.py"), "{missing:?}");
    let listed = terminal.run(&["runtimes"]);
    assert!(listed.out.contains("python") && listed.out.contains("pytest 7"), "{listed:?}");
}
