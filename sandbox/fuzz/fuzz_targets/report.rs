//! Fuzzes test reports: the result is bounded, and a failed or empty run never counts as success.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sandbox::{TestOutcome, fuzzing};

fuzz_target!(|bytes: &[u8]| {
    // The first byte is the exit code; above 127 it is a kill.
    let Some((code, lines)) = bytes.split_first() else { return };
    let exit_code = (*code < 128).then_some(i32::from(*code));
    let tests = fuzzing::read_report(lines, exit_code);
    assert!(tests.len() <= 10_001);
    for test in &tests {
        assert!(test.name.len() <= 500);
        assert!(test.message.as_ref().is_none_or(|message| message.len() <= 4000));
    }
    let names: std::collections::HashSet<_> = tests.iter().rev().skip(1).map(|test| &test.name).collect();
    assert_eq!(names.len(), tests.len().saturating_sub(1), "a test is listed once");
    let bad = tests.iter().any(|test| matches!(test.outcome, TestOutcome::Failed | TestOutcome::Error));
    assert!(bad || (exit_code == Some(0) && !tests.is_empty()));
});
