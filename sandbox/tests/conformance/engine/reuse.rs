//! Reused containers and prestarted interpreters are not observable by jobs.

use std::sync::Arc;
use std::time::Duration;

use sandbox::{Backend, IsolationLevel, Job, JobResult, Outcome, Owner, Sandbox};

use crate::engine::docker;
use crate::support::{RUNTIME, config, job, run, script_job, shared, text};
use crate::worker::wait_until;

/// A sandbox without a warm pool: every existing container is kept for its owner.
struct ReuseSandbox {
    sandbox: Arc<dyn Sandbox>,
    label: String,
}

impl ReuseSandbox {
    fn open(name: &str, jobs_per_container: u32) -> Option<Self> {
        shared(Backend::Docker)?;
        let mut own = config(Backend::Docker);
        own.instance = format!("{name}-{}", std::process::id());
        own.pool_size = 0;
        own.jobs_per_container = jobs_per_container;
        let label = format!("label=promptcraft.instance={}", own.instance);
        let sandbox = RUNTIME.block_on(sandbox::open(own)).expect("opens");
        RUNTIME.block_on(wait_until(|| living(&label).is_empty(), "the containers that proved the walls stay"));
        Some(Self { sandbox, label })
    }

    /// Opens a sandbox with one warm container and a prestarted interpreter.
    fn open_warm(name: &str) -> Option<Self> {
        shared(Backend::Docker)?;
        let mut own = config(Backend::Docker);
        own.instance = format!("{name}-{}", std::process::id());
        (own.pool_size, own.runtimes) = (1, vec!["python".into()]);
        let label = format!("label=promptcraft.instance={}", own.instance);
        Some(Self { sandbox: RUNTIME.block_on(sandbox::open(own)).expect("opens"), label })
    }

