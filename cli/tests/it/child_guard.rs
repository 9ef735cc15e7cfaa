//! Children of `promptcraft up` are killed when it ends, also by SIGKILL.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PROMPTCRAFT: &str = env!("CARGO_BIN_EXE_promptcraft");

/// Returns whether the process has ended or is a zombie.
fn is_dead(pid: &str) -> bool {
    let state = std::fs::read_to_string(PathBuf::from("/proc").join(pid).join("stat")).unwrap_or_default();
    state.is_empty() || state.contains(") Z ")
}

#[test]
fn a_guarded_program_is_killed_with_its_parent() {
    // The shell is the parent; it prints the process id of its child and waits.
    let script = format!("{PROMPTCRAFT} guard $$ sleep 1000 & echo $!; wait");
    let mut parent = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut pid = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut pid).unwrap();
    let pid = pid.trim();
    let started = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n");
    wait_until(|| started(pid), "the guard did not exec its program");

    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until(|| is_dead(pid), "the program outlives its parent");
}

#[test]
fn a_guard_without_its_parent_starts_nothing() {
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
