//! The output and test results of a job are returned unchanged.

use sandbox::{Command, IsolationLevel, Outcome, Sandbox, TestCase, TestOutcome};

use crate::support::{every_runtime, job, run, script, text};

pub(crate) async fn output_and_exit_code_come_back_exactly(sandbox: &dyn Sandbox) {
    let source = "import sys\nprint('hello')\nsys.stdout.flush()\nsys.stderr.write('trouble')\nsys.exit(7)\n";
    let result = script(sandbox, source).await;
    assert_eq!(text(&result.stdout), "hello\n");
    assert_eq!(text(&result.stderr), "trouble");
    assert_eq!((result.outcome, result.exit_code, result.signal), (Outcome::Exited, Some(7), None));
    assert!(!result.truncated && result.tests.is_none());
    assert!(result.usage.cpu_ms > 0 && result.usage.max_rss_bytes > 1 << 20, "{:?}", result.usage);
}

pub(crate) async fn output_is_bytes_and_not_text(sandbox: &dyn Sandbox) {
    let result = script(sandbox, "import sys\nsys.stdout.buffer.write(bytes(range(256)) * 300)\n").await;
    let expected: Vec<u8> = (0..=255u8).collect::<Vec<_>>().repeat(300);
    assert_eq!(result.stdout, expected);
}

pub(crate) async fn files_of_a_job_import_each_other(sandbox: &dyn Sandbox) {
    let files = [
        (
            "main.py",
            "import helper\nfrom package.inner import VALUE\nprint(helper.double(VALUE), open('data.txt').read())\n",
        ),
        ("helper.py", "def double(value):\n    return 2 * value\n"),
        ("package/__init__.py", ""),
        ("package/inner.py", "VALUE = 21\n"),
        ("data.txt", "data"),
    ];
    let result = run(sandbox, job(IsolationLevel::Strict, Command::Script { path: "main.py".into() }, &files)).await;
    assert_eq!((text(&result.stdout), text(&result.stderr)), ("42 data\n", ""));
}

const TESTS: &str = r#"
import time, unittest, pytest

def test_passes():
    print("from the test")

def test_fails():
    assert 1 + 1 == 3

@pytest.mark.skip(reason="not today")
def test_skipped():
    pass

@pytest.fixture
def broken():
    raise RuntimeError("no fixture")

def test_error(broken):
    pass

class Classic(unittest.TestCase):
    def test_classic_passes(self):
        time.sleep(0.02)

    def test_classic_fails(self):
        self.assertEqual(1, 2)
"#;

pub(crate) async fn each_test_is_reported(sandbox: &dyn Sandbox) {
    let result = run(sandbox, job(IsolationLevel::Standard, Command::Tests, &[("test_all.py", TESTS)])).await;
    let tests = result.tests.expect("a test run lists its tests");
    let expected = [
        ("test_all.py::test_passes", TestOutcome::Passed),
        ("test_all.py::test_fails", TestOutcome::Failed),
        ("test_all.py::test_skipped", TestOutcome::Skipped),
        ("test_all.py::test_error", TestOutcome::Error),
        ("test_all.py::Classic::test_classic_fails", TestOutcome::Failed),
        ("test_all.py::Classic::test_classic_passes", TestOutcome::Passed),
    ];
    assert_eq!(tests.iter().map(|test| (test.name.as_str(), test.outcome)).collect::<Vec<_>>(), expected);
    assert_eq!((result.outcome, result.exit_code), (Outcome::Exited, Some(1)));
    assert!(message(&tests[1]).starts_with("test_all.py:8: AssertionError: assert (1 + 1) == 3"), "{tests:?}");
    assert_eq!(message(&tests[2]), "Skipped: not today");
    assert!(message(&tests[3]).contains("setup: test_all.py:16: RuntimeError: no fixture"), "{tests:?}");
    assert!(message(&tests[4]).contains("1 != 2"), "{tests:?}");
    assert!(tests[5].duration_ms >= 20, "{tests:?}");
    tests_that_return_their_result_fail(sandbox).await;
    a_test_and_its_teardown_are_one_test(sandbox).await;
}