    async fn wait_until_warm(&self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while self.sandbox.health().await.warm == 0 {
            assert!(tokio::time::Instant::now() < deadline, "no container was started ahead");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Returns a job of a new owner.
    fn stranger(&self, level: IsolationLevel, name: &str, source: &str) -> Job {
        let command = sandbox::Command::Script { path: name.into() };
        Job { owner: Owner::new(uuid::Uuid::new_v4().to_string()), ..job(level, command, &[(name, source)]) }
    }

    async fn warm_run(&self, level: IsolationLevel, name: &str, source: &str) -> JobResult {
        self.wait_until_warm().await;
        run(&*self.sandbox, self.stranger(level, name, source)).await
    }

    fn living(&self) -> Vec<String> {
        living(&self.label)
    }

    async fn wait_until_removed(&self) {
        wait_until(|| self.living().is_empty(), "a container was kept").await;
    }
}

fn living(label: &str) -> Vec<String> {
    docker(&["ps", "-aq", "--filter", label]).split_whitespace().map(str::to_owned).collect()
}

fn of(owner: &str, source: &str) -> Job {
    Job { owner: Owner::new(owner), ..script_job(IsolationLevel::Standard, source) }
}

const LEAVE: &str = r#"
import os, pathlib
for folder in ("/work", "/work/job", "/work/tmp", "/dev/shm"):
    pathlib.Path(folder, "left").write_text("secret")
    os.makedirs(folder + "/deep/er", exist_ok=True)
    os.symlink("/etc", folder + "/link")
    os.mkfifo(folder + "/fifo")
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        hold = open("/work/job/held", "w"); os.unlink("/work/job/held"); hold.write("x" * 100_000); hold.flush()
        import time; time.sleep(60)
    os._exit(0)
os.chmod("/dev/shm", 0o500)
print("left")
"#;

const LOOK: &str = r#"
import os
print(sorted(os.listdir("/work")), sorted(os.listdir("/work/job")), os.listdir("/work/tmp"))
print([pid for pid in range(1, 400) if pid not in (1, os.getpid()) and os.path.exists(f"/proc/{pid}")])
print([os.statvfs(folder).f_files - os.statvfs(folder).f_ffree for folder in ("/work", "/dev/shm")])
print(os.listdir("/dev/shm"), oct(os.stat("/dev/shm").st_mode))
"#;

#[test]
fn an_owner_meets_its_container_again_with_nothing_in_it() {
    let Some(own) = ReuseSandbox::open("again", 20) else { return };
    RUNTIME.block_on(async {
        let fresh = run(&*own.sandbox, of("ada", LOOK)).await;
        let first = own.living();
        assert_eq!(first.len(), 1, "the container is kept");
        assert_eq!(text(&run(&*own.sandbox, of("ada", LEAVE)).await.stdout), "left\n");
        assert_eq!(own.living(), first, "the second job met the same container");
        let looked = run(&*own.sandbox, of("ada", LOOK)).await;
        assert_eq!((text(&looked.stdout), text(&looked.stderr)), (text(&fresh.stdout), ""));
        assert_eq!(own.living(), first, "and so did the third");
        assert!(looked.usage.max_rss_bytes < 40 << 20, "{:?}", looked.usage);
        run(&*own.sandbox, of("bob", LOOK)).await;
        assert_eq!(own.living().len(), 2, "another owner gets another container");
        let strict = Job { level: IsolationLevel::Strict, ..of("ada", LOOK) };
        run(&*own.sandbox, strict).await;
        wait_until(|| own.living().len() == 2, "a strict job's container is kept").await;
        own.sandbox.shutdown().await;
        own.wait_until_removed().await;
    });
}

#[test]
fn usage_is_that_of_one_job_alone() {
    let Some(own) = ReuseSandbox::open("usage", 20) else { return };
    RUNTIME.block_on(async {
        let heavy = "held = bytearray(120 << 20)\nfor n in range(3_000_000): pass\n";
        let first = run(&*own.sandbox, of("ada", heavy)).await.usage;
        assert!(first.max_rss_bytes > 120 << 20, "{first:?}");
        let second = run(&*own.sandbox, of("ada", "pass")).await.usage;
        assert_eq!(own.living().len(), 1);
        assert!(second.max_rss_bytes < 60 << 20 && second.cpu_ms < first.cpu_ms, "{second:?}");
        own.sandbox.shutdown().await;
    });
}

#[test]
fn a_container_ends_after_its_jobs_or_after_a_bad_one() {
    let Some(own) = ReuseSandbox::open("bounded", 2) else { return };
    RUNTIME.block_on(async {
        run(&*own.sandbox, of("ada", "pass")).await;
        assert_eq!(own.living().len(), 1);
        run(&*own.sandbox, of("ada", "pass")).await;
        own.wait_until_removed().await;
        let mut slow = of("ada", "while True: pass");
        slow.limits.wall = Duration::from_millis(300);
        assert_eq!(run(&*own.sandbox, slow).await.outcome, Outcome::TimedOut);
        own.wait_until_removed().await;
        let stubborn = "import os\nos.makedirs('/work/job/shut/in')\nos.chmod('/work/job/shut', 0)\n";
        assert_eq!(run(&*own.sandbox, of("ada", stubborn)).await.exit_code, Some(0));
        own.wait_until_removed().await;
        assert_eq!(run(&*own.sandbox, of("ada", "import os; os.kill(os.getpid(), 9)")).await.signal, Some(9));
        own.wait_until_removed().await;
        own.sandbox.shutdown().await;
    });
}

/// Prints what a program can observe of its start.
const SHOW: &str = r#"
import sys, os, traceback
name = os.path.basename(__file__)
print(sys.argv[0] == "./" + name, __file__ == "/work/job/" + name, __name__, __spec__, __builtins__ is not None)
print(sys.path[0], sys.orig_argv[:-1], sys.flags, sys.warnoptions)
print(sorted(os.environ.items()), os.getcwd(), repr(sys.stdin.read()), sys.stdin.fileno(), os.isatty(0))
print(sorted(m for m in sys.modules), sorted(globals()))
import resource
print([resource.getrlimit(getattr(resource, limit)) for limit in sorted(dir(resource)) if limit.startswith("RLIMIT")])
print(os.umask(0), os.getpriority(os.PRIO_PROCESS, 0))
raise ValueError("shown")
"#;

#[test]
fn a_started_interpreter_serves_its_job_and_shows_nothing_of_the_wait() {
    let Some(own) = ReuseSandbox::open_warm("ahead") else { return };
    RUNTIME.block_on(async {
        let ahead = own.warm_run(IsolationLevel::Standard, "main.py", SHOW).await;
        // Only the usual script name is prestarted.
        let fresh = own.warm_run(IsolationLevel::Standard, "othr.py", SHOW).await;
        assert_eq!(text(&ahead.stdout), text(&fresh.stdout));
        assert_eq!(text(&ahead.stderr), text(&fresh.stderr).replace("othr.py", "main.py"));
        assert!(text(&ahead.stderr).contains("ValueError: shown"), "{ahead:?}");
        own.sandbox.shutdown().await;
    });
}

#[test]
fn a_started_interpreter_has_the_walls_of_its_job() {
    let Some(own) = ReuseSandbox::open_warm("walls") else { return };
    RUNTIME.block_on(async {
        let fork =
            "import os\ntry: os.fork() or os._exit(0); print('forked')\nexcept OSError as error: print(error.errno)\n";
        for (level, expect) in [(IsolationLevel::Standard, "forked\n"), (IsolationLevel::Strict, "1\n")] {
            assert_eq!(text(&own.warm_run(level, "main.py", fork).await.stdout), expect, "{level:?}");
        }
        let mut limited = own.stranger(IsolationLevel::Standard, "main.py", "while True: pass");
        limited.limits.cpu = Duration::from_secs(1);
        limited.limits.wall = Duration::from_secs(120);
        own.wait_until_warm().await;
        let result = run(&*own.sandbox, limited).await;
        assert!(result.outcome == Outcome::OutOfCpu && result.usage.cpu_ms < 3_000, "{result:?}");
        own.sandbox.shutdown().await;
    });
}
