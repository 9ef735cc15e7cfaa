//! The Docker backend. Containers are pre-started, and used once or, at level `standard`, reused by the same owner
//! after a wipe.

mod container;
mod container_spec;
mod engine;
mod pool;
mod reaper;
mod reuse_pool;
mod seccomp_profile;
mod watchdog;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use runner::cgroup::CgroupCounters;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::Sandbox;
use crate::background_tasks::BackgroundTasks;
use crate::concurrency::ConcurrencyLimit;
use crate::config::SandboxConfig;
use crate::docker::container::Container;
use crate::docker::container_spec::ContainerSpec;
use crate::docker::engine::Engine;
use crate::docker::pool::{Prestart, WarmPool};
use crate::docker::reuse_pool::ReusePool;
use crate::error::SandboxError;
use crate::job::Job;
use crate::result::{JobResult, Outcome, SandboxHealth};
use crate::runtime::{self, Library, Metering, roots};
use crate::session::{self, SessionEnd};

pub(crate) struct DockerSandbox {
    pool: Arc<WarmPool>,
    reuse_pool: Arc<ReusePool>,
    concurrency: Arc<ConcurrencyLimit>,
    background: BackgroundTasks,
    landlock_abi: u32,
    minimum_landlock_abi: u32,
    runtimes: Vec<String>,
    versions: BTreeMap<String, String>,
    libraries: BTreeMap<String, Vec<Library>>,
}

impl DockerSandbox {
    /// Connects to the engine, removes orphaned containers, and starts one container per runtime to prove that the
    /// isolation works.
    pub(crate) async fn open(config: &SandboxConfig) -> Result<Arc<Self>, SandboxError> {
        let background = BackgroundTasks::new();
        let engine = Arc::new(Engine::connect(config, background.clone()).await?);
        engine.reap_orphans().await;
        let concurrency = Arc::new(ConcurrencyLimit::new(config.concurrency));
        let specs: Vec<_> = config.runtimes.iter().map(|runtime| ContainerSpec::standard(runtime)).collect();
        let prestart = Prestart { level: config.prestart, minimum_landlock_abi: config.minimum_landlock_abi };
        let pool = Arc::new(WarmPool::new(engine, specs.clone(), config.pool_size, prestart, Arc::clone(&concurrency)));
        let mut landlock_abi = 0;
        for container in try_join_all(specs.into_iter().map(|spec| pool.create_warm(spec))).await? {
            landlock_abi = container.ready.landlock_abi;
            if landlock_abi < config.minimum_landlock_abi {
                return Err(landlock_too_old(landlock_abi, config.minimum_landlock_abi));
            }
            pool.put(container);
        }
        drop(background.spawn(Arc::clone(&pool).refill()));
        let reuse_pool = Arc::new(ReusePool::new(config.concurrency, config.jobs_per_container));
        drop(background.spawn(evict_idle(Arc::clone(&reuse_pool), concurrency.closing().clone())));
        Ok(Arc::new(Self {
            pool,
            reuse_pool,
            concurrency,
            background,
            landlock_abi,
            minimum_landlock_abi: config.minimum_landlock_abi,
            runtimes: config.runtimes.clone(),
            versions: roots::versions(&config.roots_dir, &config.runtimes),
            libraries: roots::libraries(&config.roots_dir, &config.runtimes),
        }))
    }

    /// Takes the owner's idle container, else a warm one, else starts a new one.
    async fn take(&self, job: &Job) -> Result<Container, SandboxError> {
        match self.reuse_pool.take(job).await {
            Some(container) => Ok(container),
            None => self.pool.take(ContainerSpec::for_job(job)).await,
        }
    }