async fn tests_that_return_their_result_fail(sandbox: &dyn Sandbox) {
    let source = r"
import unittest

def hidden(function):
    return lambda: function()

def test_value(): return 1 == 2
async def test_awaited(): return True
test_hidden = hidden(test_awaited)

async def test_nothing(): pass

class Classic(unittest.TestCase):
    def test_classic(self): return 1 == 2

class Later(unittest.IsolatedAsyncioTestCase):
    async def test_later(self): return 1 == 2
    async def test_nothing(self): pass
";
    let result = run(sandbox, job(IsolationLevel::Standard, Command::Tests, &[("test_it.py", source)])).await;
    let tests = result.tests.expect("a test run lists its tests");
    assert_eq!((tests.len(), result.exit_code), (7, Some(1)), "{tests:?}");
    for test in &tests {
        let (outcome, said) = if test.name.ends_with("nothing") {
            (TestOutcome::Passed, "")
        } else {
            (TestOutcome::Failed, "the test returned a value; use assert")
        };
        assert!(test.outcome == outcome && test.message.as_deref().unwrap_or("").ends_with(said), "{test:?}");
    }
}

async fn a_test_and_its_teardown_are_one_test(sandbox: &dyn Sandbox) {
    let source = r#"
import pytest

@pytest.fixture
def broken():
    yield
    raise RuntimeError("cannot close")

def test_passes(broken): pass
def test_fails(broken): assert 1 == 2
"#;
    let result = run(sandbox, job(IsolationLevel::Standard, Command::Tests, &[("test_it.py", source)])).await;
    let tests = result.tests.expect("a test run lists its tests");
    let outcomes: Vec<_> = tests.iter().map(|test| test.outcome).collect();
    assert_eq!(outcomes, [TestOutcome::Error, TestOutcome::Failed], "{tests:?}");
    assert_eq!(message(&tests[0]), "teardown: test_it.py:7: RuntimeError: cannot close");
    assert!(message(&tests[1]).starts_with("test_it.py:10: AssertionError: assert 1 == 2"), "{tests:?}");
}

pub(crate) async fn broken_test_files_are_errors_and_quote_nothing(sandbox: &dyn Sandbox) {
    let files = [("test_broken.py", "secret_name = (\ndef f(:\n"), ("test_import.py", "import not_there\n")];
    let result = run(sandbox, job(IsolationLevel::Strict, Command::Tests, &files)).await;
    let tests = result.tests.expect("a test run lists its tests");
    assert_eq!(
        tests.iter().map(|test| (test.name.as_str(), test.outcome)).collect::<Vec<_>>(),
        [("test_broken.py", TestOutcome::Error), ("test_import.py", TestOutcome::Error)]
    );
    assert!(message(&tests[0]).starts_with("SyntaxError: "), "{tests:?}");
    assert!(message(&tests[0]).ends_with("(test_broken.py, line 2)"), "{tests:?}");
    assert!(message(&tests[1]).contains("No module named 'not_there'"), "{tests:?}");
    let said = [text(&result.stdout), text(&result.stderr), message(&tests[0])].concat();
    assert!(!said.contains("secret_name"), "{said}");
}

pub(crate) async fn a_test_run_that_is_cut_short_is_no_success(sandbox: &dyn Sandbox) {
    let leaves = "import os\ndef test_first():\n    pass\ndef test_leaves():\n    os._exit(0)\n";
    let result = run(sandbox, job(IsolationLevel::Standard, Command::Tests, &[("test_it.py", leaves)])).await;
    let tests = result.tests.expect("a test run lists its tests");
    let outcomes: Vec<_> = tests.iter().map(|test| test.outcome).collect();
    assert_eq!(outcomes, [TestOutcome::Passed, TestOutcome::Error], "{tests:?}");
    files_that_prevent_their_tests_pass_none(sandbox).await;
}

