//! The queue for the few concurrent password checks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use read_model::RateVerdict;
use service::keyed_semaphore::KeyedSemaphore;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Maximum concurrent password checks. Each takes a core and 19 MiB, one of which is reused (see `service::password`).
const MAX_CHECKS: usize = 2;
/// Maximum queued sign-ins per address; its further ones wait outside the queue and delay no other address.
const MAX_WAITING_PER_ADDRESS: usize = 2;
/// Maximum wait for a check.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum time for which a rejection is repeated without charging the bucket, which a right password may have
/// refilled.
const MAX_REFUSAL: Duration = Duration::from_secs(1);
/// Maximum cached rejections. Each was charged first, so there are a few hundred a second.
const MAX_REFUSALS: usize = 10_000;

/// Permits to check a password, and recent rejections.
#[derive(Debug)]
pub(crate) struct SignInQueue {
    waiting: KeyedSemaphore,
    checks: Arc<Semaphore>,
    refusals: Mutex<HashMap<String, Refusal>>,
}

#[derive(Debug)]
struct Refusal {
    verdict: RateVerdict,
    until: Instant,
}

impl SignInQueue {
    pub(crate) fn new() -> Self {
        Self {
            waiting: KeyedSemaphore::new(Semaphore::MAX_PERMITS, MAX_WAITING_PER_ADDRESS),
            checks: Arc::new(Semaphore::new(MAX_CHECKS)),
            refusals: Mutex::default(),
        }
    }

    /// Waits for a check, first come first served among the first of each address; `None` after [`ACQUIRE_TIMEOUT`].
    pub(super) async fn acquire_check(&self, address: &str) -> Option<OwnedSemaphorePermit> {
        let acquire = async {
            let _waiting = self.waiting.take(address).await;
            self.checks.clone().acquire_owned().await.ok()
        };
        tokio::time::timeout(ACQUIRE_TIMEOUT, acquire).await.ok().flatten()
    }

    /// Caches that the bucket `name` was empty.
    pub(super) fn remember_refusal(&self, name: &str, verdict: RateVerdict) {
        let now = Instant::now();
        let mut refusals = self.refusals();
        if refusals.len() >= MAX_REFUSALS {
            refusals.retain(|_, refusal| refusal.until > now);
        }
        if refusals.len() < MAX_REFUSALS {
            let until = now + verdict.retry_after.min(MAX_REFUSAL);
            refusals.insert(name.to_owned(), Refusal { verdict, until });
        }
    }

    /// Returns the verdict of the bucket `name` if it was empty a moment ago.
    pub(super) fn refusal(&self, name: &str) -> Option<RateVerdict> {
        let mut refusals = self.refusals();
        let Refusal { verdict, until } = refusals.get(name)?;
        if *until > Instant::now() {
            return Some(*verdict);
        }
        refusals.remove(name);
        None
    }

    fn refusals(&self) -> MutexGuard<'_, HashMap<String, Refusal>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_delays_another_by_its_first_two() {
        let queue = SignInQueue::new();
        let running = [queue.acquire_check("a").await.unwrap(), queue.acquire_check("a").await.unwrap()];
        let mut flood: Vec<_> = (0..100).map(|_| Box::pin(queue.acquire_check("a"))).collect();
        assert!(flood.iter_mut().all(|check| check.now_or_never().is_none()));
        let mut other = Box::pin(queue.acquire_check("b"));
        assert!(other.as_mut().now_or_never().is_none());
        drop(running);
        let turns: Vec<_> = flood.iter_mut().filter_map(FutureExt::now_or_never).flatten().collect();
        assert_eq!(turns.len(), 2);
        drop(turns);
        assert!(other.now_or_never().flatten().is_some(), "before the other 98");
        drop(flood);
        assert!(queue.acquire_check("a").await.is_some(), "callers that left hold no place");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_repeated_for_a_second_at_most() {
        let queue = SignInQueue::new();
        let verdict = |seconds| RateVerdict {
            allowed: false,
            remaining: 0,
            retry_after: Duration::from_secs(seconds),
            reset: Duration::from_secs(seconds),
        };
        queue.remember_refusal("a", verdict(60));
        assert!(queue.refusal("a").is_some_and(|verdict| !verdict.allowed) && queue.refusal("b").is_none());
        tokio::time::advance(MAX_REFUSAL).await;
        assert!(queue.refusal("a").is_none());
    }
}
