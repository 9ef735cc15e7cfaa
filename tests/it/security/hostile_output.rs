//! Output of a program and names of its tests: they forge no log line, control no terminal and run on no page.

use serde_json::{Value, json};
use tests::{Answer, Stack, Terminal};

/// Marks every line, so that any copied part of it is found.
const MARK: &str = "m5f2c9e";

/// Line ends of several kinds, codes of a terminal and markup, as `sandbox/tests/attacks/cases/output/` has them.
fn hostile() -> Vec<u8> {
    let text = format!(
        "{MARK}\r\n2026-11-22T00:00:00Z ERROR sandbox: {MARK}\r\n\u{2028}level=error msg={MARK}\n\
         \u{1b}[2J\u{1b}]0;{MARK}\u{7}\u{1b}[8m{MARK}\u{1b}]52;c;ZWNobw==\u{7}\u{1b}P+q\u{1b}\\\n\
         <script>alert('{MARK}')</script><img src=x onerror=alert(1)>\n"
    );
    [text.as_bytes(), b"\x9b31m\x85\xff\0"].concat()
}

fn of_tests() -> String {
    let names = [
        format!("<script>{MARK}"),
        format!("{MARK}\r\n2026-11-22T00:00:00Z ERROR {MARK}"),
        format!("\u{1b}[2J{MARK}"),
        format!("\u{202e}{MARK}\0"),
    ];
    let names = json!(names);
    format!(
        "import pytest\n@pytest.mark.parametrize('value', {names}, ids=str)\ndef test_name(value):\n    assert not value, value\n"
    )
}

fn request(file: &str, code: &str) -> Value {
    json!({
        "goal": "Run this file and tell me what it prints",
        "context": {
            "project_context": {"file_content": code, "current_file": file, "language": "python"},
            "execution_preferences": {"require_approval": false},
        },
    })
}

#[tokio::test]
async fn hostile_output_is_data_and_nothing_else() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let digits: String = hostile().iter().map(|byte| format!("{byte:02x}")).collect();
    let program = format!(
        "import sys\nfor stream in sys.stdout, sys.stderr:\n    stream.buffer.write(bytes.fromhex('{digits}'))\nsys.exit(3)\n"
    );
    for (file, code) in [("main.py", program), ("test_names.py", of_tests())] {
        let id = client.execute(&request(file, &code)).await;
        let done = client.until(&id, "completed").await;
        let results = done["artifacts"]["test_results"].to_string();
        assert!(
            results.contains(MARK) && results.contains("\\u001b[2J"),
            "the results hold the output unchanged: {results}"
        );
        for path in [format!("status/{id}"), format!("{id}/artifacts/test_results")] {
            is_nothing_that_a_page_runs(&client.get(&format!("/api/v3/execute/{path}")).await);
        }
        shows_no_codes(&Terminal::new(&stack), &id);
    }
    for (name, log) in stack.logs() {
        assert!(!log.contains(MARK), "{name} holds what a program printed");
        assert!(!log.contains('\u{1b}'), "{name} holds a raw escape");
    }
}

#[track_caller]
fn is_nothing_that_a_page_runs(answer: &Answer) {
    answer.expect(200);
    assert!(answer.text.contains(MARK));
    assert!(answer.header("content-type").starts_with("application/json"), "{:?}", answer.headers);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(!answer.text.contains(|c: char| c.is_control()), "JSON escapes them all");
}

#[track_caller]
fn shows_no_codes(terminal: &Terminal<'_>, id: &str) {
    let piped = terminal.run(&["status", id]);
    let typed = terminal.clone().with("NO_COLOR", "1").type_at(&["status", id], "");
    for shown in [&piped, &typed] {
        shown.well();
        assert!(shown.out.contains(MARK), "it shows what came of it: {shown:?}");
        assert!(!shown.out.contains('\u{1b}') && !shown.err.contains('\u{1b}'), "{shown:?}");
    }
}
