//! Analyses, from the caller over the queue to a worker and back.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tests::{Answer, Client, Stack, Terminal, eventually};

/// The value comes from outside; nothing else is wrong.
const INJECTION: &str = r#"from flask import request


def find(db):
    name = request.args["name"]
    return db.execute(f"SELECT secret_marker FROM users WHERE name = '{name}'")
"#;

/// Findings of several severities.
const MIXED: &str = r#"import hashlib
import os
import pickle
import random

from flask import request


def load(data, query, db):
    os.system("ls " + request.args["name"])
    db.execute("SELECT " + query)
    token = random.random()
    digest = hashlib.md5(data).hexdigest()
    try:
        return pickle.loads(data), token, digest
    except Exception:
        pass
"#;

#[tokio::test]
async fn code_is_analysed_for_a_caller_who_waits() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    an_injection_is_reported(&client).await;
    wishes_are_kept(&client).await;
    editors_get_sarif(&client).await;
    code_that_does_not_parse_is_answered(&client).await;
    accepted_findings_are_counted_apart(&client).await;
    ids_survive_other_lines(&client).await;
    only_code_is_analysed(&client).await;
    notebooks_are_read_by_cell(&client).await;
    a_file_is_analysed_from_a_terminal(&Terminal::new(&stack));
    without_a_worker_the_caller_is_told(&stack, &client).await;
}

/// Requests an analysis of code, with options.
async fn ask(client: &Client, code: &str, options: Value) -> Answer {
    client.post("/api/v3/analyze", &json!({"context": {"file_content": code}, "options": options})).await
}

async fn suggestions(client: &Client, code: &str, options: Value) -> Vec<Value> {
    let answer = ask(client, code, options).await.expect(200);
    answer["data"]["suggestions"].as_array().expect("a list").clone()
}

async fn an_injection_is_reported(client: &Client) {
    let first = ask(client, INJECTION, json!({})).await;
    let body = first.expect(200);
    let data = &body["data"];
    let found = &data["suggestions"][0];
    let text = |name: &str| found[name].as_str().unwrap_or_default();
    assert_eq!((text("type"), text("severity"), &found["line_start"]), ("security", "high", &json!(6)), "{body:#}");
    assert!(text("description").contains("SQL injection"), "{body:#}");
    assert!(found["references"].to_string().contains("CWE-89"), "{body:#}");
    assert_eq!(data["security_analysis"]["vulnerabilities"], data["suggestions"]);
    assert!(data["security_analysis"]["overall_score"].as_u64().expect("a score") < 100, "{body:#}");
    assert_eq!(data["executable_actions"][0]["suggestion_id"], found["id"]);
    assert_eq!(body["metadata"]["tools_used"][0], "heimdall");
    assert_eq!(body["metadata"]["cache_hit"], false);
    assert!(!first.text.contains("secret_marker"), "nothing submitted is echoed: {body:#}");

    // The same again, and in the other place that the contract names: served from the cache.
    let elsewhere = json!({"context": {"project_context": {"file_content": INJECTION}}});
    eventually("the result is cached", Duration::from_secs(5), || async {
        let again = ask(client, INJECTION, json!({})).await.expect(200);
        (again["metadata"]["cache_hit"] == true).then_some(())
    })
    .await;
    for again in [ask(client, INJECTION, json!({})).await, client.post("/api/v3/analyze", &elsewhere).await] {
        let again = again.expect(200);
        assert_eq!((&again["metadata"]["cache_hit"], &again["metadata"]["cost"]), (&json!(true), &json!(0.0)));
        assert_eq!(again["data"], *data);
    }
    let fixed =
        "def find(db, name):\n    return db.execute('SELECT secret_marker FROM users WHERE name = ?', (name,))\n";
    assert_eq!(suggestions(client, fixed, json!({})).await, Vec::<Value>::new());
}

async fn wishes_are_kept(client: &Client) {
    let at = async |level: &str| suggestions(client, MIXED, json!({"severity_threshold": level})).await;
    let (low, medium, high) = (at("low").await, at("medium").await, at("high").await);
    assert!(low.len() > medium.len() && medium.len() > high.len() && !high.is_empty(), "{low:#?}");
    assert_eq!(suggestions(client, MIXED, json!({})).await, medium, "medium is the default");
    let two = suggestions(client, MIXED, json!({"max_suggestions": 2})).await;
    assert_eq!(two, medium[..2], "the most severe are first");
    let plain = suggestions(client, MIXED, json!({"include_examples": false})).await;
    assert!(medium.iter().any(|found| found.get("example_fix").is_some()), "{medium:#?}");
    assert!(plain.len() == medium.len() && plain.iter().all(|found| found.get("example_fix").is_none()), "{plain:#?}");

    let silent = ask(client, MIXED, json!({"include_suggestions": false})).await.expect(200);
    assert_eq!(silent["data"]["suggestions"], json!([]));
    let acted_on: Vec<&Value> = silent["data"]["executable_actions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|action| &action["suggestion_id"])
        .collect();
    assert_eq!(acted_on, medium.iter().map(|found| &found["id"]).collect::<Vec<_>>(), "each has its action");
    let refused = ask(client, MIXED, json!({"severity_threshold": "critical"})).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "options.severity_threshold");
}

