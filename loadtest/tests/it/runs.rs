//! Exit codes and figures of whole runs.

use std::path::PathBuf;
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use crate::fake_service::{FakeService, Fault};

const ANALYSES: &str = "[rates]\nanalyze = 20\n";
const EXECUTIONS: &str = "[rates]\nexecute = 20\n";
const SCRIPTS: &str = "[rates]\nrun = 20\n";

struct Run {
    code: i32,
    report: Value,
    output: Output,
}

/// Runs the program with this scenario and these options against a service.
async fn run(url: &str, scenario: &str) -> Run {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("loadtest-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file: PathBuf = folder.join("scenario.toml");
    std::fs::write(&file, format!("name = \"test\"\ndrain = \"2s\"\n{scenario}")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_promptcraft-loadtest"));
    command.arg(&file).args(["--url", url, "--user", "a:b", "--data"]).arg(&folder).arg("--out").arg(&folder);
    let output = command.output().await.unwrap();
    let report = std::fs::read(folder.join("report.json")).ok();
    let report = report.map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
    std::fs::remove_dir_all(&folder).unwrap();
    Run { code: output.status.code().unwrap(), report, output }
}

#[tokio::test]
async fn a_healthy_service_passes_without_progress_lines() {
    let service = FakeService::start(Fault::None).await;
    let scenario = format!(
        "duration = \"2s\"\nmax_delay = \"2s\"\nrepeat = 0.5\n{ANALYSES}execute = 10\nrun = 5\nhealth = 5\n\
         [thresholds]\n\"errors.rate\" = \"== 0%\"\n\"analyze.rate\" = \">= 19/s\""
    );
    let run = run(&service.url, &scenario).await;
    assert_eq!(run.code, 0, "{:?}", run.output);
    assert_eq!(run.report["workflows"]["accepted"], 30);
    assert_eq!((&run.report["workflows"]["ended"], &run.report["workflows"]["unverified"]), (&30.into(), &0.into()));
    assert!(run.report["workflows"]["repeated"].as_u64().unwrap() > 0);
    assert!(run.output.stderr.is_empty(), "progress is for terminals: {:?}", run.output);
}

#[tokio::test]
async fn errors_fail_the_run() {
    let service = FakeService::start(Fault::Errors).await;
    let run =
        run(&service.url, &format!("duration = \"1s\"\n{ANALYSES}[thresholds]\n\"errors.rate\" = \"< 0.1%\"")).await;
    assert_eq!(run.code, 1, "{:?}", run.output);
    assert_eq!(run.report["run"]["server_errors"], 20);
}

#[tokio::test]
async fn a_stall_counts_from_the_planned_instants() {
    let service = FakeService::start(Fault::Stall(Duration::from_secs(2))).await;
    // With one slot all others wait for it: from their sending on, the service would look fast.
    let scenario = format!(
        "duration = \"3s\"\nmax_delay = \"10s\"\nconnections = 1\n{ANALYSES}[thresholds]\n\"analyze.p95\" = \"< 1s\""
    );
    let run = run(&service.url, &scenario).await;
    assert_eq!(run.code, 1, "{:?}", run.output);
    let analyze = &run.report["series"][0];
    assert_eq!((&analyze["requests"], &analyze["failed"]), (&60.into(), &0.into()));
    let (p50, max) = (analyze["p50_ms"].as_f64().unwrap(), analyze["max_ms"].as_f64().unwrap());
    assert!(p50 > 300.0 && max > 1_900.0, "{analyze:#}");
}

#[tokio::test]
async fn an_unsent_request_is_a_failure() {
    let service = FakeService::start(Fault::Stall(Duration::from_secs(2))).await;
    let scenario = format!("duration = \"1s\"\nconnections = 1\n{ANALYSES}[thresholds]\n\"late\" = \"== 0\"");
    let run = run(&service.url, &scenario).await;
    assert_eq!((run.code, &run.report["run"]["late"]), (1, &19.into()), "{:?}", run.output);
}

#[tokio::test]
async fn mistakes_of_the_service_fail_a_run_without_thresholds() {
    for (fault, rates, figure) in [
        (Fault::Loses, EXECUTIONS, "lost"),
        (Fault::ForgetsKeys, EXECUTIONS, "mismatched"),
        (Fault::EndsAgain, EXECUTIONS, "doubled"),
        (Fault::GoesOn, EXECUTIONS, "doubled"),
        (Fault::Cancels, EXECUTIONS, "wrong"),
        (Fault::Misprints, SCRIPTS, "wrong"),
    ] {
        let service = FakeService::start(fault).await;
        let run = run(&service.url, &format!("duration = \"1s\"\nrepeat = 1.0\n{rates}")).await;
        assert_eq!(run.code, 1, "{fault:?}: {:?}", run.output);
        let count = run.report["workflows"][figure].as_u64().unwrap();
        assert_eq!(count, if fault == Fault::Loses { 5 } else { 20 }, "{fault:?}: {:#}", run.report["workflows"]);
    }
}

#[tokio::test]
async fn a_run_that_cannot_be_done_is_no_verdict() {
    let nowhere = run("http://127.0.0.1:1", &format!("duration = \"1s\"\n{ANALYSES}")).await;
    assert_eq!((nowhere.code, nowhere.report), (2, Value::Null));
    let service = FakeService::start(Fault::None).await;
    let unknown =
        run(&service.url, &format!("duration = \"1s\"\n{ANALYSES}[thresholds]\n\"analyze.p95\" = \"< 5 parsecs\""))
            .await;
    assert_eq!((unknown.code, unknown.report), (2, Value::Null));
    assert!(
        String::from_utf8_lossy(&unknown.output.stderr).contains("must end with a duration"),
        "{:?}",
        unknown.output
    );
}
