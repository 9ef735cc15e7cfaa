//! Children of `promptcraft up` die with it, however it dies.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PROMPTCRAFT: &str = env!("CARGO_BIN_EXE_promptcraft");

/// Gone, or dead and not yet collected by whoever inherited it.
fn is_dead(pid: &str) -> bool {
    let state = std::fs::read_to_string(PathBuf::from("/proc").join(pid).join("stat")).unwrap_or_default();
    state.is_empty() || state.contains(") Z ")
}

#[test]
fn a_guarded_program_dies_with_a_parent_that_is_killed() {
    // The shell is the parent; it says which process it started and would wait for it for ever.
    let script = format!("{PROMPTCRAFT} guard $$ sleep 1000 & echo $!; wait");
    let mut parent = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut pid = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut pid).unwrap();
    let pid = pid.trim();
    let started = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n");
    wait_until(|| started(pid), "the guard does not become its program");

    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until(|| is_dead(pid), "it outlives its parent");
}

#[test]
fn a_guard_whose_parent_died_before_it_could_ask_starts_nothing() {
    let mut guard =
        Command::new(PROMPTCRAFT).args(["guard", "1", "echo", "started"]).stdout(Stdio::piped()).spawn().unwrap();
    assert!(!guard.wait().unwrap().success());
    let mut said = String::new();
    guard.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}

#[expect(clippy::disallowed_methods, reason = "a deadline of real time for another process")]
#[track_caller]
fn wait_until(holds: impl Fn() -> bool, complaint: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{complaint}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
