//! The test report of a run, in the form that clients read.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use domain::workflow::{Feedback, RunEnd, TestSummary};
use sandbox::{JobResult, LeftOut, Outcome, TestCase, TestOutcome};
use serde::Serialize;
use serde_json::{Value, json};

/// Maximum characters of a test's message and of the output in the feedback to the next round.
const MAX_TAIL_CHARS: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Test {
    name: String,
    outcome: &'static str,
    duration_ms: u64,
    message: Option<String>,
}

/// Maximum failed tests in the feedback to the next round.
const MAX_FEEDBACK_TESTS: usize = 50;
/// Maximum bytes of each stream's text in the document as JSON writes it: a control character takes six. The whole
/// document must fit a message of 8 MiB.
const MAX_STREAM_BYTES: usize = 1_500_000;
/// Maximum bytes of a stream that is repeated in base64 because it is not UTF-8.
const MAX_BASE64_BYTES: usize = 256 << 10;
/// Maximum tests in the document, and characters of their names and messages; the counts are of all tests.
const MAX_TESTS: usize = 1_000;
const MAX_MESSAGE_CHARS: usize = 300;
/// End of a shortened text.
const CUT_MARK: &str = "... (cut)";

impl Test {
    fn shortened(&self) -> Self {
        let message = self.message.as_deref().map(shortened);
        Self { message, name: shortened(&self.name), ..self.clone() }
    }

    fn is_failure(&self) -> bool {
        self.outcome == "failed" || self.outcome == "error"
    }
}

/// Returns the text, or its beginning with a mark if it is too long for the document.
fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_MESSAGE_CHARS {
        return text.to_owned();
    }
    text.chars().take(MAX_MESSAGE_CHARS - CUT_MARK.len()).chain(CUT_MARK.chars()).collect()
}

/// Returns the tests of the document: all in their order, or of too many the failures and then the others.
fn listed(tests: &[Test]) -> Vec<Test> {
    let (failures, others): (Vec<_>, Vec<_>) = if tests.len() > MAX_TESTS {
        tests.iter().partition(|test| test.is_failure())
    } else {
        (tests.iter().collect(), Vec::new())
    };
    failures.into_iter().chain(others).take(MAX_TESTS).map(Test::shortened).collect()
}

/// The document for clients, the counts, and the feedback to another round.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TestReport {
    pub(super) document: Value,
    pub(super) summary: TestSummary,
    pub(super) end: RunEnd,
    pub(super) feedback: Feedback,
}

/// Returns the files below `outputs` that were not collected, with the reasons.
fn left_out(files: &[LeftOut]) -> Vec<Value> {
    files.iter().map(|file| json!({"name": file.name, "reason": file.reason})).collect()
}

/// The message of a passed run of a program that defines tests.
const TESTS_NOT_RUN: &str =
    "the file ran as a program; to run the tests that it defines, ask for the tests or set mode to test";

