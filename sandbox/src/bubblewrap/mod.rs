//! The backend that needs no service: one bubblewrap sandbox for each job, started when the job comes.
//!
//! What bubblewrap has, Docker's containers have too, and the runner adds the same inner walls to both. What is
//! weaker here: without permission for cgroups the runner itself watches memory and processes, less exactly.

mod cgroup;
mod command;
mod spawner;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use runner::cgroup::Counters;
use runner::protocol::Ready;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr};
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
use crate::job::{Job, Limits, SecurityLevel};
use crate::result::{Health, JobResult, Outcome};
use crate::runtime::{self, Metering, roots};
use crate::session::transport::{RunnerTransport, handshake};
use crate::session::{self, SessionEnd};

/// A sandbox that is not ready after this long will not be.
const READY_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct BubblewrapSandbox {
    launcher: Launcher,
    roots: BTreeMap<String, PathBuf>,
    tools: BTreeMap<String, PathBuf>,
    versions: BTreeMap<String, String>,
    spawner: Spawner,
    cgroups: Option<Cgroups>,
    weakness: String,
    concurrency: ConcurrencyLimit,
    landlock_abi: u32,
    minimum_landlock_abi: u32,
    background: BackgroundTasks,
}

/// A started sandbox; dropping it kills everything in it.
struct RunningSandbox {
    /// Until the drop.
    child: Option<Child>,
    stderr: Option<ChildStderr>,
    cgroup: Option<JobCgroup>,
    background: BackgroundTasks,
}

impl BubblewrapSandbox {
    /// Finds the roots, then starts one empty sandbox to see that all walls stand.
    pub(crate) async fn open(config: &SandboxConfig) -> Result<Arc<Self>, SandboxError> {
        let roots = roots::resolve(&config.roots_dir, &config.runtimes)?;
        let launcher = Launcher::find(config.runner_path.clone())?;
        let unavailable = |error: std::io::Error| SandboxError::retry("sandbox_unavailable", error.to_string());
        let background = BackgroundTasks::new();
        let (cgroups, weakness) = match Cgroups::open(background.clone()) {
            Ok(cgroups) => (Some(cgroups), String::new()),
            Err(error) => {
                tracing::warn!(%error, "no cgroup for jobs: the runner itself watches memory and processes, less exactly");
                (None, format!("no cgroups ({error}): the runner itself watches memory and processes, less exactly"))
            }
        };
        let mut sandbox = Self {
            launcher,
            roots,
            tools: roots::tools(&config.roots_dir),
            versions: roots::versions(&config.roots_dir, &config.runtimes),
            spawner: Spawner::start().map_err(unavailable)?,
            cgroups,
            weakness,
            concurrency: ConcurrencyLimit::new(config.concurrency),
            landlock_abi: 0,
            minimum_landlock_abi: config.minimum_landlock_abi,
            background,
        };
        let probe = Limits::for_level(SecurityLevel::Strict, Duration::from_secs(1));
        for name in &config.runtimes {
            sandbox.landlock_abi = sandbox.start(name, &probe).await?.2.landlock_abi;
        }
        if sandbox.landlock_abi < config.minimum_landlock_abi {
            return Err(SandboxError::fail(
                "landlock_unavailable",
                format!(
                    "the kernel offers Landlock {}, the configured minimum is {}: use a newer kernel or lower it",
                    sandbox.landlock_abi, config.minimum_landlock_abi
                ),
            ));
        }
        Ok(Arc::new(sandbox))
    }