    async fn run_permitted(
        &self,
        mut job: Job,
        cancel: &CancellationToken,
        called: Instant,
    ) -> Result<JobResult, SandboxError> {
        let runtime = runtime::find_for_job(&job.runtime)
            .filter(|runtime| self.pool.engine().offers(&runtime.name))
            .ok_or_else(roots::unknown_runtime)?;
        runtime.check(&job.command, &job.input)?;
        let container = tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            container = self.take(&job) => Some(container?),
        };
        let wait = called.elapsed();
        self.pool.record_dispatch();
        let Some(mut container) = container else {
            return Ok(JobResult::without_frame(&job, Outcome::Cancelled, wait, Duration::ZERO));
        };
        let mut frame = runtime.frame(&mut job, Metering::Cgroup, self.minimum_landlock_abi);
        frame.reusable = self.reuse_pool.may_reuse(&job, container.jobs_served);
        let (reusable, began) = (frame.reusable, Instant::now());
        // The owner's next job is most likely of the same kind.
        let start = self.pool.reuse_prestart_frame(&job.runtime).filter(|start| *start == frame.start);
        match session::run_session(&mut container.transport, frame, job.live_output.as_ref(), cancel).await? {
            SessionEnd::Finished(finished, files) => {
                if reusable && !self.concurrency.closing().is_cancelled() {
                    self.reuse_pool.put(job.owner.clone(), container, start);
                } else {
                    container.retire();
                }
                Ok(JobResult::from_frames(&job, *finished, files, CgroupCounters::default(), wait))
            }
            SessionEnd::Cancelled => Ok(JobResult::without_frame(&job, Outcome::Cancelled, wait, began.elapsed())),
            SessionEnd::Disconnected => Err(SandboxError::retry("runner_lost", "the container ended without a result")),
            // Not retried: its time is over, and the job itself may be the reason for the runner's silence.
            SessionEnd::Unresponsive => Ok(JobResult::without_frame(&job, Outcome::TimedOut, wait, began.elapsed())),
        }
    }
}

/// Removes expired idle containers until the sandbox closes.
async fn evict_idle(reuse_pool: Arc<ReusePool>, closing: CancellationToken) {
    let evictions = async {
        loop {
            sleep_until(reuse_pool.evict_expired()).await;
        }
    };
    closing.run_until_cancelled(evictions).await;
    reuse_pool.clear();
}

fn landlock_too_old(offered: u32, minimum: u32) -> SandboxError {
    SandboxError::fail(
        "landlock_unavailable",
        format!(
            "the engine's kernel has Landlock ABI {offered}, the configured minimum is {minimum}; \
             use a newer kernel or lower sandbox.minimum_landlock_abi"
        ),
    )
}

#[async_trait]
impl Sandbox for DockerSandbox {
    async fn run(&self, job: Job, cancel: CancellationToken) -> Result<JobResult, SandboxError> {
        job.check()?;
        let called = Instant::now();
        let result = match self.concurrency.acquire(&cancel).await? {
            Some(permit) => permit.run(&cancel, self.run_permitted(job, &permit.cancel, called)).await,
            None => Ok(JobResult::without_frame(&job, Outcome::Cancelled, called.elapsed(), Duration::ZERO)),
        };
        self.pool.notify();
        result
    }

    async fn health(&self) -> SandboxHealth {
        let (ok, detail) = if self.concurrency.closing().is_cancelled() {
            (false, "closed".into())
        } else {
            self.pool
                .engine()
                .ping()
                .await
                .map_or_else(|error| (false, error.to_string()), |()| (true, self.pool.engine().weakness()))
        };
        SandboxHealth {
            backend: "docker".into(),
            ok,
            detail,
            landlock_abi: self.landlock_abi,
            runtimes: self.runtimes(),
            warm: self.pool.warm_count(),
        }
    }

    fn runtimes(&self) -> Vec<String> {
        self.runtimes.clone()
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
        self.pool.clear();
        self.reuse_pool.clear();
        self.background.wait().await;
    }
}

impl Drop for DockerSandbox {
    fn drop(&mut self) {
        self.concurrency.close();
    }
}
