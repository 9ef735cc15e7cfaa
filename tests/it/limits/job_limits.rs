//! Results name the limit of the sandbox that a program met.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Client, Options, Stack, run_request};

/// Runs a program for at most 20 seconds and returns its test results.
async fn results_of(client: &Client, code: &str) -> Value {
    let mut request = run_request(code, false);
    request["context"]["execution_preferences"]["timeout_seconds"] = json!(20);
    let id = client.execute(&request).await;
    let done = client.until_within(&id, "completed", Duration::from_secs(120)).await;
    done["artifacts"]["test_results"].clone()
}

#[tokio::test]
async fn a_run_that_meets_a_limit_says_which() {
    let stack = Stack::start_with(Options::default().with("worker.execute_concurrency", "4")).await;
    let client = stack.developer().await;
    let processes = "import os, time\ntry:\n    while True:\n        if os.fork() == 0: time.sleep(60); os._exit(0)\nexcept OSError:\n    raise SystemExit(3)\n";
    let disk = "with open('big', 'wb') as f:\n    while True: f.write(b'x' * 65536)\n";
    let killed = "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n";
    let told = tokio::join!(
        results_of(&client, "import time\nwhile True: time.sleep(1)\n"),
        results_of(&client, "held = []\nwhile True: held.append(bytearray(8 << 20))\n"),
        results_of(&client, processes),
        results_of(&client, disk),
        results_of(&client, killed),
        results_of(&client, "print('y' * 5_000_000)\n"),
        results_of(&client, "print('fine')\n"),
    );
    let check = |results: &Value, outcome: &str, success: bool| {
        assert_eq!(results["outcome"], outcome, "{results}");
        assert_eq!(results["timed_out"], outcome == "timed_out", "{results}");
        assert_eq!(results["oom_killed"], outcome == "oom_killed", "{results}");
        assert_eq!(results["success_rate"], f64::from(u8::from(success)), "{results}");
    };
    let (timed_out, oom_killed, pids, disk, killed, cut, fine) = &told;
    check(timed_out, "timed_out", false);
    check(oom_killed, "oom_killed", false);
    check(pids, "pids_exhausted", false);
    check(disk, "disk_full", false);
    check(killed, "killed_by_signal", false);
    assert_eq!(killed["signal"], 15);
    assert_eq!(killed["tests"][0]["message"], "the program was killed by signal 15 (SIGTERM)");
    // Output beyond the limit is dropped, and the program runs to its end.
    check(cut, "output_truncated", true);
    assert_eq!((&cut["truncated"], &fine["truncated"]), (&json!(true), &json!(false)));
    check(fine, "exited", true);
}
