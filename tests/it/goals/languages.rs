//! The caller's file runs in its own language, from the submission to the result.

use std::path::Path;
use std::time::Duration;

use async_nats::jetstream;
use serde_json::{Value, json};
use tests::{Client, Options, Stack, eventually, raw_broker_as};

/// Returns the runtimes whose roots are built by default.
fn runtimes() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("sandbox/runtimes");
    let is_default = |folder: &Path| {
        let text = std::fs::read_to_string(folder.join("runtime.toml")).expect("a runtime");
        !text.lines().any(|line| line == "default = false")
    };
    let folders = std::fs::read_dir(folder).expect("runtimes").flatten().filter(|folder| is_default(&folder.path()));
    let mut names: Vec<_> = folders.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Submits a file to be run, without approval, and returns the status of the completed workflow.
async fn run_file(client: &Client, language: &str, file: &str, code: &str) -> Value {
    let request = json!({
        "goal": "Run this file and tell me what it prints",
        "context": {
            "project_context": {"file_content": code, "language": language, "current_file": file},
            "execution_preferences": {"require_approval": false},
        },
    });
    let id = client.execute(&request).await;
    client.until(&id, "completed").await
}

#[tokio::test]
async fn files_of_every_language_run_on_their_own_lane() {
    let stack = Stack::start_with(Options { backend: "bubblewrap", ..Options::default() }).await;
    let client = stack.developer().await;
    let node_tests = "const { test } = require('node:test');\nconst assert = require('node:assert');\ntest('adds', () => assert.equal(1 + 1, 2));\ntest('fails', () => assert.equal(1, 2));\n";
    let cases = [
        // The language is recognised by its name, by the file, or by the code alone.
        ("javascript", "", "console.log([1, 2].map(n => n * 2).join())", "2,4\n", 1.0),
        ("", "sum.js", "const a = 1;\nconsole.log(`${a + 1}`)", "2\n", 1.0),
        ("", "", "#!/usr/bin/env bash\nset -e\nfor n in 1 2; do echo \"n $n\"; done | tac\n", "n 2\nn 1\n", 1.0),
        ("bash", "", "\u{feff}echo windows\r\n", "windows\n", 1.0),
        ("lua", "", "for n = 1, 2 do print(n // 1) end", "1\n2\n", 1.0),
        ("", "lib/double.lua", "print(2 * 2)", "4\n", 1.0),
        ("sql", "", "CREATE TABLE t(a);\nINSERT INTO t VALUES (2), (3);\nSELECT sum(a) FROM t;\n", "5\n", 1.0),
        ("", "sum.test.js", node_tests, "", 0.5),
        ("python", "", "# -*- coding: latin-1 -*-\r\nprint('ä')\r\n", "ä\n", 1.0),
    ];
    for (language, file, code, stdout, success_rate) in cases {
        let done = run_file(&client, language, file, code).await;
        let results = &done["artifacts"]["test_results"];
        assert_eq!((&results["stdout"], &results["success_rate"]), (&json!(stdout), &json!(success_rate)), "{results}");
    }
    let offered = eventually("health", Duration::from_secs(10), || async {
        let health = client.get("/health").await.json();
        let runtimes = health["services"]["sandbox"]["runtimes"].clone();
        runtimes.as_array().filter(|names| !names.is_empty()).cloned()
    });
    let offered = offered.await;
    assert!(runtimes().into_iter().all(|name| offered.contains(&json!(name))), "{offered:?}");
}

