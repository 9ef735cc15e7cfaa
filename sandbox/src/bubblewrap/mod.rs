//! The bubblewrap backend: one sandbox per job, started on demand. It needs no service.
//!
//! It has the same isolation layers as the Docker backend, and the runner adds the same inner ones. One is weaker:
//! without permission to create cgroups the runner itself monitors memory and processes, less precisely. Where the
//! kernel refuses a private `/proc`, as in most containers, jobs have none.

mod cgroup;
mod command;
mod spawner;
mod walls;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use runner::cgroup::CgroupCounters;
use runner::protocol::Ready;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::Sandbox;
use crate::background_tasks::BackgroundTasks;
use crate::bubblewrap::cgroup::{Cgroups, JobCgroup};
use crate::bubblewrap::command::Launcher;
use crate::bubblewrap::spawner::Spawner;
use crate::concurrency::ConcurrencyLimit;
use crate::config::SandboxConfig;
use crate::error::SandboxError;
use crate::job::{IsolationLevel, Job, Limits};
use crate::result::{JobResult, Outcome, SandboxHealth};
use crate::runtime::{self, Library, Metering, roots};
use crate::session::transport::{FrameReader, HandshakeError, RunnerTransport, handshake};
use crate::session::{self, SessionEnd};

/// Timeout for a new sandbox to become ready.
const READY_TIMEOUT: Duration = Duration::from_secs(10);
/// Concurrent starts for each processor. They mostly compute, so that more of them would delay each other.
const STARTS_PER_PROCESSOR: usize = 2;
/// Time after which a start counts no longer, so that a root on a stalled disk does not keep the others from starting.
const TURN_TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) struct BubblewrapSandbox {
    launcher: Launcher,
    roots: BTreeMap<String, PathBuf>,
    tools: BTreeMap<String, PathBuf>,
    versions: BTreeMap<String, String>,
    libraries: BTreeMap<String, Vec<Library>>,
    spawner: Spawner,
    /// One permit for each start of the last second.
    starts: Semaphore,
    cgroups: Option<Cgroups>,
    /// The error that left the worker without cgroups.
    no_cgroups: Option<String>,
    concurrency: ConcurrencyLimit,
    landlock_abi: u32,
    minimum_landlock_abi: u32,
    background: BackgroundTasks,
}

/// A started sandbox; dropping it kills every process in it.
struct RunningSandbox {
    /// `None` only during the drop.
    child: Option<Child>,
    stderr: Option<ChildStderr>,
    cgroup: Option<JobCgroup>,
    background: BackgroundTasks,
}

impl BubblewrapSandbox {
    /// Resolves the roots, then starts one empty sandbox per runtime to prove that the isolation works.
    pub(crate) async fn open(config: &SandboxConfig) -> Result<Arc<Self>, SandboxError> {
        walls::check_process_id(std::process::id())?;
        let roots = roots::resolve(&config.roots_dir, &config.runtimes)?;
        let launcher = Launcher::find(config.runner_path.clone())?;
        let unavailable = |error: std::io::Error| SandboxError::retry("sandbox_unavailable", error.to_string());
        let background = BackgroundTasks::new();
        let (cgroups, no_cgroups) = match Cgroups::open(background.clone()) {
            Ok(cgroups) => (Some(cgroups), None),
            Err(error) => {
                tracing::warn!(%error, "Cannot create cgroups; the runner monitors memory and processes instead");
                (None, Some(error.to_string()))
            }
        };
        let mut sandbox = Self {
            launcher,
            roots,
            tools: roots::tools(&config.roots_dir),
            versions: roots::versions(&config.roots_dir, &config.runtimes),
            libraries: roots::libraries(&config.roots_dir, &config.runtimes),
            spawner: Spawner::start().map_err(unavailable)?,
            starts: Semaphore::new(STARTS_PER_PROCESSOR * thread::available_parallelism().map_or(1, NonZero::get)),
            cgroups,
            no_cgroups,
            concurrency: ConcurrencyLimit::new(config.concurrency),
            landlock_abi: 0,
            minimum_landlock_abi: config.minimum_landlock_abi,
            background,
        };
        sandbox.prove_isolation(&config.runtimes).await?;
        if sandbox.landlock_abi < config.minimum_landlock_abi {
            return Err(SandboxError::fail(
                "landlock_unavailable",
                format!(
                    "the kernel has Landlock ABI {}, the configured minimum is {}; \
                     use a newer kernel or lower sandbox.minimum_landlock_abi",
                    sandbox.landlock_abi, config.minimum_landlock_abi
                ),
            ));
        }
        Ok(Arc::new(sandbox))
    }

