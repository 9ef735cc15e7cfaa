//! Reports of Python tests: places, logs, subtests, skipped files, closed descriptors.

use sandbox::{Command, IsolationLevel, JobResult, Sandbox, TestCase, TestOutcome};

use crate::support::{job, run, text};

async fn tests_of(sandbox: &dyn Sandbox, source: &str) -> (JobResult, Vec<TestCase>) {
    let result = run(sandbox, job(IsolationLevel::Strict, Command::Tests, &[("test_it.py", source)])).await;
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

pub(crate) async fn subtests_that_check_nothing_are_no_success(sandbox: &dyn Sandbox) {
    let source = r#"
import pytest, unittest
class Classic(unittest.TestCase):
    def test_all(self):
        for i in range(2):
            with self.subTest(i=i):
                if i: pytest.skip("by pytest")
                self.skipTest("by unittest")
    def test_some(self):
        for i in range(2):
            with self.subTest(i=i):
                if i: self.skipTest("one")
"#;
    let (result, tests) = tests_of(sandbox, source).await;
    let expect = [
        ("Classic::test_all", TestOutcome::Skipped, "Skipped: every subtest was skipped"),
        ("Classic::test_all (i=0)", TestOutcome::Skipped, "by unittest"),
        ("Classic::test_all (i=1)", TestOutcome::Skipped, "by pytest"),
        ("Classic::test_some", TestOutcome::Passed, ""),
        ("Classic::test_some (i=1)", TestOutcome::Skipped, "one"),
    ];
    check(&tests, &expect);
    assert_eq!(result.exit_code, Some(0));
}

pub(crate) async fn marks_apply_to_subtests(sandbox: &dyn Sandbox) {
    let source = r#"
import pytest, unittest
class Classic(unittest.TestCase):
    @pytest.mark.xfail(reason="known")
    def test_expected(self):
        with self.subTest(i=1): self.fail("inner")
    def test_inside(self):
        with self.subTest(i=1): pytest.xfail("known")
        with self.subTest(i=2): pass
    def test_later_skip(self):
        with self.subTest(i=1): self.fail("inner")
        self.skipTest("no more")
class Torn(unittest.TestCase):
    def tearDown(self): raise ValueError("torn")
    def test_it(self):
        with self.subTest(i=1): self.fail("inner")
class TornClass(unittest.TestCase):
    @classmethod
    def tearDownClass(cls): raise ValueError("torn")
    def test_it(self):
        with self.subTest(i=1): self.fail("inner")
"#;
    let (result, tests) = tests_of(sandbox, source).await;
    let expect = [
        ("Classic::test_expected", TestOutcome::Skipped, "expected failure: known"),
        ("Classic::test_expected (i=1)", TestOutcome::Skipped, "expected failure: test_it.py:6: AssertionError: inner"),
        ("Classic::test_inside", TestOutcome::Passed, ""),
        ("Classic::test_inside (i=1)", TestOutcome::Skipped, "expected failure: known"),
        ("Classic::test_later_skip (i=1)", TestOutcome::Failed, "test_it.py:11: AssertionError: inner"),
        ("Torn::test_it", TestOutcome::Failed, "test_it.py:14: ValueError: torn"),
        ("Torn::test_it (i=1)", TestOutcome::Failed, "test_it.py:16: AssertionError: inner"),
        ("TornClass::test_it", TestOutcome::Failed, "teardown: test_it.py:19: ValueError: torn"),
        ("TornClass::test_it (i=1)", TestOutcome::Failed, "test_it.py:21: AssertionError: inner"),
    ];
    check(&tests, &expect);
    assert_eq!(result.exit_code, Some(1));
}

pub(crate) async fn every_failure_has_a_message(sandbox: &dyn Sandbox) {
    let source = r#"
import os, pytest
class Silent(Exception):
    failures = 3
    def __str__(self): raise ValueError("no text")
@pytest.mark.xfail(strict=True, reason="known")
def test_strict(): pass
def test_silent(): raise Silent
def test_surrogate(): raise ValueError("\udc80")
def test_folder(tmp_path):
    os.chdir(tmp_path); os.rmdir(tmp_path)
    assert 1 == 2
"#;
    let (result, tests) = tests_of(sandbox, source).await;
    let expect = [
        ("test_strict", TestOutcome::Failed, "[XPASS(strict)] known"),
        ("test_silent", TestOutcome::Failed, "Silent, which has no readable text"),
        ("test_surrogate", TestOutcome::Failed, "test_it.py:9: ValueError: ?"),
        ("test_folder", TestOutcome::Failed, "test_it.py:12: AssertionError"),
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
    // pytest demands `allow_module_level`.
    let (result, tests) = tests_of(sandbox, "import pytest\npytest.skip('bare')\n").await;
    check(&tests, &[("test_it.py", TestOutcome::Error, "")]);
    assert_eq!(result.exit_code, Some(2), "{tests:?}");
}

pub(crate) async fn a_class_with_a_constructor_is_no_silent_success(sandbox: &dyn Sandbox) {
    let source = r"
class TestShape:
    def __init__(self): self.side = 1
    def test_side(self): assert self.side == 2
class TestData:
    def __init__(self, value): self.value = value
    def testing(self): return self.value
    __test__ = False
class TestBase:
    def __new__(cls): return super().__new__(cls)
    def test_it(self): pass
class TestEmpty:
    @property
    def test_it(self): raise ValueError
def test_passes(): assert TestData(1).value == 1
";
    let (_, tests) = tests_of(sandbox, source).await;
    let expect = [
        ("TestShape", TestOutcome::Error, "test_it.py::TestShape: the class has a constructor, `__init__`"),
        ("TestBase", TestOutcome::Error, "test_it.py::TestBase: the class has a constructor, `__new__`"),
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
