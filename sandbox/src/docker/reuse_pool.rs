//! Containers that one owner's job has left, wiped, for the same owner's next.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use runner::protocol::StartFrame;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::docker::container::Container;
use crate::docker::container_spec::ContainerSpec;
use crate::job::{Job, Owner, SecurityLevel};

/// An owner who stays away longer starts anew.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Never given to another owner, nor to a job of another level or spec.
pub(crate) struct ReusePool {
    max_idle: usize,
    jobs_per_container: u32,
    containers: Mutex<VecDeque<IdleContainer>>,
}

struct IdleContainer {
    owner: Owner,
    spec: ContainerSpec,
    since: Instant,
    /// Comes when the runner has wiped what the last job left; never, when it could not.
    container: oneshot::Receiver<Container>,
}

impl ReusePool {
    /// Keeps at max_idle `max_idle` containers, each for at max_idle so many jobs in all.
    pub(crate) fn new(max_idle: usize, jobs_per_container: u32) -> Self {
        Self { max_idle, jobs_per_container, containers: Mutex::default() }
    }

    /// Whether a container that has jobs_served so many jobs may serve another one after this.
    pub(crate) fn may_reuse(&self, job: &Job, jobs_served: u32) -> bool {
        job.level == SecurityLevel::Standard && jobs_served + 1 < self.jobs_per_container
    }

    /// The owner's container of this spec, if one waits or is being wiped and its runner lives. Cancel safe: a dropped
    /// call ends the container it was idle for.
    pub(crate) async fn take(&self, job: &Job) -> Option<Container> {
        if job.level != SecurityLevel::Standard {
            return None;
        }
        let spec = ContainerSpec::for_job(job);
        while let Some(idle) = self.remove(&job.owner, &spec) {
            if let Ok(mut container) = idle.container.await
                && container.is_idle()
            {
                return Some(container);
            }
        }
        None
    }

    fn remove(&self, owner: &Owner, spec: &ContainerSpec) -> Option<IdleContainer> {
        let mut containers = self.lock();
        let index = containers.iter().position(|idle| idle.owner == *owner && idle.spec == *spec)?;
        containers.remove(index)
    }

    /// Keeps a container whose runner wipes it and then starts an interpreter, if one is named; the one that has waited longest goes when there are too many.
    pub(crate) fn put(&self, owner: Owner, mut container: Container, start: Option<StartFrame>) {
        let (wiped, receiver) = oneshot::channel();
        let (spec, background) = (container.spec.clone(), container.background());
        drop(background.spawn(async move {
            if container.wait_for_wipe().await && container.prestart_if_some(start).await {
                // Nobody waits for it any more: dropping it removes it.
                drop(wiped.send(container));
            } else {
                container.retire();
            }
        }));
        let mut containers = self.lock();
        containers.push_back(IdleContainer { owner, spec, since: Instant::now(), container: receiver });
        if containers.len() > self.max_idle {
            drop(containers.pop_front());
        }
    }

    /// Removes what has waited too long; returns when the next one will have.
    pub(crate) fn evict_expired(&self) -> Instant {
        let mut containers = self.lock();
        containers.retain(|idle| idle.since.elapsed() < IDLE_TIMEOUT);
        containers.iter().map(|idle| idle.since).min().unwrap_or_else(Instant::now) + IDLE_TIMEOUT
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<IdleContainer>> {
        // A panic elsewhere leaves the queue whole: every change is a single call.
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
