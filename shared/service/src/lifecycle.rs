//! Process lifecycle: the first signal drains, the second exits. Tasks are tracked, so that a drain can wait for them.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::telemetry::Health;

/// Tracks the tasks of a process and cancels them on shutdown. Clones share the state.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    stopping: CancellationToken,
    tasks: TaskTracker,
    health: Health,
}

impl Default for Lifecycle {
    fn default() -> Self {
        let stopping = CancellationToken::new();
        Self { health: Health::new(stopping.clone()), stopping, tasks: TaskTracker::new() }
    }
}

impl Lifecycle {
    /// Returns a lifecycle without signal handlers, for a process inside a test.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a lifecycle that SIGINT and SIGTERM end: the first drains, the second exits at once with code 130.
    pub fn with_signals() -> std::io::Result<Self> {
        let life = Self::default();
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let stopping = life.stopping.clone();
        // Not tracked: a drain must not wait for a second signal.
        #[expect(clippy::disallowed_methods, reason = "the listener outlives the drain, which would wait for it")]
        tokio::spawn(async move {
            for first in [true, false] {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if first {
                    tracing::info!("Received signal: draining; a second signal exits at once");
                    stopping.cancel();
                } else {
                    std::process::exit(130);
                }
            }
        });
        Ok(life)
    }

    /// Returns the token that is cancelled on shutdown.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Returns the state that the probes report.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Requests shutdown of all tasks; idempotent.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Spawns a task that a drain waits for.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// As [`Self::spawn`], for a main task: if it ends before the stop, the process is not alive.
    pub fn spawn_main<F>(&self, name: &'static str, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let running = self.health.task(name);
        self.tasks.spawn(async move {
            let outcome = task.await;
            drop(running);
            outcome
        })
    }

    /// As [`Self::spawn`], on another runtime, e.g. not on the single thread that serves one request.
    pub fn spawn_on<F>(&self, runtime: &Handle, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn_on(task, runtime)
    }

    /// Waits at most `limit` until all tasks have ended; returns false if some have not.
    pub async fn drained(&self, limit: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(limit, self.tasks.wait()).await.is_ok()
    }
}
