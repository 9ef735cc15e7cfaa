//! `promptcraft-loadtest` on a stack: every operation, its report, and the users that it makes.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::{Stack, Terminal, program};

#[tokio::test]
async fn a_load_test_ends_every_workflow_and_removes_its_users() {
    let stack = Stack::start().await;
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadtest/scenarios/smoke.toml");
    let out = stack.directory().join("load");
    let mut command = Command::new(program("promptcraft-loadtest"));
    command.arg(scenario).arg("--data").arg(stack.directory()).arg("--out").arg(&out);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("a thread").expect("it runs");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );

    let report: Value =
        serde_json::from_slice(&std::fs::read(out.join("report.json")).expect("a report")).expect("JSON");
    let workflows = &report["workflows"];
    // One execution, run, approval and event stream in each of five seconds.
    assert_eq!(
        (&workflows["accepted"], &workflows["ended"], &workflows["unverified"]),
        (&20.into(), &20.into(), &0.into())
    );
    assert!(workflows["ends"]["completed"].as_u64() >= Some(15), "{workflows:#}");
    assert!(workflows["repeated"].as_u64() > Some(0), "{workflows:#}");
    let measured = |name: &str| {
        let all = report["series"].as_array().expect("series");
        all.iter().find(|series| series["name"] == name).unwrap_or_else(|| panic!("{name} in {report:#}"))["requests"]
            .clone()
    };
    assert_eq!((measured("decide"), measured("first_event"), measured("analyze")), (5.into(), 5.into(), 30.into()));
    for file in ["report.html", "junit.xml"] {
        assert!(out.join(file).is_file(), "{file}");
    }
    assert!(!Terminal::new(&stack).run(&["admin", "user", "list"]).well().contains("load-"), "its users are removed");
}
