//! The pool of pre-started containers and the task that refills it.

use std::collections::{HashMap, VecDeque};
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use runner::protocol::StartFrame;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use crate::concurrency::ConcurrencyLimit;
use crate::docker::container::Container;
use crate::docker::container_spec::ContainerSpec;
use crate::docker::engine::Engine;
use crate::error::SandboxError;
use crate::job::IsolationLevel;
use crate::runtime;

type Warm = HashMap<ContainerSpec, VecDeque<Container>>;

/// Settings of interpreters that are started in warm containers.
pub(crate) struct Prestart {
    pub(crate) level: Option<IsolationLevel>,
    pub(crate) minimum_landlock_abi: u32,
}

pub(crate) struct WarmPool {
    engine: Arc<Engine>,
    /// Specs in the pool; containers of other specs are started on demand.
    specs: Vec<ContainerSpec>,
    size: usize,
    prestart: Prestart,
    warm: Mutex<Warm>,
    concurrency: Arc<ConcurrencyLimit>,
    refill_signal: Notify,
    last_dispatch: Mutex<Instant>,
    cores: usize,
}

impl WarmPool {
    pub(crate) fn new(
        engine: Arc<Engine>,
        specs: Vec<ContainerSpec>,
        size: usize,
        prestart: Prestart,
        concurrency: Arc<ConcurrencyLimit>,
    ) -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let last_dispatch = Mutex::new(Instant::now());
        Self {
            engine,
            specs,
            size,
            prestart,
            warm: Mutex::default(),
            concurrency,
            refill_signal: Notify::new(),
            last_dispatch,
            cores,
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Takes a warm container of the spec, else starts a new one. Cancel safe.
    pub(crate) async fn take(&self, spec: ContainerSpec) -> Result<Container, SandboxError> {
        if let Some(container) = self.take_warm(&spec) {
            return Ok(container);
        }
        self.create(spec).await
    }

    /// Starts a container in a separate task; if this future is dropped, the task removes the container once it is up.
    pub(crate) async fn create(&self, spec: ContainerSpec) -> Result<Container, SandboxError> {
        let (result, started) = oneshot::channel();
        let engine = Arc::clone(&self.engine);
        drop(self.engine.background.spawn(async move {
            // If the receiver was dropped, the container is removed within this task, for which a shutdown waits.
            drop(result.send(Container::start(engine, spec).await));
        }));
        let lost = |_| SandboxError::retry("sandbox_unavailable", "the task that starts a container was cancelled");
        started.await.map_err(lost)?
    }

    /// Starts a container for the pool.
    pub(crate) async fn create_warm(&self, spec: ContainerSpec) -> Result<Container, SandboxError> {
        let start = self.prestart.level.and_then(|level| self.prestart_frame(&spec.runtime, level));
        let mut container = self.create(spec).await?;
        if let Some(start) = start {
            container.prestart(start).await?;
        }
        Ok(container)
    }

    /// Returns the frame that starts the next interpreter in a reused container; `None` if prestart is off.
    pub(crate) fn reuse_prestart_frame(&self, runtime: &str) -> Option<StartFrame> {
        self.prestart.level.and_then(|_| self.prestart_frame(runtime, IsolationLevel::Standard))
    }

    fn prestart_frame(&self, runtime: &str, level: IsolationLevel) -> Option<StartFrame> {
        runtime::find(runtime)?.prestart_frame(level, self.prestart.minimum_landlock_abi)
    }

    /// Records that a job was dispatched; refilling pauses for a moment after it.
    pub(crate) fn record_dispatch(&self) {
        *self.last_dispatch.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Adds a container unless the pool is full or closed; otherwise the container is removed.
    pub(crate) fn put(&self, container: Container) {
        let mut warm = self.lock();
        let idle = warm.entry(container.spec.clone()).or_default();
        // Checked under the lock: `clear` runs after closing, so no container is added after it.
        if idle.len() < self.target_size(&container.spec) && !self.concurrency.closing().is_cancelled() {
            idle.push_back(container);
        }
    }

    pub(crate) fn warm_count(&self) -> usize {
        self.lock().values().map(VecDeque::len).sum()
    }

    /// Removes every warm container.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Wakes the refill task: a job ended or a container was taken.
    pub(crate) fn notify(&self) {
        self.refill_signal.notify_one();
    }

    /// Refills the pool, one container at a time and only while a core is idle, until the sandbox closes.
    pub(crate) async fn refill(self: Arc<Self>) {
        let closing = self.concurrency.closing().clone();
        closing.run_until_cancelled(self.refill_loop()).await;
    }

    async fn refill_loop(&self) {
        const MIN_RETRY_DELAY: Duration = Duration::from_millis(200);
        const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);
        let mut pause = MIN_RETRY_DELAY;
        loop {
            let Some(spec) = self.next_missing() else {
                self.refill_signal.notified().await;
                continue;
            };
            self.wait_for_quiet(&spec).await;
            match self.create_warm(spec).await {
                Ok(container) => {
                    self.put(container);
                    pause = MIN_RETRY_DELAY;
                }
                Err(error) => {
                    tracing::warn!(%error, "Failed to start a warm container; retrying");
                    sleep(pause).await;
                    pause = (pause * 2).min(MAX_RETRY_DELAY);
                }
            }
        }
    }

    /// Waits for a moment without new jobs, because a container start is CPU-heavy. Waits at most 250 ms, and not at
    /// all if no container is warm.
    async fn wait_for_quiet(&self, spec: &ContainerSpec) {
        const QUIET_PERIOD: Duration = Duration::from_millis(25);
        const MAX_WAIT: Duration = Duration::from_millis(250);
        let latest = Instant::now() + MAX_WAIT;
        loop {
            let quiet = *self.last_dispatch.lock().unwrap_or_else(PoisonError::into_inner) + QUIET_PERIOD;
            let none_left = self.lock().get(spec).is_none_or(VecDeque::is_empty);
            if none_left || quiet.min(latest) <= Instant::now() {
                return;
            }
            sleep_until(quiet.min(latest)).await;
        }
    }

    /// Returns a spec that lacks a container, unless every core is busy with a job.
    fn next_missing(&self) -> Option<ContainerSpec> {
        if self.concurrency.running() >= self.cores {
            return None;
        }
        let warm = self.lock();
        let lacks = |spec: &&ContainerSpec| warm.get(spec).map_or(0, VecDeque::len) < self.target_size(spec);
        self.specs.iter().find(lacks).cloned()
    }

    /// Returns the pool size of a spec; the first runtime is the most used one.
    fn target_size(&self, spec: &ContainerSpec) -> usize {
        if self.specs.first() == Some(spec) { self.size } else { self.size.min(1) }
    }

    fn take_warm(&self, spec: &ContainerSpec) -> Option<Container> {
        let mut warm = self.lock();
        let idle = warm.get_mut(spec)?;
        // A container whose runner has exited is dropped on the way.
        let container = std::iter::from_fn(|| idle.pop_front()).find_map(|mut container| {
            let waiting = container.is_idle();
            waiting.then_some(container)
        });
        self.notify();
        container
    }

    fn lock(&self) -> MutexGuard<'_, Warm> {
        // A panic elsewhere leaves the map consistent: every change is a single call.
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
