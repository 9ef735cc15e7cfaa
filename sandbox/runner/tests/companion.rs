//! Children of a process started by `launch` end with it, also before they set their parent-death signal.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const EXIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Simulates bubblewrap at the moment it is killed: its child waits for a message that never arrives.
const HALF_STARTED: &str = "#!/bin/sh\nsleep 300 >/dev/null & echo $!\nwait\n";

#[test]
fn a_child_of_a_killed_program_dies_with_it() {
    check("waits", &[]);
}

/// The half-started child holds the other end of the pipe and does not read it.
#[test]
fn a_companion_that_sends_samples_kills_as_well() {
    check("samples", &["--samples"]);
}

fn check(name: &str, options: &[&str]) {
    let program = std::env::temp_dir().join(format!("promptcraft-{name}-{}", std::process::id()));
    fs::write(&program, HALF_STARTED).expect("writes the program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("makes it a program");
    let mut launched = Command::new(env!("CARGO_BIN_EXE_promptcraft-runner"))
        .arg("launch")
        .args(options)
        .arg("--")
        .arg(&program)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut output = BufReader::new(launched.stdout.take().expect("is piped"));
    let mut child = String::new();
    output.read_line(&mut child).expect("prints its child's pid");
    let child = Path::new("/proc").join(child.trim()).join("cmdline");
    // The command line is empty for a moment while the child starts its program.
    let started = now() + EXIT_TIMEOUT;
    while fs::read(&child).expect("the child runs").is_empty() {
        assert!(now() < started, "the child starts no program");
        std::thread::sleep(Duration::from_millis(5));
    }
    launched.kill().expect("kills the program");
    launched.wait().expect("reaps the program");
    fs::remove_file(&program).expect("cleans up");
    let deadline = now() + EXIT_TIMEOUT;
    // A dead process that is not reaped has no command line.
    while fs::read(&child).is_ok_and(|line| !line.is_empty()) {
        assert!(now() < deadline, "the child outlives its parent");
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut rest = String::new();
    assert_eq!(output.read_line(&mut rest).expect("reads"), 0, "every writer of the pipe has closed");
}

#[expect(clippy::disallowed_methods, reason = "waits for real processes")]
fn now() -> Instant {
    Instant::now()
}