#[tokio::test]
async fn what_a_sandbox_does_not_run_is_explained_and_a_name_is_kept() {
    let options = Options { backend: "bubblewrap", ..Options::default() };
    let stack = Stack::start_with(options.with("sandbox.runtimes", "python,node,bash,lua,sql")).await;
    let client = stack.developer().await;
    let typed = "function add(a: number, b: number): number { return a + b }\nconsole.log(add(1, 2));\n";
    let chmod = "printf 'echo hi' > x.sh\nchmod +x x.sh\n./x.sh\n";
    for (file, code, expected) in [
        ("app.js", typed, "looks like TypeScript, whose runtime is not offered here"),
        ("app.js", "const page = <div>hi</div>;\nconsole.log(page);\n", "looks like JSX, which no runtime executes"),
        ("app.js", "console.log(\n", "exit code 1"),
        ("run.sh", chmod, "run a script by its interpreter"),
    ] {
        let done = run_file(&client, "", file, code).await;
        let message = done["artifacts"]["test_results"]["tests"][0]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(expected), "{file}: {done:#}");
        assert_eq!(message.ends_with("exit code 1"), expected == "exit code 1", "{message}");
    }
    for (file, code, stdout) in [
        ("my script.py", "import sys\nprint(sys.argv[0].rsplit('/')[-1])\n", "my script.py\n"),
        ("größe.py", "print(__file__.rsplit('/')[-1])\n", "größe.py\n"),
        ("a+b (1).js", "console.log(__filename.split('/').pop())\n", "a+b (1).js\n"),
        ("it is.sh", "echo \"${0##*/}\"\n", "it is.sh\n"),
        ("x=y, 100.lua", "print((arg[0]:gsub('.*/', '')))\n", "x=y, 100.lua\n"),
        ("a b.sql", "select 1;\n", "1\n"),
        ("../a?b.py", "import sys\nprint(sys.argv[0].rsplit('/')[-1])\n", "main.py\n"),
    ] {
        let done = run_file(&client, "", file, code).await;
        assert_eq!(done["artifacts"]["test_results"]["stdout"], stdout, "{done:#}");
        let documentation = done["artifacts"]["documentation"].as_str().unwrap_or_default();
        assert_eq!(documentation.contains("has the name main.py here"), stdout == "main.py\n", "{documentation}");
    }
    for name in ["test_my sums.py", "sum it.test.js"] {
        let code = if name.ends_with("py") {
            "def test_a():\n    assert 1 + 1 == 2\n"
        } else {
            "require('node:test').test('a', () => {});\n"
        };
        let done = run_file(&client, "", name, code).await;
        assert_eq!(done["artifacts"]["test_results"]["success_rate"], 1.0, "{done:#}");
        assert_eq!(done["artifacts"]["test_results"]["total"], 1, "{done:#}");
    }
    let go = json!({"file_content": "package main\n\nfunc main() { println(1) }\n", "current_file": "main.go"});
    let preferences = json!({"require_approval": false});
    let request = json!({
        "goal": "Run this file",
        "context": {"project_context": go, "execution_preferences": preferences},
    });
    let id = client.execute(&request).await;
    let waiting = client.until(&id, "failed").await;
    let hint = waiting["error"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("seems to be Go") && runtimes().iter().all(|name| hint.contains(name)), "{waiting:#}");
}

#[tokio::test]
async fn a_language_without_a_runtime_is_refused_before_it_is_queued_for_one() {
    let options = Options { backend: "bubblewrap", ..Options::default() };
    let stack = Stack::start_with(options.with("sandbox.runtimes", "python,node,bash,lua,sql")).await;
    let client = stack.developer().await;
    let request = json!({
        "goal": "Run this file and tell me what it prints",
        "context": {
            "project_context": {"file_content": "const a: number = 1;", "language": "typescript"},
            "execution_preferences": {"require_approval": false},
        },
    });
    let id = client.execute(&request).await;
    let failed = client.until(&id, "failed").await;
    assert_eq!(failed["error"]["code"], "no_generator");
    let hint = failed["error"]["hint"].as_str().unwrap_or_default();
    assert!(runtimes().iter().all(|name| hint.contains(name)), "{failed}");
    assert!(hint.contains("build-root.sh DATA/sandbox typescript"), "{failed}");
}

#[tokio::test]
async fn a_language_that_the_analyser_does_not_know_is_not_taken_for_python() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let code = "import os\nos.system(input())\ntoken = \"ghp_0123456789abcdefghijABCDEFGHIJ012345\"\n";
    let ask = async |language: &str| {
        let body = json!({"context": {"file_content": code, "language": language, "file_path": "a.py"}});
        client.post("/api/v3/analyze", &body).await.expect(200)
    };
    let rules = |answer: &serde_json::Value| {
        let suggestions = answer["data"]["suggestions"].as_array().expect("suggestions");
        suggestions.iter().map(|found| found["rule"].as_str().expect("a rule").to_owned()).collect::<Vec<_>>()
    };
    let (cobol, python) = (ask("Cobol 2014").await, ask("Python 3.12").await);
    assert!(rules(&python).iter().any(|rule| rule.contains("COMMAND")), "{python}");
    // A secret is found in any language.
    assert_eq!((rules(&cobol).len(), &cobol["data"]["language"]), (1, &json!("unknown")), "{cobol}");
    let summary = cobol["data"]["analysis_summary"].as_str().expect("a summary");
    assert!(summary.contains("not supported") && !summary.to_lowercase().contains("cobol"), "{summary}");
    assert_eq!(cobol["metadata"]["tools_used"], json!(["heimdall", "heimdall-lines"]));
}

