//! Work that outlives the call that caused it, such as killing what a dropped future had started.

use std::future::Future;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Spawns from anywhere, also from a `drop` outside the runtime, and lets a shutdown wait for all of it.
#[derive(Clone)]
pub(crate) struct BackgroundTasks {
    tracker: TaskTracker,
    runtime: Handle,
}

impl BackgroundTasks {
    /// Must be called inside a tokio runtime.
    pub(crate) fn new() -> Self {
        Self { tracker: TaskTracker::new(), runtime: Handle::current() }
    }

    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.tracker.spawn_on(task, &self.runtime)
    }

    /// Returns when everything spawned has ended.
    pub(crate) async fn wait(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