async fn editors_get_sarif(client: &Client) {
    let body = json!({"context": {"file_content": INJECTION, "file_path": "src/find.py"}}).to_string();
    let answer = client.send("POST", "/api/v3/analyze", &[("accept", "application/sarif+json")], Some(body)).await;
    let log = answer.expect(200);
    assert!(answer.header("content-type").starts_with("application/sarif+json"), "{answer:?}");
    let (run, result) = (&log["runs"][0], &log["runs"][0]["results"][0]);
    assert_eq!((&log["version"], &result["level"]), (&json!("2.1.0"), &json!("error")), "{log:#}");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!((&place["artifactLocation"]["uri"], &place["region"]["startLine"]), (&json!("src/find.py"), &json!(6)));
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], result["ruleId"]);
}

async fn code_that_does_not_parse_is_answered(client: &Client) {
    let broken = format!("{INJECTION}\n\ndef broken(:\n    pass\n");
    let data = ask(client, &broken, json!({"severity_threshold": "high"})).await.expect(200)["data"].clone();
    let rules: Vec<&str> =
        data["suggestions"].as_array().expect("a list").iter().filter_map(|found| found["rule"].as_str()).collect();
    assert!(rules.iter().any(|rule| rule.ends_with("-SYNTAX")), "{data:#}");
    assert!(rules.iter().any(|rule| rule.contains("SQL")), "what could be read was analysed: {data:#}");
    assert!(data["analysis_summary"].as_str().expect("text").contains("does not parse"), "{data:#}");
}

/// Requests an analysis of a file and returns the whole response.
async fn ask_about(client: &Client, path: &str, content: &str) -> Value {
    let context = json!({"file_content": content, "file_path": path});
    let body = json!({"context": context, "options": {"severity_threshold": "low"}});
    client.post("/api/v3/analyze", &body).await.expect(200)
}

async fn accepted_findings_are_counted_apart(client: &Client) {
    let accepted = INJECTION.replace("'\")", "'\")  # heimdall: ignore[PY-SQL-INJECTION] the name is checked");
    for content in
        [&accepted, &INJECTION.replace("'\")", "'\")  # nosec B608"), &INJECTION.replace("'\")", "'\")  # noqa: S608")]
    {
        let answer = ask_about(client, "find.py", content).await;
        let data = &answer["data"];
        assert_eq!((&data["suggestions"], &data["executable_actions"]), (&json!([]), &json!([])), "{answer:#}");
        assert_eq!(data["security_analysis"]["overall_score"], 100, "{answer:#}");
        assert_eq!(answer["metadata"]["suppressed"], 1, "{answer:#}");
        assert_eq!(data["analysis_summary"], "Analysed as python: nothing was found, 1 suppressed by comments.");
    }
    let other = INJECTION.replace("'\")", "'\")  # nosec B101");
    let answer = ask_about(client, "find.py", &other).await;
    assert_eq!(
        (&answer["metadata"]["suppressed"], &answer["data"]["suggestions"][0]["line_start"]),
        (&json!(0), &json!(6))
    );
    let unknown = ask_about(client, "find.py", "x = 1  # heimdall: ignore[PY-SQL]\n").await;
    assert_eq!(unknown["data"]["suggestions"][0]["rule"], "SUPPRESSION-UNKNOWN-RULE", "{unknown:#}");

    let body =
        json!({"context": {"file_content": format!("{accepted}\n\ndef other(db, x):\n    db.execute('SELECT ' + x)\n")}}).to_string();
    let answer = client.send("POST", "/api/v3/analyze", &[("accept", "application/sarif+json")], Some(body)).await;
    let log = answer.expect(200);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let states: Vec<_> = results.iter().map(|result| &result["suppressions"]).collect();
    assert_eq!(states, [&json!([]), &json!([{"kind": "inSource"}])], "where one has the member, all have it: {log:#}");
}

async fn ids_survive_other_lines(client: &Client) {
    let ids = async |content: &str| {
        let answer = ask_about(client, "find.py", content).await;
        let items = |list: &str| -> Vec<Value> {
            let list = answer["data"][list].as_array().expect("a list");
            list.iter().map(|item| item["id"].clone()).collect()
        };
        (items("suggestions"), items("executable_actions"))
    };
    let before = ids(MIXED).await;
    assert!(before.0.len() > 3 && !before.1.is_empty());
    let above = MIXED.replacen("import pickle", "# a comment\n\nimport pickle", 1);
    let between = MIXED.replacen("    token =", "    length = 1\n\n    token =", 1);
    let below = format!("{MIXED}\n\ndef other():\n    return 1\n");
    for edited in [above, between, below] {
        assert_eq!(ids(&edited).await, before, "{edited}");
    }
}

