//! A closed stdout, as in `promptcraft list | head -1`, is not an error.

use std::process::{Command, Stdio};

#[test]
fn a_command_with_a_closed_stdout_exits_with_0() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_promptcraft"))
        .arg("doctor")
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success(), "{}", output.status);
}
