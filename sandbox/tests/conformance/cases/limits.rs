//! Each limit is enforced and determines the outcome.

use std::time::{Duration, Instant};

use sandbox::{Backend, Command, IsolationLevel, Job, Outcome, Sandbox};
use tokio_util::sync::CancellationToken;

use crate::support::{config, job, run, script, script_job, text};
use crate::worker::endless_job::EndlessJob;

pub(crate) async fn time_runs_out(sandbox: &dyn Sandbox) {
    let mut job = script_job(IsolationLevel::Standard, "while True: pass\n");
    job.limits.wall = Duration::from_millis(500);
    let result = run(sandbox, job).await;
    assert_eq!((result.outcome, result.exit_code), (Outcome::TimedOut, None));
    assert!((500..1500).contains(&result.usage.wall_ms), "{:?}", result.usage);
}

pub(crate) async fn cpu_time_is_counted_over_all_processes(sandbox: &dyn Sandbox) {
    let source = "import os\nfor n in range(8):\n    if os.fork() == 0:\n        while True: pass\nfor n in range(8): os.wait()\n";
    let mut job = script_job(IsolationLevel::Standard, source);
    job.limits.cpu = Duration::from_secs(1);
    let result = run(sandbox, job).await;
    assert_eq!(result.outcome, Outcome::OutOfCpu, "{result:?}");
    assert!((1000..3000).contains(&result.usage.cpu_ms), "the limit is per process: {:?}", result.usage);
}

pub(crate) async fn output_before_the_kill_is_kept(sandbox: &dyn Sandbox) {
    let mut endless = script_job(IsolationLevel::Standard, "print('so far')\nwhile True: pass\n");
    endless.limits.wall = Duration::from_secs(1);
    assert_eq!(text(&run(sandbox, endless).await.stdout), "so far\n");
    // An unfinished line as well.
    let python = "import sys\nprint(1, 2, end='')\nprint('err', end='', file=sys.stderr)\nwhile True: pass\n";
    let lua = "io.write('1 ') print('2') io.write('3')\nwhile true do end\n";
    for (runtime, path, source, expect) in [("python", "main.py", python, "1 2"), ("lua", "main.lua", lua, "1 2\n3")] {
        let command = Command::Script { path: path.into() };
        let mut endless = Job { runtime: runtime.into(), ..job(IsolationLevel::Standard, command, &[(path, source)]) };
        endless.limits.wall = Duration::from_secs(1);
        let result = run(sandbox, endless).await;
        assert_eq!((text(&result.stdout), result.outcome), (expect, Outcome::TimedOut), "{result:?}");
    }
}

pub(crate) async fn lines_of_threads_stay_whole(sandbox: &dyn Sandbox) {
    let source = "import threading\ndef say(letter):\n    for _ in range(10_000): print(letter * 20)\nthreads = [threading.Thread(target=say, args=letter) for letter in 'ab']\nfor thread in threads: thread.start()\nfor thread in threads: thread.join()\n";
    let result = run(sandbox, script_job(IsolationLevel::Standard, source)).await;
    let (first, second) = ("a".repeat(20), "b".repeat(20));
    let torn = text(&result.stdout).lines().find(|line| *line != first && *line != second);
    assert_eq!((torn, text(&result.stdout).lines().count()), (None, 20_000));
}

pub(crate) async fn endless_output_is_cut(sandbox: &dyn Sandbox) {
    let mut job = script_job(
        IsolationLevel::Standard,
        "import sys\nfor _ in range(300): sys.stdout.write('x' * 100_000)\nsys.stderr.write('end')\n",
    );
    job.limits.output_bytes = 5000;
    let result = run(sandbox, job).await;
    assert_eq!(text(&result.stdout), "x".repeat(5000));
    assert_eq!(text(&result.stderr), "end", "the job itself goes on to its end");
    assert!(result.truncated);
    assert_eq!((result.outcome, result.exit_code), (Outcome::OutputTruncated, Some(0)));
    let mut job = script_job(IsolationLevel::Standard, "print('x' + 'ä€😀' * 10_000)\n");
    job.limits.output_bytes = 5000;
    let cut = run(sandbox, job).await.stdout;
    assert!((4997..=5000).contains(&cut.len()) && text(&cut).starts_with("xä€😀ä"), "{} bytes", cut.len());
}

pub(crate) async fn memory_runs_out(sandbox: &dyn Sandbox) {
    let source = "import time\nprint('start', flush=True)\nheld = []\nwhile True: held.append(bytearray(8 << 20))\n";
    let mut job = script_job(IsolationLevel::Standard, source);
    (job.limits.memory_bytes, job.limits.disk_bytes) = (128 << 20, 16 << 20);
    let result = run(sandbox, job).await;
    assert_eq!(result.outcome, Outcome::OomKilled, "{result:?}");
    assert_eq!(text(&result.stdout), "start\n");
    assert!(result.usage.max_rss_bytes > 64 << 20, "{:?}", result.usage);
}

