//! A gate without its harness has failed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use gates::command::Place;
use gates::gate::{GateOptions, QualityGate};
use gates::report::GateReport;

/// A repository outside of this one, where cargo would find a workspace. Removed when it is dropped.
struct Repository(Place);

impl Repository {
    /// Creates one without any script, or with this script in the place of each harness.
    fn create(name: &str, script: Option<&str>) -> Self {
        let root = std::env::temp_dir().join(format!("promptcraft-gates-{name}-{}", std::process::id()));
        fs::create_dir_all(root.join("scripts")).expect("a folder");
        for name in ["scenarios.sh", "faults.sh", "instrument.sh"] {
            if let Some(script) = script {
                let path = root.join("scripts").join(name);
                fs::write(&path, script).expect("a script");
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is executable");
            }
        }
        Self(Place { out: root.join("out"), root })
    }

    async fn run(&self, gate: QualityGate) -> GateReport {
        gate.run(&self.0, &GateOptions::default(), "abc").await
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0.root));
    }
}

#[track_caller]
fn assert_not_measured(report: &GateReport, reason: &str) {
    assert!(!report.passed && report.current.is_none(), "{report:?}");
    let given = report.details["not_measured"].as_str().expect("a reason");
    assert!(given.contains(reason), "{given}");
}

#[tokio::test]
async fn a_gate_without_its_harness_has_failed() {
    let repository = Repository::create("none", None);
    for gate in [QualityGate::Execution, QualityGate::State] {
        assert_not_measured(&repository.run(gate).await, "does not start");
    }
    assert_not_measured(&repository.run(QualityGate::Isolation).await, "attacks");
    assert_not_measured(&repository.run(QualityGate::Performance).await, "loadtest-build failed");
}

#[tokio::test]
async fn a_harness_that_writes_nothing_has_measured_nothing() {
    let repository = Repository::create("silent", Some("#!/bin/sh\nexit 0\n"));
    assert_not_measured(&repository.run(QualityGate::Execution).await, "no result");
}

#[tokio::test]
async fn results_of_an_earlier_run_do_not_count() {
    let repository = Repository::create("earlier", Some("#!/bin/sh\nexit 1\n"));
    fs::create_dir_all(&repository.0.out).expect("a folder");
    let good = r#"[{"id": "a", "kind": "plain", "verdict": "as_expected"}]"#;
    fs::write(repository.0.out.join("scenarios.json"), good).expect("a file");
    assert_not_measured(&repository.run(QualityGate::Execution).await, "no result");
}

#[tokio::test]
async fn a_metrics_endpoint_that_does_not_answer_fails_the_gate() {
    let repository = Repository::create("metrics", None);
    let options = GateOptions { metrics_urls: vec!["http://127.0.0.1:9/metrics".to_owned()], ..GateOptions::default() };
    let report = QualityGate::HumanInTheLoop.run(&repository.0, &options, "abc").await;
    assert_not_measured(&report, "127.0.0.1:9");
}