/// Returns the report of a job. A run without tests counts as one test named `run`, passed if the exit code is 0.
///
/// `untested` is true if the program may define tests that did not run. `remark` may explain why a program failed.
pub(super) fn test_report(result: &JobResult, untested: bool, remark: Option<&str>) -> TestReport {
    let tests = match &result.tests {
        Some(tests) => tests.iter().map(of_case).collect(),
        None => vec![run_as_test(result, untested, remark)],
    };
    let count =
        |outcome: &str| u32::try_from(tests.iter().filter(|test| test.outcome == outcome).count()).unwrap_or(u32::MAX);
    let (passed, skipped) = (count("passed"), count("skipped"));
    let total = u32::try_from(tests.len()).unwrap_or(u32::MAX);
    // A failed test collection has an exit code other than 0 and no failed test.
    let broken = !result.outcome.is_normal_exit() || (result.exit_code != Some(0) && passed + skipped == total);
    let counted = total - skipped;
    let summary = TestSummary {
        total: counted.max(u32::from(broken)),
        passed: if broken { passed.min(counted.saturating_sub(1)) } else { passed },
    };
    let (stdout, stderr) = (fitting(&result.stdout), fitting(&result.stderr));
    let is_cut = stdout.len() < result.stdout.len() || stderr.len() < result.stderr.len();
    let mut document = json!({
        "success_rate": summary.success_rate(),
        "total": total,
        "passed": passed,
        "failed": count("failed"),
        "errors": count("error"),
        "skipped": skipped,
        "tests": listed(&tests),
        "tests_left_out": tests.len().saturating_sub(MAX_TESTS),
        "stdout": stdout,
        "stderr": stderr,
        "exit_code": result.exit_code,
        "signal": result.signal,
        "outcome": result.outcome,
        "truncated": result.truncated || is_cut,
        "timed_out": result.outcome.is_timeout(),
        "oom_killed": result.outcome == Outcome::OomKilled,
        "files_left_out": left_out(&result.left_out),
        "usage": {
            "cpu_ms": result.usage.cpu_ms,
            "wall_ms": result.usage.wall_ms,
            "max_rss_bytes": result.usage.max_rss_bytes,
        },
    });
    for (name, bytes) in [("stdout_base64", &result.stdout), ("stderr_base64", &result.stderr)] {
        if std::str::from_utf8(bytes).is_err() {
            document[name] = BASE64.encode(&bytes[..bytes.len().min(MAX_BASE64_BYTES)]).into();
        }
    }
    let feedback = Feedback {
        failed_tests: tests
            .into_iter()
            .filter(Test::is_failure)
            .take(MAX_FEEDBACK_TESTS)
            .map(|test| (shortened(&test.name), tail(&test.message.unwrap_or_default())))
            .collect(),
        output_tail: tail(&format!("{stdout}\n{stderr}")),
        findings: Vec::new(),
        comment: None,
    };
    TestReport { document, summary, end: end_of(result, skipped), feedback }
}

fn end_of(result: &JobResult, skipped: u32) -> RunEnd {
    let (exit_code, timed_out) = (result.exit_code, result.outcome.is_timeout());
    RunEnd { exit_code, timed_out, has_tests: result.has_tests(), skipped }
}

fn of_case(case: &TestCase) -> Test {
    Test {
        name: case.name.clone(),
        outcome: match case.outcome {
            TestOutcome::Passed => "passed",
            TestOutcome::Failed => "failed",
            TestOutcome::Error => "error",
            TestOutcome::Skipped => "skipped",
        },
        duration_ms: case.duration_ms,
        message: case.message.clone(),
    }
}

fn run_as_test(result: &JobResult, untested: bool, remark: Option<&str>) -> Test {
    let passed = result.outcome.is_normal_exit() && result.exit_code == Some(0);
    let message = match (&result.outcome, result.exit_code) {
        (Outcome::Exited | Outcome::OutputTruncated, Some(0)) => untested.then(|| TESTS_NOT_RUN.to_owned()),
        (Outcome::Exited | Outcome::OutputTruncated, Some(code)) => {
            Some(format!("the program ended with exit code {code}"))
        }
        (Outcome::Exited | Outcome::OutputTruncated, None) => Some("the program ended without an exit code".to_owned()),
        (Outcome::TimedOut, _) => {
            Some("the program exceeded its time limit (timeout_seconds, or the rest of timeout_minutes)".to_owned())
        }
        (Outcome::OutOfCpu, _) => {
            Some("the program exceeded its CPU time (timeout_seconds, or the rest of the budget)".to_owned())
        }
        (Outcome::OomKilled, _) => Some("the program exceeded its memory limit".to_owned()),
        (Outcome::KilledBySignal, _) => {
            let signal = result.signal.map_or_else(|| "a signal".to_owned(), sandbox::signal_text);
            Some(format!("the program was killed by {signal}"))
        }
        (Outcome::PidsExhausted, _) => Some("the program exceeded its limit of processes".to_owned()),
        (Outcome::DiskFull, _) => Some("the program filled its disk".to_owned()),
        (Outcome::Cancelled, _) => Some("the program was cancelled".to_owned()),
    };
    Test {
        name: "run".to_owned(),
        outcome: if passed { "passed" } else { "failed" },
        duration_ms: result.usage.wall_ms,
        message: match remark.filter(|_| !passed) {
            Some(remark) => message.map(|message| format!("{message}; {remark}")),
            None => message,
        },
    }
}

