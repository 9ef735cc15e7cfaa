//! Who may run now: a bounded number of jobs, none after closing, each until it is cancelled.

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

/// One job's place; `cancel` fires when its caller or the whole sandbox wants it to end.
pub(crate) struct JobPermit<'a> {
    _permit: SemaphorePermit<'a>,
    pub(crate) cancel: CancellationToken,
}

impl ConcurrencyLimit {
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.min(Semaphore::MAX_PERMITS);
        Self { semaphore: Semaphore::new(capacity), capacity, closing: CancellationToken::new() }
    }

    /// Waits for a place, in order of arrival; `None` when the caller cancelled first. Cancel safe.
    pub(crate) async fn acquire(&self, cancel: &CancellationToken) -> Result<Option<JobPermit<'_>>, SandboxError> {
        let closed = || SandboxError::retry("shutting_down", "the sandbox is closing; another worker may run this");
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

    /// Cancels what runs and refuses what comes. Idempotent.
    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    /// Returns when nothing runs any more; to be called after closing.
    pub(crate) async fn drained(&self) {
        let all = u32::try_from(self.capacity).unwrap_or(u32::MAX);
        drop(self.semaphore.acquire_many(all).await);
    }

    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.closing
    }
}

impl JobPermit<'_> {
    /// Runs `work`, telling it through the place's token when the caller cancels.
    pub(crate) async fn run<T>(&self, caller: &CancellationToken, work: impl Future<Output = T>) -> T {
        let run = async {
            caller.cancelled().await;
            self.cancel.cancel();
            pending::<Infallible>().await
        };
        tokio::select! {
            result = work => result,
            never = run => match never {},
        }
    }
}