async fn only_code_is_analysed(client: &Client) {
    for path in ["notes.txt", "a.xml", "a.lua", "main.tf", "nginx.conf", "Jenkinsfile"] {
        let answer = ask_about(client, path, "some { text = that (is not code\n").await;
        let data = &answer["data"];
        assert_eq!((&data["language"], &data["suggestions"]), (&json!("unknown"), &json!([])), "{path}: {answer:#}");
        assert_eq!((&data["confidence_score"], &data["security_analysis"]["overall_score"]), (&json!(0.0), &json!(0)));
        assert_eq!(answer["metadata"]["tools_used"], json!([]));
        assert!(data["analysis_summary"].as_str().expect("text").starts_with("Not analysed"), "{answer:#}");
    }
    let comments = ask_about(client, "a.py", "# only a comment\n").await;
    assert_eq!(comments["data"]["security_analysis"]["overall_score"], 100, "{comments:#}");
}

async fn notebooks_are_read_by_cell(client: &Client) {
    let code = |lines: Value| json!({"cell_type": "code", "metadata": {}, "outputs": [], "source": lines});
    let cells = [code(json!(["%load_ext x\n", "name = input()"])), code(json!(["import os\n", "os.system(name)"]))];
    let notebook = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
    let document = format!("{notebook:#}");
    let line = document.lines().position(|line| line.contains("os.system")).expect("a line") + 1;
    let answer = ask_about(client, "n.ipynb", &document).await;
    let found = &answer["data"]["suggestions"][0];
    assert_eq!((&found["rule"], &found["line_start"]), (&json!("PY-COMMAND-INJECTION"), &json!(line)), "{answer:#}");
    assert!(found["description"].as_str().expect("text").contains("In cell 2, line 2."), "{answer:#}");
}

fn a_file_is_analysed_from_a_terminal(terminal: &Terminal) {
    let write = |name: &str, content: &[u8]| fs::write(terminal.directory().join(name), content).expect("a file");
    write("find.py", INJECTION.as_bytes());
    write("fine.py", b"print('fine')\n");
    write("text.bin", b"\xff\xfe\x00");
    let grave = terminal.run(&["analyze", "find.py"]);
    assert_eq!(grave.code, 1, "a check in a pipeline stops here: {grave:?}");
    insta::assert_snapshot!(grave.out, @r"
    find.py:6 high PY-SQL-INJECTION SQL query built from text
        A query is built by joining text before it is executed; a value in it can change the query itself (SQL injection).
        Keep the query a constant with placeholders and pass the values separately; choose table and column names from a fixed list.
    Analysed as python: 1 finding (1 high), 1 shown.
    ");
    insta::assert_snapshot!(terminal.run(&["analyze", "fine.py"]).well(), @r"
    Analysed as python: nothing was found.
    ");
    let document = terminal.run(&["analyze", "find.py", "--type", "security", "--json"]);
    let answer: Value = serde_json::from_str(&document.out).expect("JSON");
    assert_eq!((document.code, &answer["data"]["primary_agent"]), (1, &json!("heimdall.security")));
    terminal.run(&["analyze", "missing.py"]).refused(1, "cannot read missing.py: No such file");
    terminal.run(&["analyze", "text.bin"]).refused(1, "text.bin is not UTF-8 text; only UTF-8 text can be sent");
    for (name, content) in [("empty.py", b"".as_slice()), ("blank.py", b"\xef\xbb\xbf \n")] {
        write(name, content);
        assert_eq!(terminal.run(&["analyze", name]).well(), format!("{name}: nothing to analyze\n"));
        let document: Value = serde_json::from_str(terminal.run(&["analyze", name, "--json"]).well()).expect("JSON");
        assert_eq!(document["data"]["suggestions"], json!([]));
    }
    write("accepted.py", b"import os\nos.system(input())  # nosec\n");
    insta::assert_snapshot!(terminal.run(&["analyze", "accepted.py"]).well(), @"Analysed as python: nothing was found, 1 suppressed by comments.");
    terminal.run(&["analyze", "find.py", "--threshold", "critical"]).refused(2, "[possible values: low, medium, high]");
}

/// Checks that a caller receives an error while the worker hangs, and a response when it resumes.
async fn without_a_worker_the_caller_is_told(stack: &Stack, client: &Client) {
    stack.signal("worker-1", Signal::STOP);
    let unasked = "def late(db, name):\n    db.execute('SELECT ' + name)\n";
    let away = ask(client, unasked, json!({})).await;
    let known = ask(client, INJECTION, json!({})).await;
    stack.signal("worker-1", Signal::CONT);
    let problem = away.expect(503);
    assert!(problem["detail"].as_str().expect("text").contains("No worker answered"), "{problem}");
    assert!(away.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0), "{away:?}");
    assert_eq!(known.expect(200)["metadata"]["cache_hit"], true, "what is known needs no worker");
    let found = eventually("the question is answered", Duration::from_secs(60), || async {
        let answer = ask(client, unasked, json!({})).await;
        (answer.status == 200).then(|| answer.json()["data"]["suggestions"][0].clone())
    });
    let found = found.await;
    assert_eq!(found["severity"], "medium", "a value that may be anything: {found:#}");
}