/// A worker never receives a step for a runtime that it does not offer, though it may append one for other workers.
#[tokio::test]
async fn a_step_waits_in_its_own_queue_for_a_worker_with_its_runtime() {
    let options = Options::default().with("sandbox.runtimes", "python").with("generator.runtimes", "python,node");
    let stack = Stack::start_with(options).await;
    let client = stack.developer().await;
    let submit = async |language: &str, code: &str| {
        let context = json!({
            "project_context": {"file_content": code, "language": language},
            "execution_preferences": {"require_approval": false},
        });
        client.execute(&json!({"goal": "Run this file and tell me what it prints", "context": context})).await
    };
    let operator = jetstream::new(raw_broker_as(&stack, "cli").await);
    let log = operator.get_stream("WORKFLOWS").await.expect("the log");
    let handed_and_left = async |runtime: &str| {
        let queue = log.consumer_info(format!("execute-{runtime}")).await.expect("a queue");
        (queue.delivered.consumer_sequence, queue.num_pending)
    };
    let waiting = submit("javascript", "console.log(1)").await;
    eventually("the step is on its lane", Duration::from_secs(60), || async {
        (handed_and_left("node").await == (0, 1)).then_some(())
    })
    .await;
    let served = submit("python", "print(1)").await;
    client.until(&served, "completed").await;

    for runtime in runtimes() {
        let expected = match runtime.as_str() {
            "python" => (1, 0),
            "node" => (0, 1),
            _ => (0, 0),
        };
        assert_eq!(handed_and_left(&runtime).await, expected, "{runtime}");
    }
    assert_eq!(client.status(&waiting).await["status"], "running");
}

/// A program, its language, a file, and its output.
const OPTIONAL_PROGRAMS: [(&str, &str, &str, &str, &str); 7] = [
    ("typescript", "", "sum.ts", "const n: number = 1;\nconsole.log(n + 1);\n", "2\n"),
    ("ruby", "", "", "#!/usr/bin/env ruby\n[1, 2].each { |n| puts n * 2 }\n", "2\n4\n"),
    ("php", "", "", "<?php\necho array_sum([1, 2]), \"\\n\";\n", "3\n"),
    ("perl", "", "", "use strict;\nmy @a = (1, 2);\nprint scalar(@a), \"\\n\";\n", "2\n"),
    ("c", "C17", "", "#include <stdio.h>\nint main(void) { puts(\"hi\"); }\n", "hi\n"),
    ("cpp", "", "sum.cc", "#include <iostream>\nint main() { std::cout << 1 + 1 << '\\n'; }\n", "2\n"),
    ("python-data", "python", "", "import pandas as pd\nprint(pd.Series([1, 2]).sum())\n", "3\n"),
];

#[tokio::test]
#[ignore = "needs roots that are not built by default: make languages"]
#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
async fn optional_runtimes_run_programs_from_the_submission_to_the_result() {
    let named = std::env::var("OPTIONAL_RUNTIMES").expect("names the runtimes with commas between");
    let options = Options { backend: "bubblewrap", ..Options::default() };
    let stack = Stack::start_with(options.with("sandbox.runtimes", format!("python,node,{named}"))).await;
    let client = stack.developer().await;
    for (runtime, language, file, code, stdout) in OPTIONAL_PROGRAMS {
        if !named.split(',').any(|name| name == runtime) {
            continue;
        }
        let done = run_file(&client, language, file, code).await;
        let results = &done["artifacts"]["test_results"];
        assert_eq!((&results["stdout"], &results["exit_code"]), (&json!(stdout), &json!(0)), "{runtime}: {results}");
        assert_eq!(done["runtime"]["language"], json!(runtime), "{done}");
    }
}
