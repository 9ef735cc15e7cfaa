//! Measures the time from the call to the result of a job: `job_latency ROOTS_DIR docker|bubblewrap [COUNT]`.

use std::path::PathBuf;
use std::time::Duration;

use sandbox::{Backend, Command, IsolationLevel, Job, JobFile, Limits, Owner, SandboxConfig};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: job_latency ROOTS_DIR docker|bubblewrap [COUNT]";
    let roots_dir = PathBuf::from(arguments.next().ok_or(usage)?);
    let backend = match arguments.next().as_deref() {
        Some("docker") => Backend::Docker,
        Some("bubblewrap") => Backend::Bubblewrap,
        _ => return Err(usage.into()),
    };
    let count: usize = arguments.next().map_or(Ok(50), |count| count.parse())?;
    let sandbox = sandbox::open(config(roots_dir, backend)).await?;
    let (mut waits, mut totals, mut walls) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count {
        // Wait for the pool, so that a warm start is measured.
        while backend == Backend::Docker && sandbox.health().await.warm < 2 {
            sleep(Duration::from_millis(20)).await;
        }
        let called = Instant::now();
        let result = sandbox.run(hello(), CancellationToken::new()).await?;
        totals.push(called.elapsed());
        waits.push(result.wait);
        walls.push(Duration::from_millis(result.usage.wall_ms));
        if result.stdout != b"hello\n" {
            return Err(format!("unexpected result: {:?} {}", result.outcome, result.stderr.len()).into());
        }
    }
    show("whole call", totals);
    show("of it, until a sandbox is ready", waits);
    show("of it, python itself", walls);
    sandbox.shutdown().await;
    Ok(())
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let (median, p95) = (times[times.len() / 2], times[times.len() * 95 / 100]);
    println!("{what}: median {:.1} ms, p95 {:.1} ms", median.as_secs_f64() * 1e3, p95.as_secs_f64() * 1e3);
}

fn hello() -> Job {
    let level = IsolationLevel::Standard;
    Job {
        owner: Owner::new("bench"),
        level,
        runtime: "python".into(),
        command: Command::Script { path: "main.py".into() },
        files: vec![JobFile { path: "main.py".into(), content: b"print('hello')\n".to_vec() }],
        input: sandbox::JobInput::default(),
        limits: Limits::for_level(level, Duration::from_secs(10)),
        live_output: None,
    }
}

fn config(roots_dir: PathBuf, backend: Backend) -> SandboxConfig {
    SandboxConfig {
        backend,
        docker_host: None,
        roots_dir,
        runtimes: vec!["python".into()],
        pool_size: 2,
        prestart: Some(IsolationLevel::Standard),
        jobs_per_container: 1,
        docker_runtime: None,
        concurrency: 2,
        runner_path: None,
        minimum_landlock_abi: 1,
        instance: format!("bench-{}", std::process::id()),
    }
}