async fn files_that_prevent_their_tests_pass_none(sandbox: &dyn Sandbox) {
    const FAILS: &str = "import unittest\nclass TestIt(unittest.TestCase):\n    def test_it(self): self.fail()\n";
    let cases = [
        ("", "import sys; sys.exit(0)", TestOutcome::Error),
        ("", "import os; os._exit(0)", TestOutcome::Error),
        ("import pytest; pytest.skip('no', allow_module_level=True)", "", TestOutcome::Skipped),
        ("import pytest; pytestmark = pytest.mark.skip", "", TestOutcome::Skipped),
        ("__test__ = False", "", TestOutcome::Error),
        ("", "unittest.main()", TestOutcome::Error),
        ("", "unittest.main(exit=False)", TestOutcome::Failed),
    ];
    for (before, after, outcome) in cases {
        let source = format!("{before}\n{FAILS}{after}\n");
        check_outcome(sandbox, &[("test_it.py", &source)], outcome).await;
    }
    for conftest in ["collect_ignore = ['test_it.py']", "import sys; sys.exit(0)", "import os; os._exit(0)"] {
        check_outcome(sandbox, &[("test_it.py", FAILS), ("conftest.py", conftest)], TestOutcome::Error).await;
    }
}

async fn check_outcome(sandbox: &dyn Sandbox, files: &[(&str, &str)], outcome: TestOutcome) {
    let result = run(sandbox, job(IsolationLevel::Standard, Command::Tests, files)).await;
    let outcomes: Vec<_> = result.tests.iter().flatten().map(|test| test.outcome).collect();
    assert_eq!(outcomes, [outcome], "{files:?}: {:?}", result.tests);
}

pub(crate) async fn usual_python_works(sandbox: &dyn Sandbox) {
    let source = r#"
import asyncio, os, pathlib, sqlite3, subprocess, sys, tempfile, threading
async def later():
    await asyncio.sleep(0.001)
    return 1
assert asyncio.run(later()) == 1
threads = [threading.Thread(target=sum, args=([1],)) for _ in range(20)]
[t.start() for t in threads]; [t.join() for t in threads]
with tempfile.TemporaryDirectory() as folder:
    connection = sqlite3.connect(pathlib.Path(folder, "db"))
    connection.execute("create table t(a)"); connection.commit()
pathlib.Path("/tmp/there").write_text("x")
pathlib.Path("out.txt").write_text("x"); os.rename("out.txt", "renamed.txt"); os.remove("renamed.txt")
print(subprocess.run([sys.executable, "-c", "print('child')"], capture_output=True, text=True).stdout.strip())
print(os.getcwd(), os.getuid(), os.environ["HOME"])
"#;
    let result = script(sandbox, source).await;
    assert_eq!((text(&result.stdout), text(&result.stderr)), ("child\n/work/job 65534 /work/tmp\n", ""));
}

/// Tests of servers need loopback; no other network exists.
pub(crate) async fn a_server_and_its_client_meet_inside(sandbox: &dyn Sandbox) {
    let source = r#"
import http.server, threading, urllib.request
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
server.RequestHandlerClass.log_message = lambda *arguments: None
threading.Thread(target=server.serve_forever, daemon=True).start()
print(urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/main.py").status)
"#;
    let result = script(sandbox, source).await;
    assert_eq!((text(&result.stdout), text(&result.stderr)), ("200\n", ""));
}

pub(crate) async fn many_jobs_run_at_once_and_do_not_mix(sandbox: &dyn Sandbox) {
    let numbered = async |number: usize| text(&script(sandbox, &format!("print({number})")).await.stdout).to_owned();
    let outputs = futures_util::future::join_all((0..12).map(numbered)).await;
    let expected: Vec<_> = (0..12).map(|number| format!("{number}\n")).collect();
    assert_eq!(outputs, expected);
}

pub(crate) async fn health_names_the_walls(sandbox: &dyn Sandbox) {
    let health = sandbox.health().await;
    assert!(health.ok, "{health:?}");
    assert!(["docker", "bubblewrap"].contains(&health.backend.as_str()));
    assert!(health.landlock_abi >= 1, "{health:?}");
    let mut runtimes = health.runtimes;
    runtimes.sort();
    let mut expected = every_runtime();
    expected.sort();
    assert_eq!(runtimes, expected);
}

fn message(test: &TestCase) -> &str {
    test.message.as_deref().expect("a test that did not pass says why")
}
