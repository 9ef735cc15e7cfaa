//! Containers started prestart of their jobs, and the task that replaces them.

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
use crate::job::SecurityLevel;
use crate::runtime;

type Warm = HashMap<ContainerSpec, VecDeque<Container>>;

/// For which jobs warm containers hold a started interpreter.
pub(crate) struct Prestart {
    pub(crate) level: Option<SecurityLevel>,
    pub(crate) minimum_landlock_abi: u32,
}

pub(crate) struct WarmPool {
    engine: Arc<Engine>,
    /// What is idle warm; other specs are started on demand.
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

    /// A warm container of the spec, else a new one. Cancel safe.
    pub(crate) async fn take(&self, spec: ContainerSpec) -> Result<Container, SandboxError> {
        if let Some(container) = self.take_warm(&spec) {
            return Ok(container);
        }
        self.create(spec).await
    }

    /// Starts a container, in a task of its own: dropped, this future lets it come up and then kills it.
    pub(crate) async fn create(&self, spec: ContainerSpec) -> Result<Container, SandboxError> {
        let (result, started) = oneshot::channel();
        let engine = Arc::clone(&self.engine);
        drop(self.engine.background.spawn(async move {
            // Unwanted by now, it is removed from within this task, for which a shutdown waits.
            drop(result.send(Container::start(engine, spec).await));
        }));
        let lost = |_| SandboxError::retry("sandbox_unavailable", "the task that starts a container was ended");
        started.await.map_err(lost)?
    }

    /// Starts a container that is to wait for its job.
    pub(crate) async fn create_warm(&self, spec: ContainerSpec) -> Result<Container, SandboxError> {
        let start = self.prestart.level.and_then(|level| self.prestart_frame(&spec.runtime, level));
        let mut container = self.create(spec).await?;
        if let Some(start) = start {
            container.prestart(start).await?;
        }
        Ok(container)
    }

    /// What is started before a job of a idle container is there; `None` unless interpreters are to be started prestart.
    pub(crate) fn reuse_prestart_frame(&self, runtime: &str) -> Option<StartFrame> {
        self.prestart.level.and_then(|_| self.prestart_frame(runtime, SecurityLevel::Standard))
    }

    fn prestart_frame(&self, runtime: &str, level: SecurityLevel) -> Option<StartFrame> {
        runtime::find(runtime)?.prestart_frame(level, self.prestart.minimum_landlock_abi)
    }

    /// A job has got its container: for a moment the machine is the job's.
    pub(crate) fn record_dispatch(&self) {
        *self.last_dispatch.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Adds a container if there is room and the pool is open; otherwise it is removed.
    pub(crate) fn put(&self, container: Container) {
        let mut warm = self.lock();
        let idle = warm.entry(container.spec.clone()).or_default();
        // Judged under the lock: `clear` closes first and then empties, so nothing slips in behind it.
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

    /// Something refill_signal that lets the refill go on: a job ended, or a container was taken.
    pub(crate) fn notify(&self) {
        self.refill_signal.notify_one();
    }

    /// Replaces what was taken, one at a time and only while a core is free of jobs, until the sandbox closes.
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
                    tracing::warn!(%error, "cannot start a container prestart");
                    sleep(pause).await;
                    pause = (pause * 2).min(MAX_RETRY_DELAY);
                }
            }
        }
    }

    /// Starting a container takes most of a core for longer than a short job runs, so it waits for a moment without
    /// new jobs, though not for ever, and not when nothing is warm any more.
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

    /// A spec that lacks a container, unless every core has a job to run.
    fn next_missing(&self) -> Option<ContainerSpec> {
        if self.concurrency.running() >= self.cores {
            return None;
        }
        let warm = self.lock();
        let lacks = |spec: &&ContainerSpec| warm.get(spec).map_or(0, VecDeque::len) < self.target_size(spec);
        self.specs.iter().find(lacks).cloned()
    }

    /// The first runtime is the one that most jobs ask for.
    fn target_size(&self, spec: &ContainerSpec) -> usize {
        if self.specs.first() == Some(spec) { self.size } else { self.size.min(1) }
    }

    fn take_warm(&self, spec: &ContainerSpec) -> Option<Container> {
        let mut warm = self.lock();
        let idle = warm.get_mut(spec)?;
        // One whose runner is gone, killed or lost with its engine, is dropped on the way.
        let container = std::iter::from_fn(|| idle.pop_front()).find_map(|mut container| {
            let waiting = container.is_idle();
            waiting.then_some(container)
        });
        self.notify();
        container
    }

    fn lock(&self) -> MutexGuard<'_, Warm> {
        // A panic elsewhere leaves the map whole: every change is a single call.
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
