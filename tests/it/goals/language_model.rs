//! A language model from the endpoint to the released result: helpful, slow, rate-limited, truncating and hostile.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use service::config::SETTINGS;
use tests::{Client, ModelEndpoint, ModelReply, Options, REPLY_TOKENS, Stack, eventually, question_of};

const GOAL: &str = "Build me a rocket guidance system";
const ROCKET: &str = "def thrust(mass, acceleration):\n    return mass * acceleration\n";
const ROCKET_TEST: &str =
    "from rocket import thrust\n\n\ndef test_thrust():\n    assert thrust(2, 3) == 6, 'thrust is wrong'\n";

/// Starts a stack whose workers use the endpoint. CPU time is free, so that only tokens cost.
async fn stack_with(endpoint: &ModelEndpoint, more: &[(&'static str, &str)]) -> Stack {
    let mut options = Options::default()
        .with("generator.model_url", endpoint.address())
        .with("generator.model", "tiny")
        .with("budget.cpu_second", "0");
    for (name, value) in more {
        options = options.with(name, *value);
    }
    Stack::start_with(options).await
}

fn goal(text: &str, require_approval: bool) -> Value {
    let preferences = json!({"require_approval": require_approval, "max_iterations": 2});
    json!({"goal": text, "context": {"execution_preferences": preferences}})
}

/// Returns a request for work on given code.
fn work(text: &str, file: &str, code: &str, require_approval: bool) -> Value {
    let mut body = goal(text, require_approval);
    body["context"]["project_context"] = json!({"file_content": code, "current_file": file});
    body
}

async fn end_of(client: &Client, body: &Value) -> Value {
    let id = client.execute(body).await;
    eventually("an end", Duration::from_secs(90), || async {
        let state = client.status(&id).await;
        matches!(state["status"].as_str(), Some("completed" | "failed")).then_some(state)
    })
    .await
}

#[track_caller]
fn failed_with(end: &Value, code: &str) {
    assert_eq!((&end["status"], &end["error"]["code"]), (&json!("failed"), &json!(code)), "{end:#}");
}

fn rocket() -> ModelReply {
    ModelReply::Files(vec![("rocket.py", ROCKET), ("test_rocket.py", ROCKET_TEST)])
}

/// Returns the data of each event of a workflow that has ended.
async fn events_of(client: &Client, id: &str) -> Vec<Value> {
    let stream = client.get(&format!("/api/v3/execute/{id}/events")).await;
    let data = stream.text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

#[tokio::test]
async fn a_goal_is_served_in_as_many_rounds_as_it_takes() {
    let endpoint = ModelEndpoint::start().await;
    let stack = stack_with(&endpoint, &[]).await;
    let client = stack.developer().await;

    endpoint.plays([rocket()]);
    let id = client.execute(&goal(GOAL, false)).await;
    let done = client.until(&id, "completed").await;
    assert_eq!((&done["action"], &done["metrics"]["iterations"]), (&json!("generated"), &json!(1)), "{done:#}");
    assert_eq!(done["artifacts"]["test_results"]["passed"], 1);
    let documentation = done["artifacts"]["documentation"].as_str().expect("documentation");
    assert!(documentation.contains("1. Write the code") && documentation.contains("`thrust`"), "{documentation}");
    let cost = done["metrics"]["total_cost"].as_f64().expect("a cost");
    assert!((cost - REPLY_TOKENS as f64 / 1_000.0 * 0.01).abs() < 1e-6, "{cost}");

    let wrong = ModelReply::Files(vec![
        ("rocket.py", "def thrust(m, a):\n    return m + a\n"),
        ("test_rocket.py", ROCKET_TEST),
    ]);
    endpoint.plays([wrong, rocket()]);
    let id = client.execute(&goal(GOAL, false)).await;
    let done = client.until(&id, "completed").await;
    assert_eq!(done["metrics"]["iterations"], 2, "{done:#}");
    let prompt = endpoint.requests()[1].prompt();
    for part in ["test_rocket.py::test_thrust", "thrust is wrong", "return m + a", "round 2"] {
        assert!(prompt.contains(part), "{part}: {prompt}");
    }
    let events = events_of(&client, &id).await;
    let seen: Vec<_> = events.iter().map(|event| (event["round"].as_u64(), event["phase"].as_str())).collect();
    let round = |number| ["generate", "analyze", "execute"].map(|phase| (Some(number), Some(phase)));
    let expected = [vec![(Some(1), Some("plan"))], round(1).to_vec(), round(2).to_vec()].concat();
    assert_eq!(seen[..expected.len()], expected, "{seen:?}");
    assert!(events.iter().any(|event| event["detail"] == "model tiny"), "{events:?}");
}

#[tokio::test]
async fn serious_findings_go_into_the_next_round() {
    let endpoint = ModelEndpoint::start().await;
    let stack = stack_with(&endpoint, &[]).await;
    let client = stack.developer().await;
    let unsafe_code = "import os\n\n\ndef thrust(mass, acceleration):\n    return mass * acceleration\n\n\ndef ask():\n    os.system(input())\n";
    endpoint.plays([ModelReply::Files(vec![("rocket.py", unsafe_code), ("test_rocket.py", ROCKET_TEST)]), rocket()]);
    let done = end_of(&client, &goal(GOAL, false)).await;
    assert_eq!((&done["status"], &done["metrics"]["iterations"]), (&json!("completed"), &json!(2)), "{done:#}");
    assert_eq!(done["metrics"]["security_issues_resolved"], 1, "{done:#}");
    let prompt = endpoint.requests()[1].prompt();
    assert!(prompt.contains("Findings of the analysis (1 in all)") && prompt.contains("rocket.py, line 9"), "{prompt}");
}

#[tokio::test]
async fn no_hostile_or_broken_reply_is_a_success() {
    let endpoint = ModelEndpoint::start().await;
    let stack = stack_with(&endpoint, &[]).await;
    let client = stack.developer().await;
    for (reply, reason) in [
        (ModelReply::Truncated("{\"plan\": [], \"files\": [{\"path\": \"rocket.py\", \"con"), "cut off"),
        (ModelReply::Files(vec![("../../etc/rocket.py", ROCKET), ("test_rocket.py", ROCKET_TEST)]), "unsafe name"),
        (ModelReply::Files(vec![("rocket.py", ROCKET), ("/tmp/test_rocket.py", ROCKET_TEST)]), "unsafe name"),
        (
            ModelReply::Files(vec![("rocket.py", ROCKET), ("conftest.py", "collect_ignore = ['test_rocket.py']\n")]),
            "tests are found",
        ),
        (ModelReply::Text("I am sorry, I cannot help with that."), "no file"),
    ] {
        endpoint.plays([reply.clone()]);
        let end = end_of(&client, &goal(GOAL, false)).await;
        failed_with(&end, "generator_invalid_reply");
        assert!(end["error"]["message"].as_str().is_some_and(|text| text.contains(reason)), "{reply:?}: {end:#}");
        assert!(end["metrics"]["total_cost"].as_f64().is_some_and(|cost| cost > 0.0), "{end:#}");
    }
    let broken = "def thrust(mass, acceleration):\n    return None\n";
    for tests in [
        "import pytest\n\nfrom rocket import thrust\n\n\n@pytest.mark.skip\ndef test_thrust():\n    assert thrust(2, 3) == 6\n",
        "import pytest\n\nfrom rocket import thrust\n\n\n@pytest.mark.xfail\ndef test_thrust():\n    assert thrust(2, 3) == 6\n\n\ndef test_name():\n    assert thrust.__name__ == 'thrust'\n",
        "import pytest\n\npytest.skip('later', allow_module_level=True)\n",
        "import sys\n\nsys.exit(0)\n",
        "import os\n\n\ndef test_thrust():\n    os._exit(0)\n",
        "from rocket import thrust\n\n\ndef test_thrust():\n    thrust(2, 3)\n",
        "from rocket import thrust\n\n\ndef test_thrust():\n    assert True\n",
        "from rocket import thrust\n\n\ndef test_thrust():\n    return\n    assert thrust(2, 3) == 6\n",
        "# Nothing to test.\n",
    ] {
        endpoint.plays([ModelReply::Files(vec![("rocket.py", broken), ("test_rocket.py", tests)])]);
        let end = end_of(&client, &goal(GOAL, false)).await;
        failed_with(&end, "tests_failed");
        assert_eq!(endpoint.requests().len(), 2, "{tests}");
        assert!(end["metrics"]["test_success_rate"].as_f64().is_some_and(|rate| rate < 1.0), "{end:#}");
    }
    endpoint.plays([ModelReply::Files(vec![("rocket.py", broken)])]);
    failed_with(&end_of(&client, &goal(GOAL, false)).await, "tests_failed");
}

#[tokio::test]
async fn an_endpoint_that_limits_the_rate_or_hangs_is_asked_again() {
    let endpoint = ModelEndpoint::start().await;
    let stack = stack_with(&endpoint, &[("generator.model_timeout", "2s"), ("worker.max_attempts", "3")]).await;
    let client = stack.developer().await;

    endpoint.plays([ModelReply::Refused(429, Some(3)), rocket()]);
    let done = end_of(&client, &goal(GOAL, false)).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    let requests = endpoint.requests();
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(3), "{requests:?}");

    // `Retry-After: 0` is still followed by a delay.
    endpoint.plays([ModelReply::Refused(429, Some(0)), ModelReply::Refused(429, Some(0)), rocket()]);
    let done = end_of(&client, &goal(GOAL, false)).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    let requests = endpoint.requests();
    assert!(requests[1].at - requests[0].at >= Duration::from_millis(500), "{requests:?}");
    assert!(requests[2].at - requests[1].at >= Duration::from_millis(1_000), "{requests:?}");

    endpoint.plays([ModelReply::Never, rocket()]);
    let done = end_of(&client, &goal(GOAL, false)).await;
    assert_eq!((&done["status"], endpoint.requests().len()), (&json!("completed"), 2), "{done:#}");

    endpoint.plays([ModelReply::Never]);
    failed_with(&end_of(&client, &goal(GOAL, false)).await, "attempts_exhausted");
    assert_eq!(endpoint.requests().len(), 3);

    endpoint.plays([ModelReply::Refused(401, None)]);
    failed_with(&end_of(&client, &goal(GOAL, false)).await, "generator_unauthorized");
}

#[tokio::test]
async fn tokens_are_paid_from_the_budget() {
    let endpoint = ModelEndpoint::start().await;
    // A budget of 2.00 pays for 500 tokens: one prompt with its reply, and no second one.
    let stack = stack_with(&endpoint, &[("budget.thousand_tokens", "4"), ("budget.per_user_day", "100")]).await;
    let client = stack.developer().await;
    let wrong =
        ModelReply::Files(vec![("rocket.py", "def thrust(m, a):\n    return 0\n"), ("test_rocket.py", ROCKET_TEST)]);
    endpoint.plays([wrong]);
    let end = end_of(&client, &goal(GOAL, false)).await;
    failed_with(&end, "budget_exceeded");
    assert_eq!((endpoint.requests().len(), &end["metrics"]["total_cost"]), (1, &json!(1.6)), "{end:#}");
    let limit = endpoint.requests()[0].body["max_tokens"].as_u64().expect("a limit");
    assert!((1..500).contains(&limit), "{limit}");
}

#[tokio::test]
async fn a_reviewers_comment_reaches_the_model() {
    let endpoint = ModelEndpoint::start().await;
    let stack = stack_with(&endpoint, &[]).await;
    let client = stack.developer().await;
    let wrong =
        ModelReply::Files(vec![("rocket.py", "def thrust(m, a):\n    return 0\n"), ("test_rocket.py", ROCKET_TEST)]);
    endpoint.plays([rocket(), wrong, rocket()]);
    let id = client.execute(&goal(GOAL, true)).await;
    let parked = client.until(&id, "waiting_approval").await;
    let first = question_of(&parked);
    let decision = json!({
        "workflow_id": id, "approval_id": first, "decision": "changes_requested", "comment": "name the units in the docstring",
    });
    client.post(&format!("/api/v3/execute/approve/{id}"), &decision).await.expect(200);
    let again = eventually("another question", Duration::from_secs(60), || async {
        let state = client.status(&id).await;
        (state["status"] == "waiting_approval" && question_of(&state) != first).then_some(state)
    })
    .await;
    // The round after the failed one includes the comment.
    for (number, part) in [(1, "def thrust"), (2, "thrust is wrong")] {
        let prompt = endpoint.requests()[number].prompt();
        assert!(prompt.contains("name the units in the docstring") && prompt.contains(part), "{prompt}");
    }
    client.decide(&id, &question_of(&again), "approved").await.expect(200);
    let done = client.until(&id, "completed").await;
    assert!(done["artifacts"]["generated_code"].as_str().is_some_and(|code| code.contains("def thrust")), "{done:#}");
}

#[tokio::test]
async fn changes_to_given_code_come_back_whole_and_as_a_diff() {
    let endpoint = ModelEndpoint::start().await;
    let stack = stack_with(&endpoint, &[("sandbox.runtimes", "python,node,bash")]).await;
    let client = stack.developer().await;
    for (file, given, changed, tests) in [
        (
            "rocket.py",
            "def thrust(mass, acceleration):\n    return mass\n",
            ROCKET,
            Some(("test_rocket.py", ROCKET_TEST)),
        ),
        (
            "rocket.js",
            "exports.thrust = (mass, acceleration) => mass;\n",
            "exports.thrust = (mass, acceleration) => mass * acceleration;\n",
            Some((
                "rocket.test.js",
                "const { test } = require('node:test');\nconst assert = require('node:assert/strict');\nconst { thrust } = require('./rocket.js');\n\ntest('thrust', () => assert.equal(thrust(2, 3), 6));\n",
            )),
        ),
        ("rocket.sh", "echo $1\n", "echo \"thrust ${1:-1}\"\n", None),
    ] {
        let files = [(file, changed)].into_iter().chain(tests).collect();
        endpoint.plays([ModelReply::Files(files)]);
        let id = client.execute(&work("Fix the bug in this code", file, given, true)).await;
        let parked = client.until(&id, "waiting_approval").await;
        let question = &parked["pending_approvals"][0];
        assert!(
            question["files"].as_array().is_some_and(|files| files.contains(&json!("changes.diff"))),
            "{question:#}"
        );
        let diff = format!("/api/v3/execute/{id}/artifacts/files/changes.diff");
        client.decide(&id, &question_of(&parked), "approved").await.expect(200);
        let done = client.until(&id, "completed").await;
        assert_eq!(done["action"], "changed", "{done:#}");
        let shown = client.get(&diff).await;
        assert!(shown.header("content-type").starts_with("text/x-diff"), "{shown:?}");
        let (removed, added) =
            (given.lines().next_back().expect("a line"), changed.lines().next_back().expect("a line"));
        assert!(shown.text.starts_with(&format!("--- a/{file}\n+++ b/{file}\n")), "{}", shown.text);
        assert!(shown.text.contains(&format!("-{removed}\n+{added}\n")), "{}", shown.text);
        let whole = client.get(&format!("/api/v3/execute/{id}/artifacts/files/{file}")).await;
        assert_eq!(whole.text, changed);
        let documentation = done["artifacts"]["documentation"].as_str().expect("documentation");
        assert!(documentation.contains("## Changes") && !documentation.contains(removed), "{documentation}");
    }
}

#[tokio::test]
async fn changes_never_lose_or_skip_the_callers_tests() {
    let endpoint = ModelEndpoint::start().await;
    let stack = stack_with(&endpoint, &[("sandbox.runtimes", "python,node,bash")]).await;
    let client = stack.developer().await;
    let script = "const test = require('node:test');\nconst assert = require('node:assert');\ntest('adds', () => assert.equal(1 + 2, 4));\n";
    for (file, given, changed) in [
        ("sums.test.js", script, "require('node:test')('other', () => {});\n"),
        ("test_sums.sh", "test_add() {\n  [ $((1 + 2)) -eq 4 ]\n}\n", "test_add() { true; }\n"),
    ] {
        endpoint.plays([ModelReply::Files(vec![(file, changed)])]);
        let end = end_of(&client, &work("Fix the bug in this code", file, given, false)).await;
        failed_with(&end, "generator_invalid_reply");
    }
    let skipping = "import pytest\n\nfrom rocket import thrust\n\n\n@pytest.mark.skip\ndef test_new():\n    assert thrust(2, 3) == 5\n";
    endpoint.plays([ModelReply::Files(vec![("rocket.py", ROCKET), ("test_rocket.py", skipping)])]);
    let wrong = "def thrust(mass, acceleration):\n    return mass\n";
    let end = end_of(&client, &work("Fix the bug in this code", "rocket.py", wrong, false)).await;
    failed_with(&end, "tests_failed");
}

#[tokio::test]
async fn tests_are_written_for_given_code_that_stays_as_it_is() {
    let endpoint = ModelEndpoint::start().await;
    let stack = stack_with(&endpoint, &[]).await;
    let client = stack.developer().await;
    let overwriting = [("rocket.py", "def thrust(m, a):\n    return 6\n"), ("test_rocket.py", ROCKET_TEST)];
    endpoint.plays([ModelReply::Files(overwriting.to_vec())]);
    let wrong = "def thrust(mass, acceleration):\n    return mass\n";
    let end = end_of(&client, &work("Write tests for this code", "rocket.py", wrong, false)).await;
    failed_with(&end, "tests_failed");
    let end = end_of(&client, &work("Write tests for this code", "rocket.py", ROCKET, false)).await;
    assert_eq!((&end["status"], &end["action"]), (&json!("completed"), &json!("tests_written")), "{end:#}");
    let code = end["artifacts"]["generated_code"].as_str().expect("code");
    assert!(code.contains("def test_thrust") && !code.contains("return"), "{code}");
}

/// Returns the settings files in the guide, as names and values.
fn examples() -> Vec<Vec<(&'static str, String)>> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/how-to/use-a-language-model.md");
    let guide = std::fs::read_to_string(guide).expect("the guide");
    let blocks = guide.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let settings = |block: &str| {
        let table: toml::Table = block.parse().expect("TOML");
        let mut found = Vec::new();
        for (section, values) in &table {
            for (key, value) in values.as_table().expect("a section") {
                let name = format!("{section}.{key}");
                let known = SETTINGS.iter().find(|setting| setting.name == name);
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                found.push((known.unwrap_or_else(|| panic!("{name} is not a setting")).name, text));
            }
        }
        found
    };
    blocks.map(settings).collect()
}

#[tokio::test]
async fn every_example_of_the_guide_works() {
    let endpoint = ModelEndpoint::start().await;
    let key = std::env::temp_dir().join(format!("model-key-{}", std::process::id()));
    std::fs::write(&key, "the-key\n").expect("a key");
    let examples = examples();
    assert_eq!(examples.len(), 3);
    for example in examples {
        let mut options = Options::default();
        for (name, value) in &example {
            options = options.with(name, value);
        }
        let signs = example.iter().any(|(name, _)| *name == "generator.model_key_file");
        if signs {
            options = options.with("generator.model_key_file", key.display().to_string());
        }
        let stack = Stack::start_with(options.with("generator.model_url", endpoint.address())).await;
        endpoint.plays([rocket()]);
        let done = end_of(&stack.developer().await, &goal(GOAL, false)).await;
        assert_eq!(done["status"], "completed", "{done:#}");
        let request = endpoint.requests().remove(0);
        let setting = |wanted: &str| example.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
        assert_eq!(request.body["model"].as_str(), setting("generator.model").as_deref());
        assert_eq!(request.key.as_deref(), signs.then_some("the-key"));
    }
    std::fs::remove_file(&key).expect("the key is there");
}
