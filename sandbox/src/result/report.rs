//! Parses the report of a test run: one JSON line when a test starts, one when it ends, and one that retracts the start
//! of a test group.
//!
//! The lines come from the process that runs the untrusted tests. Their number and length are bounded, malformed lines
//! are skipped, and a report that was cut or that contradicts the exit code gets an error entry.

use std::collections::{HashMap, VecDeque};

use serde::Deserialize;

use crate::result::signal_names::signal_text;
use crate::result::test_case::{TestCase, TestOutcome};

/// Bounds the counts only; the size of the report bounds the memory.
const MAX_TESTS: usize = 100_000;
const MAX_NAME_BYTES: usize = 500;
const MAX_MESSAGE_BYTES: usize = 4000;

/// Name of the entry that represents the whole run.
pub(crate) const WHOLE_RUN: &str = "run";

/// Exit code of test runners that found no tests.
pub(crate) const NO_TESTS_FOUND: i32 = 5;

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum ReportLine {
    Start { name: String },
    End { name: String, outcome: TestOutcome, duration_ms: u64, message: Option<String> },
    Retract { name: String },
}

/// Returns the tests in the order of their first line; `cut` says that the report was longer.
pub(crate) fn read(lines: &[u8], cut: bool, exit_code: Option<i32>, signal: Option<i32>) -> Vec<TestCase> {
    let mut cases = TestList::default();
    for line in lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<ReportLine>(line).ok()) {
        match line {
            ReportLine::Start { name } => cases.start(unfinished(name, signal)),
            ReportLine::End { name, outcome, duration_ms, message } => cases.end(TestCase {
                name: truncated(name, MAX_NAME_BYTES),
                outcome,
                duration_ms,
                message: message.map(|message| truncated(message, MAX_MESSAGE_BYTES)),
            }),
            ReportLine::Retract { name } => cases.retract(&truncated(name, MAX_NAME_BYTES)),
        }
    }
    let cut = cut || cases.left_out;
    let mut tests = cases.listed();
    let problem = if cut {
        Some("the report was cut; counts are incomplete".into())
    } else {
        contradiction(&tests, exit_code, signal)
    };
    tests.extend(problem.map(|message| TestCase {
        name: WHOLE_RUN.into(),
        outcome: TestOutcome::Error,
        duration_ms: 0,
        message: Some(message),
    }));
    tests
}

/// The tests of a report. Each end line is a separate test, even if the name repeats, so that a later test cannot hide
/// an earlier one.
#[derive(Default)]
struct TestList {
    /// `None` for a retracted test.
    slots: Vec<Option<TestCase>>,
    listed: usize,
    /// True if there were more tests than are listed.
    left_out: bool,
    names: HashMap<String, SameName>,
}

/// The tests with the same name.
#[derive(Default)]
struct SameName {
    listed: usize,
    /// Slots of started tests without an end.
    unfinished: VecDeque<usize>,
}

impl TestList {
    fn start(&mut self, case: TestCase) {
        let name = case.name.clone();
        if let Some(slot) = self.add(case) {
            self.names.entry(name).or_default().unfinished.push_back(slot);
        }
    }

    /// Ends the earliest started test of that name; without one, adds a test whose start was not reported.
    fn end(&mut self, case: TestCase) {
        let slot = self.names.get_mut(&case.name).and_then(|named| named.unfinished.pop_front());
        match slot.and_then(|slot| self.slots.get_mut(slot)) {
            Some(Some(started)) => *started = TestCase { name: std::mem::take(&mut started.name), ..case },
            Some(None) | None => {
                self.add(case);
            }
        }
    }

    /// Removes the latest started test of that name; a test that ended is kept.
    fn retract(&mut self, name: &str) {
        let Some(named) = self.names.get_mut(name) else { return };
        if let Some(slot) = named.unfinished.pop_back() {
            self.slots[slot] = None;
            self.listed -= 1;
            named.listed -= 1;
        }
    }

