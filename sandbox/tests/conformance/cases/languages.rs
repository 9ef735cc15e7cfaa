//! Each language runs its scripts, reports its tests and normalizes source files.

use sandbox::{Command, IsolationLevel, Job, JobResult, Outcome, Sandbox, TestOutcome};
use tokio_util::sync::CancellationToken;

use crate::support::{job, run, text};

const LEVELS: [IsolationLevel; 3] = [IsolationLevel::Strict, IsolationLevel::Standard, IsolationLevel::Permissive];

fn in_language(runtime: &str, level: IsolationLevel, command: Command, files: &[(&str, &str)]) -> Job {
    Job { runtime: runtime.into(), ..job(level, command, files) }
}

fn script_of(runtime: &str, level: IsolationLevel, path: &str, source: &str) -> Job {
    in_language(runtime, level, Command::Script { path: path.into() }, &[(path, source)])
}

#[track_caller]
fn check(result: &JobResult, stdout: &str, exit_code: i32) {
    assert_eq!((text(&result.stdout), result.exit_code), (stdout, Some(exit_code)), "{}", text(&result.stderr));
}

pub(crate) async fn node_runs_scripts(sandbox: &dyn Sandbox) {
    let source = "const fs = require('fs');\nfs.writeFileSync('out.txt', 'ä'.repeat(3));\nPromise.resolve(fs.readFileSync('out.txt', 'utf8')).then(t => { console.log(t, __filename); process.exitCode = 3; });\n";
    for level in LEVELS {
        let result = run(sandbox, script_of("node", level, "main.js", source)).await;
        check(&result, "äää /work/job/main.js\n", 3);
        assert_eq!(text(&result.stderr), "");
    }
    let module = "import { basename } from 'node:path';\nconsole.log(basename('/a/b'), await Promise.resolve(1));\n";
    check(&run(sandbox, script_of("node", IsolationLevel::Strict, "main.mjs", module)).await, "b 1\n", 0);
}

pub(crate) async fn node_reports_each_test(sandbox: &dyn Sandbox) {
    let tests = r"
const { test, describe, it } = require('node:test');
const assert = require('node:assert');
test('adds', () => assert.equal(1 + 1, 2));
test('fails', () => assert.equal(1, 2, 'one is not two'));
test('later', { skip: true }, () => {});
describe('group', () => { it('inner', async () => {}); it('broken', () => { throw new TypeError('no'); }); });
console.log('said by the test');
";
    let files =
        [("sum.test.js", tests), ("bad.test.js", "throw new RangeError('at load')"), ("other.js", "syntax error")];
    for level in LEVELS {
        let result = run(sandbox, in_language("node", level, Command::Tests, &files)).await;
        let tests = result.tests.clone().expect("a test run reports tests");
        let found: Vec<_> = tests.iter().map(|test| (test.name.as_str(), test.outcome)).collect();
        let expected = [
            ("adds", TestOutcome::Passed),
            ("fails", TestOutcome::Failed),
            ("later", TestOutcome::Skipped),
            ("group > inner", TestOutcome::Passed),
            ("group > broken", TestOutcome::Failed),
            ("bad.test.js loads", TestOutcome::Failed),
        ];
        for one in expected {
            assert!(found.contains(&one), "{one:?} is not in {found:?}; {}", text(&result.stderr));
        }
        assert_eq!(found.len(), expected.len(), "{found:?}");
        let failed = tests.iter().find(|test| test.name == "fails").expect("was found");
        assert!(
            failed.message.as_deref().is_some_and(|message| message == "sum.test.js:5: AssertionError: one is not two"),
            "{failed:?}"
        );
        assert_eq!((result.exit_code, text(&result.stdout)), (Some(1), "said by the test\n"));
    }
    let none = run(sandbox, in_language("node", IsolationLevel::Standard, Command::Tests, &[("a.js", "")])).await;
    let found: Vec<_> = none.tests.iter().flatten().map(|test| (test.name.as_str(), test.outcome)).collect();
    assert_eq!((none.exit_code, found), (Some(5), vec![("run", TestOutcome::Error)]), "{}", text(&none.stderr));
    node_counts_tests_and_not_suites(sandbox).await;
}

