//! The benchmark jobs and sandboxes.

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sandbox::{Backend, Command, IsolationLevel, Job, JobFile, Limits, Owner, Sandbox, SandboxConfig};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// The settings that differ between rows.
pub(crate) struct Setup {
    pub(crate) backend: Backend,
    pub(crate) name: &'static str,
    pub(crate) pool_size: usize,
    pub(crate) concurrency: usize,
    pub(crate) prestart: Option<IsolationLevel>,
}

impl Setup {
    pub(crate) fn usual(name: &'static str) -> Self {
        Self { backend: Backend::Docker, name, pool_size: 2, concurrency: 4, prestart: None }
    }

    pub(crate) fn instance(&self) -> String {
        format!("bench-{}-{}", self.name, std::process::id())
    }
}

pub(crate) async fn open(setup: Setup) -> Arc<dyn Sandbox> {
    let config = SandboxConfig {
        backend: setup.backend,
        docker_host: None,
        roots_dir: roots(),
        runtimes: vec!["python".into()],
        pool_size: setup.pool_size,
        prestart: setup.prestart,
        jobs_per_container: 20,
        docker_runtime: None,
        concurrency: setup.concurrency,
        runner_path: None,
        minimum_landlock_abi: 1,
        instance: setup.instance(),
    };
    sandbox::open(config).await.expect("the sandbox opens")
}

/// Returns the roots folder; builds the roots if they are missing.
pub(crate) fn roots() -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    #[expect(clippy::disallowed_methods, reason = "the roots folder is the only setting of a bench")]
    let roots = std::env::var("SANDBOX_ROOTS").map_or_else(|_| repository.join("target/sandbox-roots"), PathBuf::from);
    let built =
        Process::new(repository.join("sandbox/build-root.sh")).args([roots.as_path(), Path::new("python")]).status();
    assert!(built.is_ok_and(|status| status.success()), "sandbox/build-root.sh failed; its message is above");
    roots
}

fn job(level: IsolationLevel, owner: &str, source: &str, wall: Duration) -> Job {
    Job {
        owner: Owner::new(owner),
        level,
        runtime: "python".into(),
        command: Command::Script { path: "main.py".into() },
        files: vec![JobFile { path: "main.py".into(), content: source.into() }],
        input: sandbox::JobInput::default(),
        limits: Limits::for_level(level, wall),
        live_output: None,
    }
}

/// Returns the trivial job; its floor without a sandbox is in `floors.rs`.
pub(crate) fn hello(level: IsolationLevel, owner: &str) -> Job {
    job(level, owner, "print('hello')\n", Duration::from_secs(20))
}

/// Returns a job that leaves three files of 100 KB in a folder; only those in `outputs` are collected.
pub(crate) fn writing(folder: &str, owner: &str) -> Job {
    let source = format!(
        "import os\nos.mkdir('{folder}')\nfor n in range(3): open(f'{folder}/{{n}}', 'wb').write(os.urandom(102400))\nprint('hello')\n"
    );
    job(IsolationLevel::Strict, owner, &source, Duration::from_secs(20))
}

pub(crate) fn spin(owner: &str, wall: Duration) -> Job {
    job(IsolationLevel::Strict, owner, "while True: pass\n", wall)
}

/// Returns a job of about 150 ms of CPU time.
pub(crate) fn compute(owner: &str) -> Job {
    job(IsolationLevel::Strict, owner, "for n in range(4_000_000): pass\nprint('hello')\n", Duration::from_secs(20))
}

/// Measures the milliseconds from the call to the result.
pub(crate) async fn time(sandbox: &dyn Sandbox, job: Job) -> f64 {
    let called = Instant::now();
    let result = sandbox.run(job, CancellationToken::new()).await.expect("runs");
    let took = called.elapsed().as_secs_f64() * 1e3;
    assert_eq!(result.stdout, b"hello\n");
    took
}

/// Waits until `count` containers are warm.
pub(crate) async fn warm(sandbox: &dyn Sandbox, count: usize) {
    while sandbox.health().await.warm < count {
        sleep(Duration::from_millis(10)).await;
    }
}

/// Measures jobs per second with this number of clients.
pub(crate) async fn rate(
    sandbox: &Arc<dyn Sandbox>,
    level: IsolationLevel,
    (count, span): (usize, Duration),
    owner: fn(usize) -> String,
) -> f64 {
    let (began, done) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (sandbox, done) = (Arc::clone(sandbox), Arc::clone(&done));
        clients.spawn(async move {
            while began.elapsed() < span {
                let number = done.fetch_add(1, Ordering::Relaxed);
                time(&*sandbox, hello(level, &owner(number))).await;
            }
        });
    }
    clients.join_all().await;
    per_second(done.load(Ordering::Relaxed), began.elapsed())
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub(crate) fn per_second(count: usize, span: Duration) -> f64 {
    count as f64 / span.as_secs_f64()
}
