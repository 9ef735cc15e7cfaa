//! Rules for code that a language model wrote, beyond passing its tests: the tests are untrusted, and findings count.

use std::collections::HashSet;

use domain::analysis::{AnalysisReport, Severity};
use domain::workflow::{Action, Content, Feedback, NewInput, TestSummary, TestVerdict, Workflow};
use messaging::BlobError;
use sandbox::{JobResult, TestCase, TestOutcome};

use crate::context::WorkerContext;

const SKIPPED_MESSAGE: &str = "the test was skipped or expected to fail; it must run and pass";
const VACUOUS_MESSAGE: &str = "the test asserts nothing about the code";
/// Maximum findings in the feedback to the next round.
const MAX_FINDINGS: usize = 20;

/// Marks generated tests that prove nothing as failed: those without an assertion, and those that were skipped.
pub(super) async fn fail_unproven_tests(
    context: &WorkerContext,
    workflow: &Workflow,
    result: &mut JobResult,
) -> Result<(), BlobError> {
    let artifacts = &workflow.artifacts;
    let Some(tests) = result.tests.as_mut().filter(|_| artifacts.repairable) else { return Ok(()) };
    let runtime = sandbox::language_of(artifacts.runtime.as_deref().unwrap_or_default());
    let mut vacuous = Vec::new();
    for file in artifacts.files.iter().filter(|file| file.is_test && !file.from_caller) {
        vacuous.extend(generator::vacuous_tests(runtime, &file.path, &context.blobs.load(&file.content).await?));
    }
    // A changed file may hold tests that the caller skips.
    let mut may_skip = HashSet::new();
    if artifacts.action == Some(Action::Changed) {
        for original in originals(workflow) {
            may_skip.extend(generator::skipped_tests(runtime, &context.blobs.load(original).await?));
        }
    }
    fail_unproven(tests, &vacuous, &may_skip);
    Ok(())
}

/// Returns the code that was to be changed: the caller's, and that which approvers supplied.
fn originals(workflow: &Workflow) -> impl Iterator<Item = &Content> {
    let supplied = workflow.decisions().filter_map(|(_, decision)| match &decision.input {
        Some(NewInput::Code { content }) => Some(content),
        Some(NewInput::Recipe { .. }) | None => None,
    });
    workflow.submission.code_contents().chain(supplied)
}

/// Returns whether a test of the report has one of the names.
fn has_name(test: &str, names: &HashSet<String>) -> bool {
    let titled = test.rsplit(" > ").next().unwrap_or_default();
    let function = without_parameters(test).rsplit("::").next().unwrap_or_default();
    // Without the parameters of a subtest.
    let function = function.split(' ').next().unwrap_or_default();
    names.contains(titled) || names.contains(function)
}

/// Returns the name of a test without the parameters behind its function. The name of its file may have brackets.
fn without_parameters(test: &str) -> &str {
    let function = test.find("::").map_or(0, |at| at + 2);
    test[function..].find('[').map_or(test, |at| &test[..function + at])
}

fn fail_unproven(tests: &mut Vec<TestCase>, vacuous: &[String], may_skip: &HashSet<String>) {
    let mut named: HashSet<&str> = vacuous.iter().map(String::as_str).collect();
    for test in tests.iter_mut() {
        let name = without_parameters(&test.name);
        let is_vacuous = vacuous.iter().any(|known| known == name);
        named.remove(name);
        let message = match test.outcome {
            TestOutcome::Passed if is_vacuous => VACUOUS_MESSAGE,
            TestOutcome::Skipped if !has_name(&test.name, may_skip) => SKIPPED_MESSAGE,
            TestOutcome::Passed | TestOutcome::Skipped | TestOutcome::Failed | TestOutcome::Error => continue,
        };
        test.outcome = TestOutcome::Failed;
        test.message = Some(message.to_owned());
    }
    // For languages whose vacuous tests are known by file only.
    let mut files: Vec<&str> = named.into_iter().filter(|name| !name.contains("::")).collect();
    files.sort_unstable();
    tests.extend(files.into_iter().map(|name| TestCase {
        name: name.to_owned(),
        outcome: TestOutcome::Failed,
        duration_ms: 0,
        message: Some(VACUOUS_MESSAGE.to_owned()),
    }));
}

