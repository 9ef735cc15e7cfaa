//! A request gets the result that it asks for, or the reason for a refusal. Output of code that merely ran answers no
//! other request.

use serde_json::{Value, json};
use tests::{Client, Options, Stack};

const FAILING_TEST: &str = "def add(a, b):\n    return a - b\n\n\ndef test_add():\n    assert add(1, 2) == 3\n";

async fn stack() -> Stack {
    let options = Options { backend: "bubblewrap", ..Options::default() };
    Stack::start_with(options.with("limits.profile", "load")).await
}

/// Submits code with a goal, without approval, and returns the workflow's end.
async fn end_of(client: &Client, goal: &str, project: Value, mode: &str) -> Value {
    let preferences = json!({"require_approval": false, "mode": mode});
    let context = json!({"project_context": project, "execution_preferences": preferences});
    let id = client.execute(&json!({"goal": goal, "context": context})).await;
    tests::eventually("an end", std::time::Duration::from_secs(60), || async {
        let state = client.status(&id).await;
        matches!(state["status"].as_str(), Some("completed" | "failed")).then_some(state)
    })
    .await
}

fn code(language: &str, text: &str) -> Value {
    json!({"file_content": text, "language": language})
}

#[tokio::test]
async fn no_wish_but_a_run_is_answered_by_running_the_code() {
    let stack = stack().await;
    let client = stack.developer().await;
    for (language, text) in [
        ("python", "print('hi')"),
        ("javascript", "console.log('hi')"),
        ("bash", "echo hi"),
        ("sql", "SELECT 'hi';"),
        ("lua", "print('hi')"),
    ] {
        for goal in
            ["Fix the bug in this", "Try rewriting this in Go", "Explain this code", "Führe das aus und ändere es"]
        {
            let end = end_of(&client, goal, code(language, text), "auto").await;
            assert_eq!(
                (&end["status"], &end["error"]["code"]),
                (&json!("failed"), &json!("no_generator")),
                "{goal}: {end}"
            );
            let hint = end["error"]["hint"].as_str().expect("a hint");
            assert!(hint.contains("language model") && hint.contains("mode run"), "{hint}");
            assert_eq!((&end["action"], &end["runtime"]), (&Value::Null, &Value::Null), "{end}");
        }
        let ran = end_of(&client, "Test sandbox security", code(language, text), "auto").await;
        assert_eq!((&ran["status"], &ran["action"]), (&json!("completed"), &json!("ran")), "{ran}");
        assert_eq!(ran["artifacts"]["test_results"]["stdout"], "hi\n", "{ran}");
        assert!(ran["runtime"]["version"].as_str().is_some_and(|version| version.contains('.')), "{ran}");
    }
}

#[tokio::test]
async fn tests_that_are_asked_for_are_run_or_their_absence_is_an_error() {
    let stack = stack().await;
    let client = stack.developer().await;
    let passing = "def test_b():\n    assert True\n";
    let asynchronous = format!("async def test_a():\n    assert 1 == 2\n\n\n{passing}");
    let alias = "from unittest import TestCase as TC\n\n\nclass Adding(TC):\n    def test_a(self):\n        self.assertEqual(1, 2)\n";
    let nested = "import sys\nif sys.version_info >= (3, 8):\n    def test_a():\n        assert 1 == 2\n";
    let doctest = "def add(a, b):\n    \"\"\"\n    >>> add(1, 2)\n    3\n    \"\"\"\n    return a - b\n";
    let shell = "test_a() { true; }\ntest_b() { false; }\n";
    for (goal, language, text, (total, passed, failed, errors)) in [
        ("Check that the tests pass", "python", FAILING_TEST, (1, 0, 1, 0)),
        ("Test the add function", "python", FAILING_TEST, (1, 0, 1, 0)),
        ("Führe die Tests aus", "python", FAILING_TEST, (1, 0, 1, 0)),
        ("Run the tests", "python", asynchronous.as_str(), (2, 1, 1, 0)),
        ("Run the tests", "python", alias, (1, 0, 1, 0)),
        ("Run the tests", "python", nested, (1, 0, 1, 0)),
        ("Run the doctests in this file", "python", doctest, (1, 0, 1, 0)),
        ("Run the tests", "python", "print('none')\n", (1, 0, 0, 1)),
        ("Run the tests", "javascript", "console.log('none')\n", (1, 0, 0, 1)),
        ("Run the tests", "bash", shell, (2, 1, 1, 0)),
    ] {
        let end = end_of(&client, goal, code(language, text), "auto").await;
        let results = &end["artifacts"]["test_results"];
        let count = |name: &str| results[name].as_u64().unwrap_or(99);
        let found = (count("total"), count("passed"), count("failed"), count("errors"));
        assert_eq!(found, (total, passed, failed, errors), "{goal}, {language}: {results:#}");
        assert_eq!(end["action"], "tested", "{end}");
        assert!(results["success_rate"].as_f64().is_some_and(|rate| rate < 1.0), "{results}");
    }
    for language in ["sql", "lua"] {
        let end = end_of(&client, "Run the tests", code(language, "SELECT 1;"), "auto").await;
        assert_eq!(end["error"]["code"], "no_generator", "{end}");
    }
}

#[tokio::test]
async fn a_name_alone_makes_no_tests_of_a_script() {
    let stack = stack().await;
    let client = stack.developer().await;
    let named = |file: &str, text: &str| json!({"file_content": text, "current_file": file});
    let printing = format!("print('loading')\n{FAILING_TEST}");
    let unrelated = "def test_connection(url):\n    return url\n\n\nprint('value', test_connection(42))\n";
    // Its methods may be tests; the runner reports that they are not.
    let checks = "class Checks:\n    def test_it(self):\n        pass\n\n\nprint('value', 42)\n";
    for (file, text, action, stdout, passed) in [
        ("test_connection.py", "print('value', 42)\n", "ran", "value 42\n", 1),
        ("test_connection.py", unrelated, "ran", "value 42\n", 1),
        ("test_connection.py", checks, "ran", "value 42\n", 1),
        ("test_api.py", printing.as_str(), "tested", "loading", 0),
        ("test.js", "console.log('value', 42)\n", "ran", "value 42\n", 1),
        ("test_all.sh", "echo value 42\n", "ran", "value 42\n", 1),
    ] {
        let end = end_of(&client, "Run this script and show its output", named(file, text), "auto").await;
        let results = &end["artifacts"]["test_results"];
        assert_eq!((&end["action"], &results["passed"]), (&json!(action), &json!(passed)), "{file}: {end:#}");
        assert!(results["stdout"].as_str().is_some_and(|shown| shown.starts_with(stdout)), "{results:#}");
    }
    let ran = end_of(&client, "Fix this code", named("main.py", FAILING_TEST), "run").await;
    let message = ran["artifacts"]["test_results"]["tests"][0]["message"].as_str().unwrap_or_default();
    assert!(ran["action"] == "ran" && message.contains("mode to test"), "{ran:#}");
}
