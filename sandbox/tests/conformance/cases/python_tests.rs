//! Reports of Python tests: places, logs, subtests, skipped files, closed descriptors.

use sandbox::{Command, JobResult, Sandbox, SecurityLevel, TestCase, TestOutcome};

use crate::support::{job, run, text};

async fn tests_of(sandbox: &dyn Sandbox, source: &str) -> (JobResult, Vec<TestCase>) {
    let result = run(sandbox, job(SecurityLevel::Strict, Command::Tests, &[("test_it.py", source)])).await;
    let tests = result.tests.clone().expect("a test run lists its tests");
    (result, tests)
}

/// Compares the tests below `test_it.py` with names, outcomes and the beginnings of their messages.
#[track_caller]
fn check(tests: &[TestCase], expect: &[(&str, TestOutcome, &str)]) {
    let found: Vec<_> = tests.iter().map(|test| (test.name.trim_start_matches("test_it.py::"), test.outcome)).collect();
    let expected: Vec<_> = expect.iter().map(|(name, outcome, _)| (*name, *outcome)).collect();
    assert_eq!(found, expected, "{tests:?}");
    for (test, (_, _, begins)) in tests.iter().zip(expect) {
        assert!(test.message.as_deref().unwrap_or("").starts_with(begins), "{test:?}");
    }
}

pub(crate) async fn a_failed_test_says_where_and_shows_what_it_said(sandbox: &dyn Sandbox) {
    let source = r#"
import logging, os, sys, unittest
def check(value):
    assert value, "is false"
def test_helper():
    print("printed 17"); print("to stderr", file=sys.stderr); os.write(1, b"by descriptor\n")
    logging.getLogger("own").warning("logged 17")
    check(False)
def test_library(): int("x")
class Classic(unittest.TestCase):
    def test_classic(self): self.assertEqual(1, 2)
"#;
    let (result, tests) = tests_of(sandbox, source).await;
    let expect = [
        ("test_helper", TestOutcome::Failed, "test_it.py:4: AssertionError: is false"),
        ("test_library", TestOutcome::Failed, "test_it.py:9: ValueError: invalid literal"),
        ("Classic::test_classic", TestOutcome::Failed, "test_it.py:11: AssertionError: 1 != 2"),
    ];
    check(&tests, &expect);
    for said in ["printed 17\n", "by descriptor\n", "logged 17\n"] {
        assert!(text(&result.stdout).contains(said), "{result:?}");
    }
    assert!(text(&result.stderr).contains("to stderr\n"), "{result:?}");
}

pub(crate) async fn every_subtest_runs_and_is_named(sandbox: &dyn Sandbox) {
    let source = r#"
import unittest
class Classic(unittest.TestCase):
    def test_many(self):
        for i in range(5):
            with self.subTest(i=i):
                if i == 4: self.skipTest("not four")
                self.assertNotIn(i, (1, 3))
    def test_own(self):
        with self.subTest("first"): self.fail("inner")
        self.fail("outer")
    def test_passes(self):
        with self.subTest(i=1): pass
class Later(unittest.IsolatedAsyncioTestCase):
    async def test_later(self):
        for i in range(2):
            with self.subTest(i=i): self.assertEqual(i, 0)
"#;
    let (result, tests) = tests_of(sandbox, source).await;
    let expect = [
        ("Classic::test_many (i=1)", TestOutcome::Failed, "test_it.py:8: AssertionError: 1 unexpectedly"),
        ("Classic::test_many (i=3)", TestOutcome::Failed, "test_it.py:8: AssertionError: 3 unexpectedly"),
        ("Classic::test_many (i=4)", TestOutcome::Skipped, "not four"),
        ("Classic::test_own", TestOutcome::Failed, "test_it.py:11: AssertionError: outer"),
        ("Classic::test_own [first]", TestOutcome::Failed, "test_it.py:10: AssertionError: inner"),
        ("Classic::test_passes", TestOutcome::Passed, ""),
        ("Later::test_later (i=1)", TestOutcome::Failed, "test_it.py:17: AssertionError: 1 != 0"),
    ];
    check(&tests, &expect);
    assert_eq!(result.exit_code, Some(1));
}

pub(crate) async fn a_file_that_skips_itself_is_skipped_with_its_reason(sandbox: &dyn Sandbox) {
    let skip = "import pytest\npytest.skip('not here', allow_module_level=True)\ndef test_a(): assert False\n";
    let missing = "import pytest\npytest.importorskip('not_there')\ndef test_a(): assert False\n";
    let classic = "import unittest\nraise unittest.SkipTest('not here')\n";
    for (source, reason) in [(skip, "Skipped: not here"), (missing, "Skipped: could not import"), (classic, "")] {
        let (result, tests) = tests_of(sandbox, source).await;
        check(&tests, &[("test_it.py", TestOutcome::Skipped, reason)]);
        assert_eq!(result.exit_code, Some(0), "{tests:?}");
    }
}

pub(crate) async fn a_class_with_a_constructor_is_no_silent_success(sandbox: &dyn Sandbox) {
    let source = r"
class TestShape:
    def __init__(self): self.side = 1
    def test_side(self): assert self.side == 2
class TestData:
    def __init__(self, value): self.value = value
def test_passes(): assert TestData(1).value == 1
";
    let (_, tests) = tests_of(sandbox, source).await;
    let expect = [
        ("TestShape", TestOutcome::Error, "test_it.py::TestShape: the class"),
        ("test_passes", TestOutcome::Passed, ""),
    ];
    check(&tests, &expect);
    let alone = "class TestShape:\n    def __init__(self): pass\n    def test_it(self): pass\n";
    let (result, tests) = tests_of(sandbox, alone).await;
    check(&tests, &[("run", TestOutcome::Error, "test_it.py::TestShape: the class has a constructor")]);
    assert!(result.found_no_tests(), "{tests:?}");
}

pub(crate) async fn a_test_that_closes_descriptors_keeps_the_results(sandbox: &dyn Sandbox) {
    let source = r"
import os, resource
def test_range(): os.closerange(3, 65536)
def test_each():
    own = os.open('test_it.py', os.O_RDONLY)
    for fd in range(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        try: os.close(fd)
        except OSError: pass
    try: os.fstat(own)
    except OSError: return
    raise AssertionError('is still open')
def test_last(): assert 1 == 2
";
    let (result, tests) = tests_of(sandbox, source).await;
    let expect = [
        ("test_range", TestOutcome::Passed, ""),
        ("test_each", TestOutcome::Passed, ""),
        ("test_last", TestOutcome::Failed, "test_it.py:12: AssertionError"),
    ];
    check(&tests, &expect);
    assert_eq!((result.exit_code, text(&result.stderr)), (Some(1), ""));
}