    /// Returns the slot of the test, or `None` if there are too many.
    fn add(&mut self, mut case: TestCase) -> Option<usize> {
        if self.listed == MAX_TESTS {
            self.left_out = true;
            return None;
        }
        let named = self.names.entry(case.name.clone()).or_default();
        named.listed += 1;
        self.listed += 1;
        if named.listed > 1 {
            case.name = with_ordinal(case.name, named.listed);
        }
        self.slots.push(Some(case));
        Some(self.slots.len() - 1)
    }

    fn listed(self) -> Vec<TestCase> {
        self.slots.into_iter().flatten().collect()
    }
}

/// Returns the name of a repeated test: `adds #2`.
fn with_ordinal(name: String, number: usize) -> String {
    let suffix = format!(" #{number}");
    truncated(name, MAX_NAME_BYTES - suffix.len()) + &suffix
}

/// A test that has started; an error until its end line arrives.
fn unfinished(name: String, signal: Option<i32>) -> TestCase {
    let killed = signal.map(|signal| format!(": killed by {}", signal_text(signal))).unwrap_or_default();
    let message = Some(format!("started and did not finish{killed}"));
    TestCase { name: truncated(name, MAX_NAME_BYTES), outcome: TestOutcome::Error, duration_ms: 0, message }
}

/// Returns what is wrong with the report of a run without tests or of a failed run without a failed test: it is
/// incomplete or false.
fn contradiction(tests: &[TestCase], exit_code: Option<i32>, signal: Option<i32>) -> Option<String> {
    let succeeded = exit_code == Some(0) && !tests.is_empty();
    let explained = tests.iter().any(|test| matches!(test.outcome, TestOutcome::Failed | TestOutcome::Error));
    if succeeded || explained {
        return None;
    }
    Some(match (exit_code, signal) {
        (Some(0 | NO_TESTS_FOUND), _) if tests.is_empty() => "the test run ended without running a test".into(),
        (Some(code), _) => format!("the test run ended with exit code {code}, but no test reported a failure"),
        (None, Some(signal)) => format!("the test run was killed by {} before it ended", signal_text(signal)),
        (None, None) => "the test run was killed before it ended".into(),
    })
}