    /// Starts one empty sandbox per runtime, without a private `/proc` if the kernel refuses it.
    async fn prove_isolation(&mut self, runtimes: &[String]) -> Result<(), SandboxError> {
        let probe = Limits::for_level(IsolationLevel::Strict, Duration::from_secs(1));
        for name in runtimes {
            let started = match self.start(name, &probe).await {
                Err(error) if self.launcher.own_proc && walls::is_proc_refusal(&error) => {
                    tracing::warn!("The kernel refuses a private /proc here; jobs run without /proc and /dev/fd");
                    self.launcher.own_proc = false;
                    self.start(name, &probe).await
                }
                started => started,
            };
            self.landlock_abi = started.map_err(walls::with_hint)?.2.landlock_abi;
        }
        Ok(())
    }

    async fn start(
        &self,
        runtime: &str,
        limits: &Limits,
    ) -> Result<(RunningSandbox, RunnerTransport, Ready), SandboxError> {
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            SandboxError::retry("sandbox_unavailable", format!("{what}: {error}"))
        };
        let permit = self.starts.acquire().await.map_err(|error| failed("cannot start the sandbox", &error))?;
        let root = self.roots.get(runtime).or_else(|| self.tools.get(runtime)).ok_or_else(roots::unknown_runtime)?;
        let cgroup = self.cgroups.as_ref().map(|cgroups| cgroups.create(limits)).transpose();
        let cgroup = cgroup.map_err(|error| failed("cannot create the job's cgroup", &error))?;
        let command = self.launcher.command(root, limits, runtime::executes_written_programs(runtime), cgroup.as_ref());
        let mut child = match self.spawner.spawn(command).await {
            Ok(child) => child,
            Err(error) => return Err(failed("cannot start the sandbox", &error)),
        };
        let pipes = child.stdin.take().zip(child.stdout.take());
        let stderr = child.stderr.take();
        let mut running = RunningSandbox { child: Some(child), stderr, cgroup, background: self.background.clone() };
        let (input, output) = pipes.ok_or_else(|| failed("cannot start the sandbox", &"its pipes are missing"))?;
        let mut transport = RunnerTransport { writer: Box::pin(input), reader: Box::pin(output) };
        match wait_until_ready(&mut transport.reader, permit).await {
            Ok(Ok(ready)) => Ok((running, transport, ready)),
            Ok(Err(error)) => {
                Err(failed(&with_stderr("the sandbox did not start", &running.stderr_text().await), &error))
            }
            Err(_) => Err(failed("the sandbox did not start", &"the runner sent no ready frame within 10 s")),
        }
    }

    async fn run_permitted(
        &self,
        mut job: Job,
        cancel: &CancellationToken,
        called: Instant,
    ) -> Result<JobResult, SandboxError> {
        let runtime = runtime::find_for_job(&job.runtime).ok_or_else(roots::unknown_runtime)?;
        runtime.check(&job.command, &job.input)?;
        let started = tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            started = self.start(&job.runtime, &job.limits) => Some(started?),
        };
        let wait = called.elapsed();
        let Some((running, mut transport, _)) = started else {
            return Ok(JobResult::without_frame(&job, Outcome::Cancelled, wait, Duration::ZERO));
        };
        let metering = if running.cgroup.is_some() { Metering::Cgroup } else { Metering::Runner };
        let frame = runtime.frame(&mut job, metering, self.minimum_landlock_abi);
        let began = Instant::now();
        let ended = session::run_session(&mut transport, frame, job.live_output.as_ref(), cancel).await?;
        let host_counters = running.counters();
        drop(running);
        match ended {
            SessionEnd::Finished(finished, files) => {
                Ok(JobResult::from_frames(&job, *finished, files, host_counters, wait))
            }
            SessionEnd::Cancelled => Ok(JobResult::without_frame(&job, Outcome::Cancelled, wait, began.elapsed())),
            // The kernel may kill the runner if no process of the job is larger.
            SessionEnd::Disconnected if host_counters.oom_kills.is_some_and(|kills| kills > 0) => {
                Ok(JobResult::without_frame(&job, Outcome::OomKilled, wait, began.elapsed()))
            }
            SessionEnd::Disconnected => Err(SandboxError::retry("runner_lost", "the sandbox ended without a result")),
            // Not retried: its time is over, and the job itself may be the reason for the runner's silence.
            SessionEnd::Unresponsive => Ok(JobResult::without_frame(&job, Outcome::TimedOut, wait, began.elapsed())),
        }
    }
}

