//! Files that a run leaves, and its output while it runs, over HTTP.

use serde_json::{Value, json};
use tests::{Client, Options, Stack};

/// Prints a line, waits for a while, and leaves two files.
const PROGRAM: &str = concat!(
    "import os, sys, time\nos.makedirs('outputs/deep')\n",
    "open('outputs/deep/page.html', 'w').write('<script>alert(1)</script>')\n",
    "open('outputs/pixel.png', 'wb').write(bytes.fromhex('89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55",
    "0000000a49444154789c63f80f0001010100 1bb6ee560000000049454e44ae426082'.replace(' ', '')))\n",
    "print('early', flush=True)\ntime.sleep(2)\nprint('late', file=sys.stderr)\n",
);

async fn stack() -> Stack {
    let options = Options { backend: "bubblewrap", ..Options::default() };
    Stack::start_with(options.with("limits.profile", "load")).await
}

async fn submit(client: &Client, require_approval: bool, include_artifacts: bool) -> String {
    let preferences = json!({"require_approval": require_approval, "mode": "run"});
    let context = json!({"project_context": {"file_content": PROGRAM}, "execution_preferences": preferences});
    let options = json!({"include_artifacts": include_artifacts});
    client.execute(&json!({"goal": "Run this program", "context": context, "options": options})).await
}

/// A program that ends with a burst.
#[tokio::test]
async fn output_until_the_end_is_sent_while_the_workflow_is_watched() {
    let stack = stack().await;
    let client = stack.developer().await;
    let program = "import sys, time\nprint('begins', flush=True)\ntime.sleep(1)\n\
                   print('\u{e9}' * 150_000, 'ends')\nprint('an error', file=sys.stderr)\n";
    let preferences = json!({"require_approval": false, "mode": "run"});
    let context = json!({"project_context": {"file_content": program}, "execution_preferences": preferences});
    let id = client.execute(&json!({"goal": "Run this program", "context": context})).await;
    let events = client.get(&format!("/api/v3/execute/{id}/events")).await.text;
    let results = client.status(&id).await["artifacts"]["test_results"].clone();
    for stream in ["stdout", "stderr"] {
        let data = events.lines().filter_map(|line| line.strip_prefix("data: "));
        let outputs = data.map(|data| serde_json::from_str::<Value>(data).expect("JSON"));
        let texts = outputs.filter(|event| event["stream"] == stream);
        let text: String = texts.map(|event| event["text"].as_str().expect("text").to_owned()).collect();
        assert!(text.ends_with('\n') && text == results[stream], "{stream}: {} characters", text.len());
    }
}

#[tokio::test]
async fn files_of_a_run_are_listed_and_served_by_their_content() {
    let stack = stack().await;
    let client = stack.developer().await;
    let id = submit(&client, false, true).await;
    // The stream ends with the workflow.
    let events = client.get(&format!("/api/v3/execute/{id}/events")).await.text;
    let at = |text: &str| events.find(text).unwrap_or_else(|| panic!("{text}: {events}"));
    assert!(at(r#""text":"early\n""#) < at("event: executed"), "{events}");

    let end = client.status(&id).await;
    let files = end["artifacts"]["files"].as_array().expect("files").clone();
    let listed: Vec<(&Value, &Value, &Value)> =
        files.iter().map(|file| (&file["name"], &file["size"], &file["media_type"])).collect();
    assert_eq!(
        listed,
        [
            (&json!("deep/page.html"), &json!(25), &json!("text/plain; charset=utf-8")),
            (&json!("pixel.png"), &json!(67), &json!("image/png")),
        ]
    );
    for (name, disposition) in [("deep/page.html", "attachment"), ("pixel.png", "inline")] {
        let served = client.get(&format!("/api/v3/execute/{id}/artifacts/outputs/{name}")).await;
        assert_eq!((served.status, served.header("content-disposition")), (200, disposition), "{name}");
        assert_eq!(served.header("x-content-type-options"), "nosniff");
        let file = files.iter().find(|file| file["name"] == name).expect("is listed");
        assert_eq!(served.header("content-type"), file["media_type"].as_str().expect("a type"));
        assert_eq!(served.header("etag"), format!("\"{}\"", file["sha256"].as_str().expect("a digest")));
    }
    let missing = client.get(&format!("/api/v3/execute/{id}/artifacts/outputs/..%2Fmain.py")).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn files_of_a_run_are_withheld_until_release_and_part_of_what_is_approved() {
    let stack = stack().await;
    let (client, stranger) = (stack.developer().await, stack.client("stress_user", "stress_pass").await);
    let id = submit(&client, true, false).await;
    let parked = client.until(&id, "waiting_approval").await;
    let file = format!("/api/v3/execute/{id}/artifacts/outputs/pixel.png");
    assert_eq!(stranger.get(&file).await.status, 404);
    // The developer of the demo may decide on their own work, and sees what they decide on.
    assert_eq!(client.get(&file).await.status, 200);
    assert_eq!(parked["artifacts"]["files"].as_array().map(Vec::len), Some(2), "also without include_artifacts");
    assert_eq!(parked["artifacts"]["test_results"], Value::Null);
    client.decide(&id, &tests::question_of(&parked), "rejected").await.expect(200);
    let rejected = client.until(&id, "failed").await;
    assert_eq!((client.get(&file).await.status, &rejected["artifacts"]["files"]), (404, &json!([])));
}