/// Runs a single test file with each source and compares the reported tests.
async fn check_tests(sandbox: &dyn Sandbox, runtime: &str, path: &str, cases: &[(&str, &[(&str, TestOutcome)])]) {
    for (source, expect) in cases {
        let job = in_language(runtime, IsolationLevel::Standard, Command::Tests, &[(path, source)]);
        let result = run(sandbox, job).await;
        let tests = result.tests.expect("a test run reports tests");
        let found: Vec<_> = tests.iter().map(|test| (test.name.as_str(), test.outcome)).collect();
        assert_eq!(found, *expect, "{source}\n{tests:?} {}", text(&result.stderr));
    }
}

async fn node_counts_tests_and_not_suites(sandbox: &dyn Sandbox) {
    use TestOutcome::{Error, Failed, Passed, Skipped};
    let cases: [(&str, &[(&str, TestOutcome)]); 17] = [
        ("describe('adding', () => {});", &[("run", Error)]),
        ("describe('adding', () => { describe('inner', () => {}); });", &[("run", Error)]),
        ("describe('adding', () => { it.skip('later', () => {}); });", &[("adding > later", Skipped)]),
        ("describe.skip('adding', () => { it('adds', () => { throw 1; }); });", &[("adding", Skipped)]),
        ("describe('adding', () => { it('adds', () => {}); });", &[("adding > adds", Passed)]),
        ("describe('adding', () => { throw new Error('no'); });", &[("adding", Failed)]),
        (
            "for (const n of [1, 2]) test('adds', () => { if (n === 1) throw new Error('no'); });",
            &[("adds", Failed), ("adds #2", Passed)],
        ),
        (
            "for (const n of [1, 2]) describe('all', () => { it('adds', () => { if (n === 1) throw 1; }); });",
            &[("all > adds", Failed), ("all > adds #2", Passed)],
        ),
        (
            "describe('adding', () => { before(() => { throw new Error('no'); }); it('adds', () => {}); });",
            &[("adding", Failed), ("adding > adds", Failed)],
        ),
        (
            "test('adds', () => { setTimeout(() => Promise.reject(new Error('late')), 10); }); test('waits', () => new Promise(done => setTimeout(done, 50)));",
            &[("adds", Passed), ("waits", Passed), ("adds > after its end", Error)],
        ),
        (
            "test('adds', () => {}); setTimeout(() => { throw new Error('late'); }, 30);",
            &[("adds", Passed), ("outside of the tests", Error)],
        ),
        (
            "for (const name of ['adds', 'subtracts']) test(name, () => { setTimeout(() => { throw new Error('late ' + name); }, 10); }); test('waits', () => new Promise(done => setTimeout(done, 50)));",
            &[
                ("adds", Passed),
                ("subtracts", Passed),
                ("waits", Passed),
                ("adds > after its end", Error),
                ("subtracts > after its end", Error),
            ],
        ),
        (
            "before(() => { setTimeout(() => { throw new Error('late'); }, 10); }); test('waits', () => new Promise(done => setTimeout(done, 50)));",
            &[("waits", Passed), ("hook before", Error)],
        ),
        (
            "test('adds', () => { setTimeout(() => { throw new Error('late'); }, 5); }); test('leaves', () => new Promise(() => setTimeout(() => process.exit(3), 50)));",
            &[("adds", Passed), ("outside of the tests", Error)],
        ),
        (
            "test('adds', () => { const error = new Error('no'); error.stack = 'Error\\n    at file:///work/a%2Fb.js:1:2'; throw error; });",
            &[("adds", Failed)],
        ),
        ("test('adds', () => new Promise(() => { Promise.reject(); }));", &[("adds", Failed)]),
        // The lines of the second test are not written before the process exits.
        (
            "test('adds', () => {}); test('leaves', async () => { await new Promise(done => setTimeout(done, 50)); process.exit(0); });",
            &[("adds", Passed), ("process.exit", Error)],
        ),
    ];
    let imported = cases.map(|(source, expect)| {
        (format!("const {{ test, describe, it, before }} = require('node:test');\n{source}\n"), expect)
    });
    let cases: Vec<_> = imported.iter().map(|(source, expect)| (source.as_str(), *expect)).collect();
    check_tests(sandbox, "node", "sum.test.js", &cases).await;
}