/// Returns the beginning of a stream as text, as much as fits the document.
fn fitting(bytes: &[u8]) -> String {
    let mut room = MAX_STREAM_BYTES;
    let text = String::from_utf8_lossy(bytes);
    let fits = |c: &char| {
        let cost = if c.is_control() { 6 } else { c.len_utf8() + usize::from(matches!(c, '"' | '\\')) };
        let left = room.checked_sub(cost);
        room = left.unwrap_or(0);
        left.is_some()
    };
    text.chars().take_while(fits).collect()
}

fn tail(text: &str) -> String {
    let skip = text.chars().count().saturating_sub(MAX_TAIL_CHARS);
    text.chars().skip(skip).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sandbox::Usage;

    use super::*;

    fn result(outcome: Outcome, exit_code: Option<i32>, tests: Option<Vec<TestOutcome>>) -> JobResult {
        let case = |outcome| TestCase { name: "t".into(), outcome, duration_ms: 1, message: Some("why".into()) };
        JobResult {
            outcome,
            exit_code,
            signal: None,
            stdout: b"out\xff".to_vec(),
            stderr: Vec::new(),
            truncated: false,
            tests: tests.map(|tests| tests.into_iter().map(case).collect()),
            usage: Usage { cpu_ms: 1, wall_ms: 2, max_rss_bytes: 3 },
            output_files: Vec::new(),
            left_out: Vec::new(),
            wait: Duration::ZERO,
        }
    }

    #[track_caller]
    fn check(result: &JobResult, all_passed: bool, rate: f64) {
        let report = test_report(result, false, None);
        assert_eq!(report.summary.all_passed(), all_passed, "{:?}", report.summary);
        assert!((report.summary.success_rate() - rate).abs() < 1e-9, "{:?}", report.summary);
    }

    #[test]
    fn only_a_clean_run_with_a_passing_test_counts_as_passed() {
        use TestOutcome::{Error, Failed, Passed, Skipped};
        check(&result(Outcome::Exited, Some(0), None), true, 1.0);
        check(&result(Outcome::Exited, Some(3), None), false, 0.0);
        check(&result(Outcome::OutputTruncated, Some(0), None), true, 1.0);
        check(&result(Outcome::TimedOut, None, None), false, 0.0);
        check(&result(Outcome::Exited, Some(0), Some(vec![Passed, Skipped])), true, 1.0);
        check(&result(Outcome::Exited, Some(1), Some(vec![Passed, Failed])), false, 0.5);
        check(&result(Outcome::Exited, Some(2), Some(vec![Error])), false, 0.0);
        // No test was collected, or the process failed after its tests passed.
        check(&result(Outcome::Exited, Some(5), Some(vec![Error])), false, 0.0);
        check(&result(Outcome::Exited, Some(0), Some(vec![Error])), false, 0.0);
        check(&result(Outcome::Exited, Some(3), Some(vec![Passed, Passed])), false, 0.5);
        check(&result(Outcome::OomKilled, None, Some(vec![Passed])), false, 0.0);
        check(&result(Outcome::Exited, Some(0), Some(vec![Skipped])), false, 0.0);
    }

    #[test]
    fn output_that_is_not_utf_8_is_repeated_in_base64() {
        let run = |stdout: &[u8]| JobResult { stdout: stdout.to_vec(), ..result(Outcome::Exited, Some(0), None) };
        let document = test_report(&run(b"caf\xe9"), false, None).document;
        assert_eq!((&document["stdout"], &document["stdout_base64"]), (&json!("caf\u{fffd}"), &json!("Y2Fm6Q==")));
        let document = test_report(&run("café".as_bytes()), false, None).document;
        assert!(document.get("stdout_base64").is_none() && document.get("stderr_base64").is_none());
        let largest = test_report(&run(&[0xff; 1 << 20]), false, None).document["stdout_base64"].as_str().map(str::len);
        assert_eq!(largest, Some(MAX_BASE64_BYTES.div_ceil(3) * 4));
    }

    #[test]
    fn the_report_of_a_killed_program_names_the_signal_and_has_no_exit_code() {
        let document =
            test_report(&JobResult { signal: Some(9), ..result(Outcome::KilledBySignal, None, None) }, false, None)
                .document;
        assert_eq!(document["tests"][0]["message"], "the program was killed by signal 9 (SIGKILL)");
        assert_eq!((&document["signal"], &document["exit_code"]), (&json!(9), &Value::Null));
        let out_of_cpu = test_report(&result(Outcome::OutOfCpu, None, None), false, None).document;
        assert_eq!((&out_of_cpu["timed_out"], &out_of_cpu["outcome"]), (&json!(true), &json!("out_of_cpu")));
    }

    #[test]
    fn a_remark_explains_a_failed_program_only() {
        let message = |code| {
            let ended = result(Outcome::Exited, Some(code), None);
            test_report(&ended, false, Some("language assumed: python")).document["tests"][0]["message"].clone()
        };
        assert_eq!(message(1), "the program ended with exit code 1; language assumed: python");
        assert_eq!(message(0), Value::Null);
    }

    #[test]
    fn the_largest_report_fits_a_message() {
        let mut loud = result(Outcome::Exited, Some(1), Some(vec![TestOutcome::Failed; 10_000]));
        // No text, so that both are there in base64 too.
        loud.stdout = [vec![0x1b; 4 << 20], vec![0xff]].concat();
        loud.stderr = [vec![b'"'; 4 << 20], vec![0xff]].concat();
        for test in loud.tests.iter_mut().flatten() {
            (test.name, test.message) = ("\u{1}".repeat(4_000), Some("\u{1}".repeat(4_000)));
        }
        let TestReport { document, summary, feedback, .. } = test_report(&loud, false, None);
        assert!(document.to_string().len() < 7_800_000, "{}", document.to_string().len());
        assert_eq!((document["truncated"].as_bool(), document["total"].as_u64()), (Some(true), Some(10_000)));
        assert_eq!((summary.total, feedback.failed_tests.len()), (10_000, MAX_FEEDBACK_TESTS));
    }

    #[test]
    fn of_too_many_tests_the_failures_are_listed_first() {
        let mut outcomes = vec![TestOutcome::Passed; 3_000];
        outcomes[2_999] = TestOutcome::Failed;
        outcomes[1_500] = TestOutcome::Error;
        let document = test_report(&result(Outcome::Exited, Some(1), Some(outcomes)), false, None).document;
        let tests = document["tests"].as_array().expect("is a list");
        let found: Vec<_> = tests[..3].iter().map(|test| test["outcome"].as_str()).collect();
        assert_eq!(found, [Some("error"), Some("failed"), Some("passed")]);
        assert_eq!((tests.len(), document["tests_left_out"].as_u64()), (MAX_TESTS, Some(2_000)));
        let few = vec![TestOutcome::Passed, TestOutcome::Failed];
        let document = test_report(&result(Outcome::Exited, Some(1), Some(few)), false, None).document;
        assert_eq!((&document["tests"][0]["outcome"], &document["tests_left_out"]), (&json!("passed"), &json!(0)));
    }

    #[test]
    fn a_shortened_message_says_so() {
        assert_eq!(shortened(&"ä".repeat(MAX_MESSAGE_CHARS)), "ä".repeat(MAX_MESSAGE_CHARS));
        let long = shortened(&"ä".repeat(MAX_MESSAGE_CHARS + 1));
        assert!(long.ends_with(CUT_MARK) && long.chars().count() == MAX_MESSAGE_CHARS, "{long}");
    }

    #[test]
    fn the_document_has_the_form_that_clients_read() {
        let document = test_report(&result(Outcome::Exited, Some(0), None), false, None).document;
        assert_eq!(document["tests"][0]["name"], "run");
        assert_eq!(document["stdout"], "out\u{fffd}");
        assert_eq!(document["usage"]["max_rss_bytes"], 3);
        assert_eq!(document["timed_out"], false);
        assert_eq!(document["outcome"], "exited");
    }
}