#[async_trait]
impl Sandbox for BubblewrapSandbox {
    async fn run(&self, job: Job, cancel: CancellationToken) -> Result<JobResult, SandboxError> {
        job.check()?;
        let called = Instant::now();
        match self.concurrency.acquire(&cancel).await? {
            Some(permit) => permit.run(&cancel, self.run_permitted(job, &permit.cancel, called)).await,
            None => Ok(JobResult::without_frame(&job, Outcome::Cancelled, called.elapsed(), Duration::ZERO)),
        }
    }

    async fn health(&self) -> SandboxHealth {
        let closed = self.concurrency.closing().is_cancelled();
        let held = || walls::describe(self.no_cgroups.as_deref(), self.launcher.own_proc);
        let detail = if closed { "closed".into() } else { held() };
        SandboxHealth {
            backend: "bubblewrap".into(),
            ok: !closed,
            detail,
            landlock_abi: self.landlock_abi,
            runtimes: self.runtimes(),
            warm: 0,
        }
    }

    fn runtimes(&self) -> Vec<String> {
        self.roots.keys().cloned().collect()
    }

    fn version(&self, runtime: &str) -> Option<&str> {
        self.versions.get(runtime).map(String::as_str)
    }

    fn libraries(&self, runtime: &str) -> &[Library] {
        self.libraries.get(runtime).map_or(&[], Vec::as_slice)
    }

    async fn shutdown(&self) {
        self.concurrency.close();
        self.concurrency.drained().await;
        self.background.wait().await;
    }
}

impl RunningSandbox {
    fn counters(&self) -> CgroupCounters {
        self.cgroup.as_ref().map(JobCgroup::counters).unwrap_or_default()
    }

    /// Reads what bubblewrap or the runner wrote to stderr. No job has run, so the text is trusted.
    async fn stderr_text(&mut self) -> String {
        const MAX_BYTES: u64 = 2000;
        const READ_TIMEOUT: Duration = Duration::from_secs(1);
        let mut text = Vec::new();
        if let Some(stderr) = self.stderr.take()
            && let Err(error) = timeout(READ_TIMEOUT, stderr.take(MAX_BYTES).read_to_end(&mut text)).await
        {
            tracing::debug!(%error, "Timed out reading stderr of a failed sandbox");
        }
        String::from_utf8_lossy(&text).trim().replace('\n', "; ")
    }
}

/// Waits for the runner of a new sandbox, at most [`TURN_TIMEOUT`] of it with the permit.
async fn wait_until_ready(
    reader: &mut FrameReader,
    permit: SemaphorePermit<'_>,
) -> Result<Result<Ready, HandshakeError>, Elapsed> {
    let mut ready = pin!(timeout(READY_TIMEOUT, handshake(reader)));
    let soon = timeout(TURN_TIMEOUT, &mut ready).await;
    drop(permit);
    match soon {
        Ok(ready) => ready,
        Err(_) => ready.await,
    }
}

/// Appends the stderr text to a message if there is any.
fn with_stderr(what: &str, stderr_text: &str) -> String {
    if stderr_text.is_empty() { what.to_owned() } else { format!("{what}: {stderr_text}") }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        drop(self.background.spawn(async move {
            if let Err(error) = child.kill().await {
                tracing::debug!(%error, "The sandbox had already exited");
            }
        }));
    }
}
