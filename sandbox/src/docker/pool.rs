//! Containers started ahead of their jobs, and the task that replaces them.

use std::collections::{HashMap, VecDeque};
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use runner::protocol::StartFrame;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use crate::concurrency::Admission;
use crate::docker::container::Container;
use crate::docker::container_spec::Shape;
use crate::docker::engine::Engine;
use crate::error::SandboxError;
use crate::job::SecurityLevel;
use crate::runtime;

type Warm = HashMap<Shape, VecDeque<Container>>;

/// For which jobs warm containers hold a started interpreter.
pub(crate) struct Ahead {
    pub(crate) level: Option<SecurityLevel>,
    pub(crate) minimum_landlock_abi: u32,
}

pub(crate) struct Pool {
    engine: Arc<Engine>,
    /// What is kept warm; other shapes are started on demand.
    shapes: Vec<Shape>,
    size: usize,
    ahead: Ahead,
    warm: Mutex<Warm>,
    admission: Arc<Admission>,
    changed: Notify,
    handed_over: Mutex<Instant>,
    cores: usize,
}

impl Pool {
    pub(crate) fn new(
        engine: Arc<Engine>,
        shapes: Vec<Shape>,
        size: usize,
        ahead: Ahead,
        admission: Arc<Admission>,
    ) -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let handed_over = Mutex::new(Instant::now());
        Self {
            engine,
            shapes,
            size,
            ahead,
            warm: Mutex::default(),
            admission,
            changed: Notify::new(),
            handed_over,
            cores,
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A warm container of the shape, else a new one. Cancel safe.
    pub(crate) async fn take(&self, shape: Shape) -> Result<Container, SandboxError> {
        if let Some(container) = self.take_warm(&shape) {
            return Ok(container);
        }
        self.create(shape).await
    }

    /// Starts a container, in a task of its own: dropped, this future lets it come up and then kills it.
    pub(crate) async fn create(&self, shape: Shape) -> Result<Container, SandboxError> {
        let (result, started) = oneshot::channel();
        let engine = Arc::clone(&self.engine);
        drop(self.engine.background.spawn(async move {
            // Unwanted by now, it is removed from within this task, for which a shutdown waits.
            drop(result.send(Container::start(engine, shape).await));
        }));
        let lost = |_| SandboxError::retry("sandbox_unavailable", "the task that starts a container was ended");
        started.await.map_err(lost)?
    }

    /// Starts a container that is to wait for its job.
    pub(crate) async fn create_warm(&self, shape: Shape) -> Result<Container, SandboxError> {
        let start = self.ahead.level.and_then(|level| self.start_ahead(&shape.runtime, level));
        let mut container = self.create(shape).await?;
        if let Some(start) = start {
            container.start_ahead(start).await?;
        }
        Ok(container)
    }

    /// What is started before a job of a kept container is there; `None` unless interpreters are to be started ahead.
    pub(crate) fn start_again(&self, runtime: &str) -> Option<StartFrame> {
        self.ahead.level.and_then(|_| self.start_ahead(runtime, SecurityLevel::Standard))
    }

    fn start_ahead(&self, runtime: &str, level: SecurityLevel) -> Option<StartFrame> {
        runtime::find(runtime)?.start_ahead(level, self.ahead.minimum_landlock_abi)
    }

    /// A job has got its container: for a moment the machine is the job's.
    pub(crate) fn hand_over(&self) {
        *self.handed_over.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Adds a container if there is room and the pool is open; otherwise it is removed.
    pub(crate) fn keep(&self, container: Container) {
        let mut warm = self.locked();
        let kept = warm.entry(container.shape.clone()).or_default();
        // Judged under the lock: `clear` closes first and then empties, so nothing slips in behind it.
        if kept.len() < self.size_of(&container.shape) && !self.admission.closing().is_cancelled() {
            kept.push_back(container);
        }
    }

    pub(crate) fn warm(&self) -> usize {
        self.locked().values().map(VecDeque::len).sum()
    }

    /// Removes every warm container.
    pub(crate) fn clear(&self) {
        self.locked().clear();
    }

    /// Something changed that lets the refill go on: a job ended, or a container was taken.
    pub(crate) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Replaces what was taken, one at a time and only while a core is free of jobs, until the sandbox closes.
    pub(crate) async fn refill(self: Arc<Self>) {
        let closing = self.admission.closing().clone();
        closing.run_until_cancelled(self.refill_for_ever()).await;
    }

    async fn refill_for_ever(&self) {
        const SHORTEST: Duration = Duration::from_millis(200);
        const LONGEST: Duration = Duration::from_secs(30);
        let mut pause = SHORTEST;
        loop {
            let Some(shape) = self.missing() else {
                self.changed.notified().await;
                continue;
            };
            self.let_jobs_begin(&shape).await;
            match self.create_warm(shape).await {
                Ok(container) => {
                    self.keep(container);
                    pause = SHORTEST;
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot start a container ahead");
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST);
                }
            }
        }
    }

    /// Starting a container takes most of a core for longer than a short job runs, so it waits for a moment without
    /// new jobs, though not for ever, and not when nothing is warm any more.
    async fn let_jobs_begin(&self, shape: &Shape) {
        const MOMENT: Duration = Duration::from_millis(25);
        const LONGEST: Duration = Duration::from_millis(250);
        let latest = Instant::now() + LONGEST;
        loop {
            let quiet = *self.handed_over.lock().unwrap_or_else(PoisonError::into_inner) + MOMENT;
            let none_left = self.locked().get(shape).is_none_or(VecDeque::is_empty);
            if none_left || quiet.min(latest) <= Instant::now() {
                return;
            }
            sleep_until(quiet.min(latest)).await;
        }
    }

    /// A shape that lacks a container, unless every core has a job to run.
    fn missing(&self) -> Option<Shape> {
        if self.admission.running() >= self.cores {
            return None;
        }
        let warm = self.locked();
        let lacks = |shape: &&Shape| warm.get(shape).map_or(0, VecDeque::len) < self.size_of(shape);
        self.shapes.iter().find(lacks).cloned()
    }

    /// The first runtime is the one that most jobs ask for.
    fn size_of(&self, shape: &Shape) -> usize {
        if self.shapes.first() == Some(shape) { self.size } else { self.size.min(1) }
    }

    fn take_warm(&self, shape: &Shape) -> Option<Container> {
        let mut warm = self.locked();
        let kept = warm.get_mut(shape)?;
        // One whose runner is gone, killed or lost with its engine, is dropped on the way.
        let container = std::iter::from_fn(|| kept.pop_front()).find_map(|mut container| {
            let waiting = container.is_waiting();
            waiting.then_some(container)
        });
        self.wake();
        container
    }

    fn locked(&self) -> MutexGuard<'_, Warm> {
        // A panic elsewhere leaves the map whole: every change is a single call.
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