pub(crate) async fn bash_runs_scripts(sandbox: &dyn Sandbox) {
    let source = "set -euo pipefail\nsum=0\nfor n in $(seq 1 10); do sum=$((sum + n)); done\necho \"$sum\" | sed 's/^/sum /' | tee out\nprintf '%s\\n' b a | sort | awk '{ print NR, $1 }'\nexit 4\n";
    for level in LEVELS {
        check(&run(sandbox, script_of("bash", level, "main.sh", source)).await, "sum 55\n1 a\n2 b\n", 4);
    }
}

pub(crate) async fn bash_reports_each_test(sandbox: &dyn Sandbox) {
    let files = [("test_good.sh", "[ 1 = 1 ]"), ("lib/bad_test.sh", "echo out; exit 3"), ("other.sh", "exit 1")];
    let result = run(sandbox, in_language("bash", IsolationLevel::Standard, Command::Tests, &files)).await;
    let tests = result.tests.expect("a test run reports tests");
    let found: Vec<_> = tests.iter().map(|test| (test.name.as_str(), test.outcome, test.message.as_deref())).collect();
    let expected =
        [("lib/bad_test.sh", TestOutcome::Failed, Some("exit code 3")), ("test_good.sh", TestOutcome::Passed, None)];
    assert_eq!(found, expected, "{}", text(&result.stderr));
    assert_eq!((result.exit_code, text(&result.stdout)), (Some(1), "out\n"));
    bash_fails_functions_that_a_file_leaves_out(sandbox).await;
    bash_fails_a_function_at_its_first_failing_command(sandbox).await;
    bash_gives_a_test_file_no_arguments(sandbox).await;
}

async fn bash_fails_functions_that_a_file_leaves_out(sandbox: &dyn Sandbox) {
    use TestOutcome::{Failed, Passed};
    let left_out: &[(&str, TestOutcome)] = &[("test_it.sh::test_add", Failed)];
    let one_test: &[(&str, TestOutcome)] = &[("test_it.sh", Passed)];
    let cases: [(&str, &[(&str, TestOutcome)]); 13] = [
        ("test_add() { false; }\nexit 0\n", left_out),
        ("function test_add {\n  false\n}\nexit 0\n", left_out),
        ("test_add ()\n{\n  false\n}\n# test_add\necho test_add: passed; echo 'test_add passed'\nexit\n", left_out),
        ("test_add() { false; }\nexit 0\ntest_add\n", left_out),
        ("test_add() { false; }\nmain() { test_add; }\nexit 0\n", left_out),
        ("test_add() { false; }\nif true; then exit 0; fi\n", left_out),
        ("test_add() { false; }\nexec true\n", left_out),
        ("sum=3; test_add() { false; }\n", left_out),
        (
            "test_add() { true; }\ntest_sub() { false; }\ntest_add\nexit $?\n",
            &[("test_it.sh::test_add", Failed), ("test_it.sh::test_sub", Failed)],
        ),
        ("test_add() { true; }\nmain() { test_add || exit 1; }\nmain\nexit 0\n", one_test),
        ("test_add() { true; }\nfor name in test_add; do \"$name\" || exit 1; done\nexit 0\n", one_test),
        (
            "test_add() { true; }\nfor name in $(declare -F | grep -o 'test_.*'); do \"$name\" || exit 1; done\nexit 0\n",
            one_test,
        ),
        ("[ 1 = 1 ]\nexit\n", one_test),
    ];
    check_tests(sandbox, "bash", "test_it.sh", &cases).await;
}

async fn bash_fails_a_function_at_its_first_failing_command(sandbox: &dyn Sandbox) {
    use TestOutcome::{Failed, Passed};
    let cases: [(&str, &[(&str, TestOutcome)]); 3] = [
        ("test_add() { [ 1 = 2 ]; [ 1 = 1 ]; }\n", &[("test_it.sh::test_add", Failed)]),
        ("function test_add()\n{\n  [[ a = b ]]\n  echo end\n}\n", &[("test_it.sh::test_add", Failed)]),
        ("false\nset -Cu\ntest_add() { [ 1 = 1 ]; ! [ 1 = 2 ]; [ 2 = 2 ]; }\n", &[("test_it.sh::test_add", Passed)]),
    ];
    check_tests(sandbox, "bash", "test_it.sh", &cases).await;
}

