//! Tasks that outlive the call that spawned them, such as killing the processes of a dropped future.

use std::future::Future;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Spawns tasks from any thread, including from `drop` outside the runtime; a shutdown waits for all of them.
#[derive(Clone)]
pub(crate) struct BackgroundTasks {
    tracker: TaskTracker,
    runtime: Handle,
}

impl BackgroundTasks {
    /// Captures the current tokio runtime; panics outside of one.
    pub(crate) fn new() -> Self {
        Self { tracker: TaskTracker::new(), runtime: Handle::current() }
    }

    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.tracker.spawn_on(task, &self.runtime)
    }

    /// Waits until every spawned task has ended.
    pub(crate) async fn wait(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
