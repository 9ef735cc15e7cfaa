//! Arguments, variables and stdin reach the program, and nothing else does.

use sandbox::{Command, IsolationLevel, Job, JobInput, Sandbox};
use tokio_util::sync::CancellationToken;

use crate::support::{job, run, text};

const LEVELS: [IsolationLevel; 3] = [IsolationLevel::Strict, IsolationLevel::Standard, IsolationLevel::Permissive];

fn input(args: &[&str], env: &[(&str, &str)], stdin: &[u8]) -> JobInput {
    JobInput {
        args: args.iter().map(|word| (*word).to_owned()).collect(),
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        stdin: stdin.to_vec(),
    }
}

fn script(runtime: &str, level: IsolationLevel, path: &str, source: &str, input: JobInput) -> Job {
    let command = Command::Script { path: path.into() };
    Job { runtime: runtime.into(), input, ..job(level, command, &[(path, source)]) }
}

pub(crate) async fn arguments_variables_and_stdin_reach_the_program(sandbox: &dyn Sandbox) {
    let given = || input(&["-c", "a b", "é", ""], &[("COLOR", "red = 1"), ("LANG", "C")], b"one\ntwo");
    let expected = "-c|a b|é||red = 1|C|one\ntwo";
    let python = "import os, sys\nprint(*sys.argv[1:], os.environ['COLOR'], os.environ['LANG'], sys.stdin.read(), sep='|', end='')\n";
    let node = "process.stdout.write([...process.argv.slice(2), process.env.COLOR, process.env.LANG, require('fs').readFileSync(0, 'utf8')].join('|'));\n";
    let bash = "printf '%s|' \"$@\" \"$COLOR\" \"$LANG\"; cat\n";
    let lua = "io.write(table.concat({arg[1], arg[2], arg[3], arg[4], os.getenv('COLOR'), os.getenv('LANG'), io.read('a')}, '|'))\n";
    let programs =
        [("python", "main.py", python), ("node", "main.js", node), ("bash", "main.sh", bash), ("lua", "main.lua", lua)];
    for (runtime, path, source) in programs {
        for level in LEVELS {
            let result = run(sandbox, script(runtime, level, path, source, given())).await;
            assert_eq!(text(&result.stdout), expected, "{runtime} {level:?}: {}", text(&result.stderr));
        }
        let after = run(sandbox, script(runtime, IsolationLevel::Standard, path, "", JobInput::default())).await;
        assert_eq!((after.exit_code, text(&after.stdout)), (Some(0), ""), "{runtime}");
    }
}

pub(crate) async fn a_large_stdin_is_read_in_full_or_left_unread(sandbox: &dyn Sandbox) {
    let stdin: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let count = "import sys\ndata = sys.stdin.buffer.read()\nprint(len(data), sum(data), sys.stdin.buffer.read())\n";
    let sum: usize = stdin.iter().map(|byte| usize::from(*byte)).sum();
    let job = script("python", IsolationLevel::Standard, "main.py", count, input(&[], &[], &stdin));
    let result = run(sandbox, job).await;
    assert_eq!(text(&result.stdout), format!("{} {sum} b''\n", stdin.len()), "{}", text(&result.stderr));
    let unread = script("python", IsolationLevel::Standard, "main.py", "print(1)", input(&[], &[], &stdin));
    assert_eq!(text(&run(sandbox, unread).await.stdout), "1\n");
    let empty = script("python", IsolationLevel::Standard, "main.py", "print(repr(input()))", JobInput::default());
    assert!(text(&run(sandbox, empty).await.stderr).contains("EOFError"));
}

pub(crate) async fn tests_get_variables_and_no_arguments(sandbox: &dyn Sandbox) {
    let tests = "import os, sys\ndef test_it():\n    assert os.environ['COLOR'] == 'red' and '--collect-only' not in sys.argv\n";
    let given = input(&[], &[("COLOR", "red")], b"ignored");
    let run_tests = |input| Job { input, ..job(IsolationLevel::Strict, Command::Tests, &[("test_it.py", tests)]) };
    let result = run(sandbox, run_tests(given)).await;
    assert_eq!(result.exit_code, Some(0), "{}{}", text(&result.stdout), text(&result.stderr));
    let refused = run_tests(input(&["--collect-only"], &[], b""));
    let refused = sandbox.run(refused, CancellationToken::new()).await.expect_err("is refused");
    assert_eq!(refused.code(), "args_unsupported");
}

pub(crate) async fn input_that_would_be_read_otherwise_is_refused(sandbox: &dyn Sandbox) {
    let refused = async |job: Job| sandbox.run(job, CancellationToken::new()).await.expect_err("is refused").code();
    let sql = script("sql", IsolationLevel::Strict, "main.sql", "select 1;", input(&[".shell id"], &[], b""));
    assert_eq!(refused(sql).await, "args_unsupported");
    let sql = script("sql", IsolationLevel::Strict, "main.sql", "select 1;", input(&[], &[], b"select 2;"));
    assert_eq!(refused(sql).await, "stdin_unsupported");
    let nul = script("python", IsolationLevel::Strict, "main.py", "", input(&["a\0b"], &[], b""));
    assert_eq!(refused(nul).await, "input_rejected");
    let function =
        script("bash", IsolationLevel::Strict, "main.sh", "", input(&[], &[("BASH_FUNC_ls%%", "() { :; }")], b""));
    assert_eq!(refused(function).await, "input_rejected");
}