/// Decides what follows a run. Serious findings request another round; after the last round the gate evaluates them.
pub(super) async fn rerun(
    context: &WorkerContext,
    workflow: &Workflow,
    summary: TestSummary,
    feedback: Feedback,
) -> Result<TestVerdict, BlobError> {
    let artifacts = &workflow.artifacts;
    if artifacts.is_callers_code() {
        return Ok(TestVerdict::Passed);
    }
    if !artifacts.repairable {
        return Ok(if summary.all_passed() { TestVerdict::Passed } else { TestVerdict::Unrepairable });
    }
    let report = match &artifacts.security_report {
        Some(content) => serde_json::from_str(&context.blobs.load(content).await?).ok(),
        None => None,
    };
    let (findings, is_serious) = report.map_or_else(Default::default, |report| finding_feedback(&report));
    let is_last = workflow.round >= workflow.submission.options.max_iterations;
    if summary.all_passed() && (is_last || !is_serious) {
        return Ok(TestVerdict::Passed);
    }
    Ok(TestVerdict::Repairable(Feedback { findings, ..feedback }))
}

/// Returns the security findings of medium severity and above as sentences, and whether one is high or critical.
fn finding_feedback(report: &AnalysisReport) -> (Vec<String>, bool) {
    let grave: Vec<_> = report.security_findings(Severity::Medium).collect();
    let sentence = |finding: &&domain::analysis::Finding| {
        let file = finding.file.as_deref().unwrap_or("the code");
        format!("{file}, line {}: {} {}", finding.line_start, finding.title, finding.recommendation)
    };
    let is_serious = grave.iter().any(|finding| finding.severity >= Severity::High);
    (grave.iter().take(MAX_FINDINGS).map(sentence).collect(), is_serious)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, outcome: TestOutcome) -> TestCase {
        TestCase { name: name.to_owned(), outcome, duration_ms: 1, message: None }
    }

    #[track_caller]
    fn check(tests: &[(&str, TestOutcome)], vacuous: &[&str], may_skip: &[&str], failed: &[&str]) {
        let mut tests: Vec<TestCase> = tests.iter().map(|(name, outcome)| case(name, *outcome)).collect();
        let vacuous: Vec<String> = vacuous.iter().map(|name| (*name).to_owned()).collect();
        let may_skip = may_skip.iter().map(|name| (*name).to_owned()).collect();
        fail_unproven(&mut tests, &vacuous, &may_skip);
        let found: Vec<&str> =
            tests.iter().filter(|test| test.outcome == TestOutcome::Failed).map(|test| test.name.as_str()).collect();
        assert_eq!(found, failed);
    }

    #[test]
    fn tests_that_prove_nothing_count_as_failed() {
        use TestOutcome::{Passed, Skipped};
        let tests = [("t.py::test_a[1-2]", Passed), ("t.py::test_b", Passed), ("t.py::test_c", Skipped)];
        check(&tests, &["t.py::test_a"], &[], &["t.py::test_a[1-2]", "t.py::test_c"]);
        let bracketed = [("t_[a].py::test_a[1]", Passed), ("t_[a].py::test_c", Skipped)];
        check(&bracketed, &["t_[a].py::test_a"], &["test_c"], &["t_[a].py::test_a[1]"]);
        check(&tests, &[], &["test_c"], &[]);
        check(&tests, &[], &["test_b"], &["t.py::test_c"]);
        let skipped = [
            ("t.py::A::test_d[1]", Skipped),
            ("t.py::A::test_d (i=1)", Skipped),
            ("all > adds [1]", Skipped),
            ("all > new", Skipped),
        ];
        check(&skipped, &[], &["test_d", "adds [1]"], &["all > new"]);
        // By file; a Python test that did not run is not added.
        check(&[("adds", Passed)], &["a.test.js"], &[], &["a.test.js"]);
        check(&[("t.py::test_b", Passed)], &["t.py::test_x"], &[], &[]);
    }
}