async fn bash_gives_a_test_file_no_arguments(sandbox: &dyn Sandbox) {
    let source = "mode=\"${1:-fast}\"\ntest_mode() { echo \"$mode ${1:-none} $#\"; }\n";
    let job = in_language("bash", IsolationLevel::Strict, Command::Tests, &[("test_it.sh", source)]);
    check(&run(sandbox, job).await, "fast none 0\n", 0);
}

pub(crate) async fn sql_runs_scripts(sandbox: &dyn Sandbox) {
    let source = "CREATE TABLE t(a INTEGER, b TEXT);\nINSERT INTO t VALUES (1, 'ä'), (2, 'b');\nSELECT sum(a), group_concat(b) FROM t;\n";
    for level in LEVELS {
        check(&run(sandbox, script_of("sql", level, "main.sql", source)).await, "3|ä,b\n", 0);
    }
    let broken =
        run(sandbox, script_of("sql", IsolationLevel::Strict, "main.sql", "SELECT 1;\nSELEC 2;\nSELECT 3;\n")).await;
    assert_eq!((text(&broken.stdout), broken.outcome), ("1\n", Outcome::Exited));
    assert!(broken.exit_code != Some(0) && text(&broken.stderr).contains("syntax error"), "{broken:?}");
    let job = in_language("sql", IsolationLevel::Standard, Command::Tests, &[]);
    let refused = sandbox.run(job, CancellationToken::new()).await.expect_err("there is no test runner");
    assert_eq!((refused.code(), refused.is_retryable()), ("tests_unsupported", false));
}

pub(crate) async fn lua_runs_scripts(sandbox: &dyn Sandbox) {
    let source = "local file = assert(io.open('out.txt', 'w'))\nfile:write(('ä'):rep(3))\nfile:close()\nfor line in io.lines('out.txt') do print(line, 7 // 2, _VERSION) end\nassert(not os.execute('/bin/true'))\nos.exit(3)\n";
    for level in LEVELS {
        check(&run(sandbox, script_of("lua", level, "main.lua", source)).await, "äää\t3\tLua 5.4\n", 3);
    }
    let files = [("main.lua", "print(require('part.one').name)"), ("part/one.lua", "return { name = ... }")];
    let job = in_language("lua", IsolationLevel::Strict, Command::Script { path: "main.lua".into() }, &files);
    check(&run(sandbox, job).await, "part.one\n", 0);
}

pub(crate) async fn source_text_runs_as_its_author_meant_it(sandbox: &dyn Sandbox) {
    let cases = [
        ("python", "main.py", "\u{feff}# -*- coding: latin-1 -*-\r\nif True:\r\n\tprint('ä')\r\n", "ä\n"),
        ("python", "main.py", "# coding: cp1252\nprint(len('€ä'))\n", "2\n"),
        ("python", "main.py", "print(1)\rprint(2)", "1\n2\n"),
        ("node", "main.js", "\u{feff}#!/usr/bin/env node\r\nconsole.log('ä')\r\n", "ä\n"),
        ("bash", "main.sh", "\u{feff}#!/bin/bash\r\nif true; then\r\n  echo ä\r\nfi\r\n", "ä\n"),
        ("lua", "main.lua", "\u{feff}#!/usr/bin/lua\r\nif true then\r\n  print('ä')\r\nend\r\n", "ä\n"),
        ("sql", "main.sql", "\u{feff}SELECT 'ä';\r\n", "ä\n"),
    ];
    for (runtime, path, source, expect) in cases {
        let mut job = script_of(runtime, IsolationLevel::Standard, path, source);
        check(&run(sandbox, job.clone()).await, expect, 0);
        let utf16: Vec<u8> = source.trim_start_matches('\u{feff}').encode_utf16().flat_map(u16::to_le_bytes).collect();
        job.files[0].content = [&[0xff, 0xfe], utf16.as_slice()].concat();
        check(&run(sandbox, job).await, expect, 0);
    }
}
