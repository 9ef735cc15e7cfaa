//! Files that a job leaves in its folder `outputs`, and its output while it runs.

use sandbox::{Command, IsolationLevel, Job, JobResult, Limits, OutputStream, Sandbox};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::{job, run, script, script_job, text};

fn names(result: &JobResult) -> Vec<(&str, usize)> {
    result.output_files.iter().map(|file| (file.path.as_str(), file.content.len())).collect()
}

pub(crate) async fn files_in_the_folder_come_back_exactly(sandbox: &dyn Sandbox) {
    let source = concat!(
        "import os\nos.makedirs('outputs/deep')\n",
        "open('outputs/all.bin', 'wb').write(bytes(range(256)) * 400)\n",
        "open('outputs/deep/note.txt', 'w').write('é\\n')\n",
        "open('outputs/empty', 'w')\nopen('elsewhere', 'w').write('x')\n",
    );
    for level in [IsolationLevel::Strict, IsolationLevel::Standard, IsolationLevel::Permissive] {
        let result = run(sandbox, script_job(level, source)).await;
        assert_eq!(names(&result), [("all.bin", 102_400), ("deep/note.txt", 3), ("empty", 0)], "{level:?} {result:?}");
        assert!(result.output_files[0].content.iter().enumerate().all(|(at, byte)| *byte == (at % 256) as u8));
        assert!(result.left_out.is_empty());
        // A container that is used again holds nothing of the job before.
        assert!(names(&script(sandbox, "print(1)").await).is_empty());
    }
}

pub(crate) async fn a_test_run_and_a_failed_program_have_files_too(sandbox: &dyn Sandbox) {
    let leave = "import os\nos.makedirs('outputs', exist_ok=True)\nopen('outputs/log', 'w').write('x')\n";
    let failed = script(sandbox, &format!("{leave}raise SystemExit(3)\n")).await;
    assert_eq!((failed.exit_code, names(&failed)), (Some(3), vec![("log", 1)]));
    let endless = Job {
        limits: Limits::for_level(IsolationLevel::Standard, std::time::Duration::from_millis(700)),
        ..script_job(IsolationLevel::Standard, &format!("{leave}while True: pass\n"))
    };
    assert_eq!(names(&run(sandbox, endless).await), [("log", 1)]);
    let tests = format!("def test_it():\n    {}", leave.replace('\n', "\n    "));
    let tests = run(sandbox, job(IsolationLevel::Standard, Command::Tests, &[("test_it.py", &tests)])).await;
    assert_eq!((tests.exit_code, names(&tests)), (Some(0), vec![("log", 1)]));
}

pub(crate) async fn files_beyond_the_limits_are_named(sandbox: &dyn Sandbox) {
    let source = concat!(
        "import os\nos.mkdir('outputs')\n",
        "open('outputs/large', 'wb').truncate(8_000_001)\n",
        "for n in range(52): open(f'outputs/{n:02}', 'w')\n",
    );
    let result = script(sandbox, source).await;
    assert_eq!(result.output_files.len(), 50);
    let reasons: Vec<String> = result.left_out.iter().map(|file| format!("{}: {}", file.name, file.reason)).collect();
    assert_eq!(
        reasons,
        ["50: there are more than 50 files", "51: there are more than 50 files", "large: there are more than 50 files"]
    );
    let none =
        Limits { output_files: 0, ..Limits::for_level(IsolationLevel::Standard, std::time::Duration::from_secs(9)) };
    let unwanted = Job { limits: none, ..script_job(IsolationLevel::Standard, source) };
    assert!(names(&run(sandbox, unwanted).await).is_empty());
}

pub(crate) async fn output_arrives_while_the_job_runs(sandbox: &dyn Sandbox) {
    let source = concat!(
        "import sys, time\nprint('first', flush=True)\ntime.sleep(0.5)\n",
        "print('é' * 3000, file=sys.stderr, flush=True)\ntime.sleep(60)\n",
    );
    let (sender, mut chunks) = mpsc::unbounded_channel();
    let job = Job { live_output: Some(sender), ..script_job(IsolationLevel::Standard, source) };
    let cancel = CancellationToken::new();
    let watch = async {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while let Some(chunk) = chunks.recv().await {
            match chunk.stream {
                OutputStream::Stdout => stdout.extend(chunk.bytes),
                OutputStream::Stderr => stderr.extend(chunk.bytes),
            }
            if stderr.len() == 6_001 {
                cancel.cancel();
            }
        }
        (stdout, stderr)
    };
    let (result, (stdout, stderr)) = tokio::join!(sandbox.run(job, cancel.clone()), watch);
    let result = result.expect("runs");
    assert!(cancel.is_cancelled(), "all of it came before the end: {}", text(&stderr));
    assert_eq!((text(&stdout), &stderr), ("first\n", &result.stderr));
}

pub(crate) async fn endless_output_that_is_watched_is_bounded(sandbox: &dyn Sandbox) {
    let source = "import sys\nwhile True: sys.stdout.write('x' * 65536)\n";
    let (sender, mut chunks) = mpsc::unbounded_channel();
    let mut job = Job { live_output: Some(sender), ..script_job(IsolationLevel::Standard, source) };
    job.limits.wall = std::time::Duration::from_secs(2);
    let received = async {
        let mut bytes = 0;
        while let Some(chunk) = chunks.recv().await {
            bytes += chunk.bytes.len();
        }
        bytes
    };
    let (result, received) = tokio::join!(run(sandbox, job), received);
    assert!(result.outcome.is_timeout() && result.usage.wall_ms < 4_000, "{:?}", result.outcome);
    assert!((1..=result.stdout.len()).contains(&received), "{received} bytes");
}
