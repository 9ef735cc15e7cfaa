//! Bounds the number of concurrent jobs, and cancels and rejects jobs at shutdown.

use std::convert::Infallible;
use std::future::{Future, pending};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::error::SandboxError;

pub(crate) struct ConcurrencyLimit {
    semaphore: Semaphore,
    capacity: usize,
    closing: CancellationToken,
}

/// The permit of one running job; `cancel` fires when its caller cancels or the sandbox closes.
pub(crate) struct JobPermit<'a> {
    _permit: SemaphorePermit<'a>,
    pub(crate) cancel: CancellationToken,
}

impl ConcurrencyLimit {
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.min(Semaphore::MAX_PERMITS);
        Self { semaphore: Semaphore::new(capacity), capacity, closing: CancellationToken::new() }
    }

    /// Waits for a permit, in order of arrival; `None` if the caller cancels first. Cancel safe.
    pub(crate) async fn acquire(&self, cancel: &CancellationToken) -> Result<Option<JobPermit<'_>>, SandboxError> {
        let closed = || SandboxError::retry("shutting_down", "the sandbox is shutting down; retry on another worker");
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Err(closed()),
            () = cancel.cancelled() => Ok(None),
            permit = self.semaphore.acquire() => {
                let permit = permit.map_err(|_| closed())?;
                Ok(Some(JobPermit { _permit: permit, cancel: self.closing.child_token() }))
            }
        }
    }

    pub(crate) fn running(&self) -> usize {
        self.capacity - self.semaphore.available_permits()
    }

    /// Cancels running jobs and rejects new ones. Idempotent.
    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    /// Waits until no job is running; call it after `close`.
    pub(crate) async fn drained(&self) {
        let all = u32::try_from(self.capacity).unwrap_or(u32::MAX);
        drop(self.semaphore.acquire_many(all).await);
    }

    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.closing
    }
}

impl JobPermit<'_> {
    /// Runs `work` to its end; the permit's token fires when the caller cancels.
    pub(crate) async fn run<T>(&self, caller: &CancellationToken, work: impl Future<Output = T>) -> T {
        let forward_cancel = async {
            caller.cancelled().await;
            self.cancel.cancel();
            pending::<Infallible>().await
        };
        tokio::select! {
            result = work => result,
            never = forward_cancel => match never {},
        }
    }
}