fn truncated(mut text: String, max_bytes: usize) -> String {
    let end = (0..=max_bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(lines: &str, exit_code: Option<i32>, expect: &[(&str, TestOutcome)]) {
        let tests = read(lines.as_bytes(), false, exit_code, None);
        let found: Vec<_> = tests.iter().map(|test| (test.name.as_str(), test.outcome)).collect();
        assert_eq!(found, expect);
    }

    const START: &str = "{\"event\":\"start\",\"name\":\"a\"}\n";
    const PASSED: &str = "{\"event\":\"end\",\"name\":\"a\",\"outcome\":\"passed\",\"duration_ms\":3}\n";
    const FAILED: &str =
        "{\"event\":\"end\",\"name\":\"b\",\"outcome\":\"failed\",\"duration_ms\":3,\"message\":\"m\"}\n";

    #[test]
    fn ends_are_believed_as_far_as_the_exit_code_agrees() {
        check("", Some(0), &[("run", TestOutcome::Error)]);
        check("", Some(5), &[("run", TestOutcome::Error)]);
        check(&[START, PASSED].concat(), Some(5), &[("a", TestOutcome::Passed), ("run", TestOutcome::Error)]);
        check(&[START, PASSED].concat(), Some(0), &[("a", TestOutcome::Passed)]);
        check(&[START, PASSED, FAILED].concat(), Some(1), &[("a", TestOutcome::Passed), ("b", TestOutcome::Failed)]);
        check(START, Some(0), &[("a", TestOutcome::Error)]);
        check(&[START, PASSED].concat(), Some(1), &[("a", TestOutcome::Passed), ("run", TestOutcome::Error)]);
        check(&[START, PASSED].concat(), None, &[("a", TestOutcome::Passed), ("run", TestOutcome::Error)]);
    }

    fn retract(name: &str) -> String {
        format!("{{\"event\":\"retract\",\"name\":\"{name}\"}}\n")
    }

    #[test]
    fn tests_of_one_name_are_all_listed() {
        let failed = FAILED.replace("\"b\"", "\"a\"");
        let both = [("a", TestOutcome::Failed), ("a #2", TestOutcome::Passed)];
        check(&[START, &failed, START, PASSED].concat(), Some(1), &both);
        check(&[START, START, &failed, PASSED].concat(), Some(1), &both);
        check(&[failed.as_str(), PASSED].concat(), Some(0), &both);
        check(&[START, PASSED, START].concat(), Some(0), &[("a", TestOutcome::Passed), ("a #2", TestOutcome::Error)]);
        check(&[START, START, PASSED].concat(), Some(0), &[("a", TestOutcome::Passed), ("a #2", TestOutcome::Error)]);
        let name = "n".repeat(MAX_NAME_BYTES + 1);
        let long = PASSED.replace("\"a\"", &format!("\"{name}\"")).repeat(2);
        let names: Vec<_> = read(long.as_bytes(), false, Some(0), None).into_iter().map(|test| test.name).collect();
        assert_eq!(names, [name[1..].to_owned(), format!("{} #2", &name[4..])]);
    }

    #[test]
    fn a_retracted_start_is_not_a_test_and_an_end_cannot_be_retracted() {
        let retract_a = retract("a");
        check(&[START, &retract_a].concat(), Some(0), &[("run", TestOutcome::Error)]);
        check(&[START, &retract_a].concat(), Some(5), &[("run", TestOutcome::Error)]);
        check(&[START, PASSED, &retract_a].concat(), Some(0), &[("a", TestOutcome::Passed)]);
        let failed = FAILED.replace("\"b\"", "\"a\"");
        check(&[&failed, START, &retract_a, &retract_a].concat(), Some(0), &[("a", TestOutcome::Failed)]);
        check(&[START, &retract("b"), &retract_a, START, PASSED].concat(), Some(0), &[("a", TestOutcome::Passed)]);
        check(&[START, &retract_a, FAILED].concat(), Some(1), &[("b", TestOutcome::Failed)]);
        let groups = [START, &retract_a].concat().repeat(MAX_TESTS + 1);
        check(&[groups.as_str(), PASSED].concat(), Some(0), &[("a", TestOutcome::Passed)]);
    }

    #[test]
    fn a_kill_is_reported_at_the_test_it_interrupted() {
        let struck = |lines: &str| read(lines.as_bytes(), false, None, Some(9)).pop().and_then(|test| test.message);
        assert_eq!(struck(START).as_deref(), Some("started and did not finish: killed by signal 9 (SIGKILL)"));
        let between = struck(&[START, PASSED].concat());
        assert_eq!(between.as_deref(), Some("the test run was killed by signal 9 (SIGKILL) before it ended"));
    }

    #[test]
    fn a_cut_report_is_no_success() {
        let tests = read([START, PASSED].concat().as_bytes(), true, Some(0), None);
        let last = tests.last().map(|test| (test.name.as_str(), test.outcome, test.message.as_deref()));
        assert_eq!(last, Some(("run", TestOutcome::Error, Some("the report was cut; counts are incomplete"))));
        assert_eq!(tests.len(), 2);
    }

    #[test]
    fn broken_and_endless_lines_are_bounded() {
        check(&["nonsense\n{\n", START, PASSED].concat(), Some(0), &[("a", TestOutcome::Passed)]);
        let many: String = (0..MAX_TESTS + 5).map(|number| START.replace("\"a\"", &format!("\"t{number}\""))).collect();
        let tests = read(many.as_bytes(), false, Some(0), None);
        assert_eq!((tests.len(), tests[MAX_TESTS].name.as_str()), (MAX_TESTS + 1, "run"));
        let long = START.replace("\"a\"", &format!("\"{}\"", "ä".repeat(MAX_NAME_BYTES)));
        assert_eq!(read(long.as_bytes(), false, Some(0), None)[0].name.len(), MAX_NAME_BYTES);
    }

    proptest! {
        #[test]
        fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..500)) {
            let names: Vec<_> = read(&noise, false, Some(0), None).into_iter().map(|test| test.name).collect();
            prop_assert_eq!(names, ["run"]);
        }
    }
}
