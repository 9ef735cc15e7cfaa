//! Files, arguments, variables and stdin of a submission.

use domain::workflow::Invocation;
use serde_json::{Value, json};

use crate::stack::{Api, Stack};

fn request(project: Value, preferences: Value) -> Value {
    json!({"goal": "Run this program", "context": {"project_context": project, "execution_preferences": preferences}})
}

fn file(path: &str, content: &str) -> Value {
    json!({"path": path, "content": content})
}

async fn check(api: &Api, token: &str, project: Value, preferences: Value, wrong: &[&str]) {
    let (status, body) = api.post("/api/v3/execute", Some(token), &request(project.clone(), preferences.clone())).await;
    let named: Vec<&str> =
        body["errors"].as_array().into_iter().flatten().map(|error| error["field"].as_str().unwrap()).collect();
    let shown = format!("{:.300} {:.300}", project.to_string(), preferences.to_string());
    assert_eq!(status, if wrong.is_empty() { 202 } else { 422 }, "{shown}: {body}");
    let named: Vec<&str> = named.iter().map(|name| name.trim_start_matches("context.")).collect();
    assert_eq!(named, wrong, "{shown}");
    assert!(!body.to_string().contains("SECRET"), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_checked_before_anything_is_stored() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let files = async |files: Value, wrong: &[&str]| {
        check(&api, &token, json!({ "files": files }), json!({}), wrong).await;
    };
    files(json!([file("main.py", "print(1)"), file("a/__init__.py", ""), file("数据 1.csv", "a")]), &[]).await;
    files(json!([]), &[]).await;
    for path in ["../SECRET", "/SECRET", "a/../../SECRET", "a\u{0}SECRET", "a\\SECRET", "", ".promptcraft-SECRET/x"] {
        files(json!([file("main.py", ""), file(path, "x")]), &["project_context.files[1].path"]).await;
    }
    files(json!([file("a", "x"), file("a/b", "y")]), &["project_context.files[1].path"]).await;
    files(json!([file("a/b", "x"), file("a", "y")]), &["project_context.files[1].path"]).await;
    files(json!([file("a", "x"), file("a", "x")]), &["project_context.files[1].path"]).await;
    files(json!([file("a", "SECRET\u{0}")]), &["project_context.files[0].content"]).await;
    files(
        json!([{"path": 1}, "SECRET"]),
        &["project_context.files[0].path", "project_context.files[0].content", "project_context.files[1]"],
    )
    .await;
    files(json!({"main.py": "SECRET"}), &["project_context.files"]).await;
    files((0..51).map(|n| file(&n.to_string(), "x")).collect(), &["project_context.files"]).await;
    let both = json!({"file_content": "x", "files": [file("main.py", "x")]});
    check(&api, &token, both, json!({}), &["project_context.files"]).await;
    let entry = json!({"files": [file("main.py", "x")], "entry": "SECRET.py"});
    check(&api, &token, entry, json!({}), &["project_context.entry"]).await;
    let recipe = json!({"recipe": "lru-cache"});
    check(&api, &token, json!({"files": [file("a.py", "x")]}), recipe, &["execution_preferences.recipe"]).await;
    let large =
        request(json!({"files": [file("a", &"x".repeat(2 << 20)), file("b", &"x".repeat(1 + (1 << 20)))]}), json!({}));
    assert_eq!(api.post("/api/v3/execute", Some(&token), &large).await.0, 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn input_is_checked_and_belongs_to_code() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let code = json!({"file_content": "print(1)"});
    let given = async |preferences: Value, wrong: &[&str]| check(&api, &token, code.clone(), preferences, wrong).await;
    given(json!({"stdin": "x\u{0}y", "args": ["-c", "", "é"], "env": {"A": "", "_b1": "x"}}), &[]).await;
    given(json!({"stdin": "x".repeat(1 << 20), "args": vec!["x"; 64], "env": {"A": "x".repeat(65_535)}}), &[]).await;
    for (name, bad) in [
        ("stdin", json!(["SECRET"])),
        ("args", json!("SECRET")),
        ("args", json!(["SECRET", 1])),
        ("args", json!(["SECRET\u{0}"])),
        ("args", json!(vec!["x"; 65])),
        ("args", json!(["x".repeat(65_537)])),
        ("env", json!(["SECRET"])),
        ("env", json!({"A": "x".repeat(65_536)})),
    ] {
        given(json!({name: bad}), &[&format!("execution_preferences.{name}")]).await;
    }
    given(json!({"env": {"A": 1}}), &["execution_preferences.env.A"]).await;
    for name in ["LD_PRELOAD", "PATH", "BASH_ENV", "ENV", "NODE_OPTIONS", "PYTHONSTARTUP", "PYTHONPATH"] {
        given(json!({"env": {name: "SECRET"}}), &[&format!("execution_preferences.env.{name}")]).await;
    }
    given(json!({"env": {"SECRET-word=": "x"}}), &["execution_preferences.env[0]"]).await;
    let all = json!({"stdin": "x", "args": ["x"], "env": {"A": "x"}});
    let wrong = ["execution_preferences.stdin", "execution_preferences.args", "execution_preferences.env"];
    check(&api, &token, json!({}), all, &wrong).await;
    check(&api, &token, json!({}), json!({"stdin": "", "args": [], "env": {}}), &[]).await;
    let large = request(code.clone(), json!({"stdin": "x".repeat(1 + (1 << 20))}));
    assert_eq!(api.post("/api/v3/execute", Some(&token), &large).await.0, 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_and_input_are_in_the_log_as_given() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let store = async |sizes: &[usize]| {
        let files: Value = sizes.iter().map(|size| file(&format!("f{size}.py"), &"#".repeat(*size))).collect();
        let preferences = json!({"stdin": "in", "args": ["a"], "env": {"B": "c"}});
        let project = json!({"files": files, "entry": format!("f{}.py", sizes[0])});
        let (_, body) = api.post("/api/v3/execute", Some(&token), &request(project, preferences)).await;
        let id = body["data"]["workflow_id"].as_str().unwrap().parse().unwrap();
        stack.log.newest_from_leader(id).await.unwrap().unwrap().workflow.submission
    };
    let small = store(&[3, 0]).await;
    assert_eq!((small.files[1].path.as_str(), small.entry.as_deref()), ("f0.py", Some("f3.py")));
    assert_eq!(small.files[0].content.inline.as_deref(), Some("###"));
    assert_eq!(small.stdin.and_then(|stdin| stdin.inline).as_deref(), Some("in"));
    let invocation = small.invocation.and_then(|content| content.inline).unwrap();
    let invocation: Invocation = serde_json::from_str(&invocation).unwrap();
    assert_eq!((invocation.args, invocation.env["B"].as_str()), (vec!["a".to_owned()], "c"));
    // Every message of the workflow would carry them twice.
    let large = store(&[5_000, 5_001, 1]).await;
    assert!(large.files.iter().all(|file| file.content.inline.is_none()), "files are stored apart");
}