pub(crate) async fn a_fork_bomb_is_bounded(sandbox: &dyn Sandbox) {
    let source = "import os, time\ncount = 0\ntry:\n    while True:\n        if os.fork() == 0: time.sleep(60); os._exit(0)\n        count += 1\nexcept OSError as error:\n    print(count); raise SystemExit(3)\n";
    let result = run(sandbox, script_job(IsolationLevel::Standard, source)).await;
    assert_eq!((result.outcome, result.exit_code), (Outcome::PidsExhausted, Some(3)), "{result:?}");
    let started: u32 = text(&result.stdout).trim().parse().expect("a number");
    assert!((30..=64).contains(&started), "{started}");
    assert!(result.usage.wall_ms < 10_000, "the sleeping children did not hold the job: {:?}", result.usage);
}

pub(crate) async fn the_disk_fills(sandbox: &dyn Sandbox) {
    let source = "with open('big', 'wb') as f:\n    while True: f.write(b'x' * 65536)\n";
    let mut job = script_job(IsolationLevel::Standard, source);
    job.limits.disk_bytes = 8 << 20;
    let result = run(sandbox, job).await;
    assert_eq!((result.outcome, result.exit_code), (Outcome::DiskFull, Some(1)), "{result:?}");
}

pub(crate) async fn too_many_files_fill_it_as_well(sandbox: &dyn Sandbox) {
    let source = "for n in range(100_000): open(f'f{n}', 'w').close()\n";
    let result = run(sandbox, script_job(IsolationLevel::Strict, source)).await;
    assert_eq!(result.outcome, Outcome::DiskFull, "{result:?}");
}

pub(crate) async fn a_cancel_kills_at_once(sandbox: &dyn Sandbox) {
    let cancel = CancellationToken::new();
    let endless = EndlessJob::new();
    let running = sandbox.run(endless.job(), cancel.clone());
    let cancelled = async {
        endless.wait_until_running().await;
        let at = now();
        cancel.cancel();
        endless.wait_until_ended(Duration::from_secs(1)).await;
        at
    };
    let (result, at) = tokio::join!(running, cancelled);
    let result = result.expect("a cancelled job is a result");
    assert_eq!((result.outcome, result.signal), (Outcome::Cancelled, Some(9)), "the runner still sent its result");
    assert!(at.elapsed() < Duration::from_secs(1), "{:?}", at.elapsed());
}

pub(crate) async fn a_cancel_before_the_start_runs_nothing(sandbox: &dyn Sandbox) {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let result = sandbox.run(script_job(IsolationLevel::Standard, "print(1)"), cancel).await.expect("a result");
    assert_eq!((result.outcome, result.stdout.len()), (Outcome::Cancelled, 0));
}

pub(crate) async fn a_dropped_run_frees_its_place(sandbox: &dyn Sandbox) {
    for _ in 0..3 {
        let endless = EndlessJob::new();
        tokio::select! {
            ended = sandbox.run(endless.job(), CancellationToken::new()) => panic!("it cannot end: {ended:?}"),
            () = endless.wait_until_running() => {}
        }
        endless.wait_until_ended(Duration::from_secs(1)).await;
    }
    assert_eq!(text(&script(sandbox, "print('next')").await.stdout), "next\n");
}

pub(crate) async fn a_shutdown_ends_what_runs(sandbox: &dyn Sandbox) {
    let backend = if sandbox.health().await.backend == "docker" { Backend::Docker } else { Backend::Bubblewrap };
    let other = sandbox::open(config(backend)).await.expect("opens one more");
    let endless = EndlessJob::new();
    let running = other.run(endless.job(), CancellationToken::new());
    let closed = async {
        endless.wait_until_running().await;
        other.shutdown().await;
        endless.wait_until_ended(Duration::ZERO).await;
    };
    let (result, ()) = tokio::join!(running, closed);
    assert_eq!(result.expect("a cancelled job is a result").outcome, Outcome::Cancelled);
    let refused = other.run(endless.job(), CancellationToken::new()).await.expect_err("it is closed");
    assert_eq!((refused.code(), refused.is_retryable()), ("shutting_down", true));
    assert!(!other.health().await.ok);
    assert!(sandbox.health().await.ok, "the other sandbox is not touched");
}

pub(crate) async fn background_processes_end_with_the_job(sandbox: &dyn Sandbox) {
    let source = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\nprint('done')\n";
    let result = script(sandbox, source).await;
    assert_eq!((result.outcome, text(&result.stdout)), (Outcome::Exited, "done\n"));
    assert!(result.usage.wall_ms < 10_000, "{:?}", result.usage);
}

#[expect(clippy::disallowed_methods, reason = "measures real time")]
fn now() -> Instant {
    Instant::now()
}
