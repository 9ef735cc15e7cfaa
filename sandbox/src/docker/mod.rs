//! The backend of a Docker engine: containers, a few of them started ahead of their jobs, used once or, at level
//! `standard`, again by the same owner after a wipe.

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
use runner::cgroup::Counters;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::Sandbox;
use crate::background_tasks::Background;
use crate::concurrency::Admission;
use crate::config::SandboxConfig;
use crate::docker::container::Container;
use crate::docker::container_spec::Shape;
use crate::docker::engine::Engine;
use crate::docker::pool::{Ahead, Pool};
use crate::docker::reuse_pool::Kept;
use crate::error::SandboxError;
use crate::job::Job;
use crate::result::{Health, JobResult, Outcome};
use crate::runtime::{self, Metering, roots};
use crate::session::{self, Ended};

pub(crate) struct DockerSandbox {
    pool: Arc<Pool>,
    kept: Arc<Kept>,
    admission: Arc<Admission>,
    background: Background,
    landlock_abi: u32,
    minimum_landlock_abi: u32,
    runtimes: Vec<String>,
    versions: BTreeMap<String, String>,
}

impl DockerSandbox {
    /// Reaches the engine, removes what dead workers left, and starts one container of each runtime to see that
    /// all walls stand.
    pub(crate) async fn open(config: &SandboxConfig) -> Result<Arc<Self>, SandboxError> {
        let background = Background::new();
        let engine = Arc::new(Engine::connect(config, background.clone()).await?);
        engine.sweep().await;
        let admission = Arc::new(Admission::new(config.concurrency));
        let shapes: Vec<_> = config.runtimes.iter().map(|runtime| Shape::usual(runtime)).collect();
        let ahead = Ahead { level: config.start_ahead, minimum_landlock_abi: config.minimum_landlock_abi };
        let pool = Arc::new(Pool::new(engine, shapes.clone(), config.pool_size, ahead, Arc::clone(&admission)));
        let mut landlock_abi = 0;
        for container in try_join_all(shapes.into_iter().map(|shape| pool.create_warm(shape))).await? {
            landlock_abi = container.ready.landlock_abi;
            if landlock_abi < config.minimum_landlock_abi {
                return Err(too_little_landlock(landlock_abi, config.minimum_landlock_abi));
            }
            pool.keep(container);
        }
        drop(background.spawn(Arc::clone(&pool).refill()));
        let kept = Arc::new(Kept::new(config.concurrency, config.jobs_per_container));
        drop(background.spawn(expire(Arc::clone(&kept), admission.closing().clone())));
        Ok(Arc::new(Self {
            pool,
            kept,
            admission,
            background,
            landlock_abi,
            minimum_landlock_abi: config.minimum_landlock_abi,
            runtimes: config.runtimes.clone(),
            versions: roots::versions(&config.roots_dir, &config.runtimes),
        }))
    }

    /// The owner's own container if one waits, else a warm one, else a new one.
    async fn take(&self, job: &Job) -> Result<Container, SandboxError> {
        match self.kept.take(job).await {
            Some(container) => Ok(container),
            None => self.pool.take(Shape::of(job)).await,
        }
    }

    async fn run_admitted(
        &self,
        mut job: Job,
        cancel: &CancellationToken,
        called: Instant,
    ) -> Result<JobResult, SandboxError> {
        let runtime = runtime::of_job(&job.runtime)
            .filter(|runtime| self.pool.engine().offers(&runtime.name))
            .ok_or_else(roots::not_offered)?;
        runtime.check(&job.command)?;
        let container = tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            container = self.take(&job) => Some(container?),
        };
        let wait = called.elapsed();
        self.pool.hand_over();
        let Some(mut container) = container else {
            return Ok(JobResult::without_facts(&job, Outcome::Cancelled, wait, Duration::ZERO));
        };
        let mut frame = runtime.frame(&mut job, Metering::Cgroup, self.minimum_landlock_abi);
        frame.again = self.kept.may_serve_again(&job, container.served);
        let (again, began) = (frame.again, Instant::now());
        // An owner's next job is most likely of the same kind.
        let start = self.pool.start_again(&job.runtime).filter(|start| *start == frame.start);
        match session::hold(&mut container.link, frame, cancel).await? {
            Ended::Finished(facts) => {
                if again && !self.admission.closing().is_cancelled() {
                    self.kept.keep(job.owner.clone(), container, start);
                } else {
                    container.retire();
                }
                Ok(JobResult::from_facts(&job, *facts, Counters::default(), wait))
            }
            Ended::Cancelled => Ok(JobResult::without_facts(&job, Outcome::Cancelled, wait, began.elapsed())),
            Ended::Lost => Err(SandboxError::retry("runner_lost", "the container went away without a result")),
            // No reason to run it again: its time was over, and it may be the job that keeps the runner from saying so.
            Ended::Silent => Ok(JobResult::without_facts(&job, Outcome::TimedOut, wait, began.elapsed())),
        }
    }
}

/// Lets go of what owners have left for long, until the sandbox closes.
async fn expire(kept: Arc<Kept>, closing: CancellationToken) {
    let for_ever = async {
        loop {
            sleep_until(kept.expire()).await;
        }
    };
    closing.run_until_cancelled(for_ever).await;
    kept.clear();
}

fn too_little_landlock(offered: u32, minimum: u32) -> SandboxError {
    SandboxError::fail(
        "landlock_unavailable",
        format!(
            "the engine's kernel offers Landlock {offered}, the configured minimum is {minimum}: \
             use a newer kernel or lower it"
        ),
    )
}

#[async_trait]
impl Sandbox for DockerSandbox {
    async fn run(&self, job: Job, cancel: CancellationToken) -> Result<JobResult, SandboxError> {
        job.check()?;
        let called = Instant::now();
        let result = match self.admission.enter(&cancel).await? {
            Some(place) => place.relay(&cancel, self.run_admitted(job, &place.cancel, called)).await,
            None => Ok(JobResult::without_facts(&job, Outcome::Cancelled, called.elapsed(), Duration::ZERO)),
        };
        self.pool.wake();
        result
    }

    async fn health(&self) -> Health {
        let (ok, detail) = if self.admission.closing().is_cancelled() {
            (false, "closed".into())
        } else {
            self.pool
                .engine()
                .ping()
                .await
                .map_or_else(|error| (false, error.to_string()), |()| (true, self.pool.engine().weakness()))
        };
        Health {
            backend: "docker".into(),
            ok,
            detail,
            landlock_abi: self.landlock_abi,
            runtimes: self.runtimes(),
            warm: self.pool.warm(),
        }
    }

    fn runtimes(&self) -> Vec<String> {
        self.runtimes.clone()
    }

    fn version(&self, runtime: &str) -> Option<&str> {
        self.versions.get(runtime).map(String::as_str)
    }

    async fn shutdown(&self) {
        self.admission.close();
        self.admission.emptied().await;
        self.pool.clear();
        self.kept.clear();
        self.background.wait().await;
    }
}

impl Drop for DockerSandbox {
    fn drop(&mut self) {
        self.admission.close();
    }
}