    async fn start(
        &self,
        runtime: &str,
        limits: &Limits,
    ) -> Result<(RunningSandbox, RunnerTransport, Ready), SandboxError> {
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            SandboxError::retry("sandbox_unavailable", format!("{what}: {error}"))
        };
        let root = self.roots.get(runtime).or_else(|| self.tools.get(runtime)).ok_or_else(roots::unknown_runtime)?;
        let cgroup = self.cgroups.as_ref().map(|cgroups| cgroups.create(limits)).transpose();
        let cgroup = cgroup.map_err(|error| failed("cannot make the job's cgroup", &error))?;
        let command = self.launcher.command(root, limits, cgroup.as_ref());
        let mut child = match self.spawner.spawn(command).await {
            Ok(child) => child,
            Err(error) => return Err(failed("cannot start the sandbox", &error)),
        };
        let pipes = child.stdin.take().zip(child.stdout.take());
        let stderr = child.stderr.take();
        let mut running = RunningSandbox { child: Some(child), stderr, cgroup, background: self.background.clone() };
        let (input, output) = pipes.ok_or_else(|| failed("cannot start the sandbox", &"it has no pipes"))?;
        let mut transport = RunnerTransport { writer: Box::pin(input), reader: Box::pin(output) };
        match timeout(READY_TIMEOUT, handshake(&mut transport.reader)).await {
            Ok(Ok(ready)) => Ok((running, transport, ready)),
            Ok(Err(error)) => {
                Err(failed(&with_stderr("the sandbox does not start", &running.stderr_text().await), &error))
            }
            Err(_) => Err(failed("the sandbox does not start", &"no answer from the runner in 10 s")),
        }
    }

    async fn run_permitted(
        &self,
        mut job: Job,
        cancel: &CancellationToken,
        called: Instant,
    ) -> Result<JobResult, SandboxError> {
        let runtime = runtime::find_for_job(&job.runtime).ok_or_else(roots::unknown_runtime)?;
        runtime.check(&job.command)?;
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
        let ended = session::run_session(&mut transport, frame, cancel).await?;
        let host_counters = running.counters();
        drop(running);
        match ended {
            SessionEnd::Finished(finished) => Ok(JobResult::from_frame(&job, *finished, host_counters, wait)),
            SessionEnd::Cancelled => Ok(JobResult::without_frame(&job, Outcome::Cancelled, wait, began.elapsed())),
            // The kernel may take the runner itself when nothing in the job is larger.
            SessionEnd::Disconnected if host_counters.oom_kills.is_some_and(|kills| kills > 0) => {
                Ok(JobResult::without_frame(&job, Outcome::OomKilled, wait, began.elapsed()))
            }
            SessionEnd::Disconnected => {
                Err(SandboxError::retry("runner_lost", "the sandbox went away without a result"))
            }
            // No reason to run it again: its time was over, and it may be the job that keeps the runner from saying so.
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

    async fn health(&self) -> Health {
        let closed = self.concurrency.closing().is_cancelled();
        let detail = if closed { "closed".into() } else { self.weakness.clone() };
        Health {
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

    async fn shutdown(&self) {
        self.concurrency.close();
        self.concurrency.drained().await;
        self.background.wait().await;
    }
}

impl RunningSandbox {
    fn counters(&self) -> Counters {
        self.cgroup.as_ref().map(JobCgroup::counters).unwrap_or_default()
    }

    /// What bubblewrap or the runner with_stderr before it went away; no job has run, so it is nobody's code that speaks.
    async fn stderr_text(&mut self) -> String {
        const MAX_BYTES: u64 = 2000;
        const READ_TIMEOUT: Duration = Duration::from_secs(1);
        let mut text = Vec::new();
        if let Some(stderr) = self.stderr.take()
            && let Err(error) = timeout(READ_TIMEOUT, stderr.take(MAX_BYTES).read_to_end(&mut text)).await
        {
            tracing::debug!(%error, "the failed sandbox does not close its stderr");
        }
        String::from_utf8_lossy(&text).trim().replace('\n', "; ")
    }
}

/// What failed, with the stderr_text about it where there is one.
fn with_stderr(what: &str, stderr_text: &str) -> String {
    if stderr_text.is_empty() { what.to_owned() } else { format!("{what}: {stderr_text}") }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        drop(self.background.spawn(async move {
            if let Err(error) = child.kill().await {
                tracing::debug!(%error, "the sandbox had ended");
            }
        }));
    }
}
