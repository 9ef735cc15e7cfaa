//! Wiped containers that wait for the same owner's next job.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use runner::protocol::StartFrame;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::docker::container::Container;
use crate::docker::container_spec::ContainerSpec;
use crate::job::{IsolationLevel, Job, Owner};
use crate::runtime;

/// Maximum idle time of a container.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Idle containers. A container is reused by the same owner only, for jobs of level `standard` with the same spec.
pub(crate) struct ReusePool {
    max_idle: usize,
    jobs_per_container: u32,
    containers: Mutex<VecDeque<IdleContainer>>,
}

struct IdleContainer {
    owner: Owner,
    spec: ContainerSpec,
    since: Instant,
    /// Resolves when the runner has wiped the container; closed if it could not.
    container: oneshot::Receiver<Container>,
}

impl ReusePool {
    /// Creates a pool of at most `max_idle` containers, each used for at most `jobs_per_container` jobs.
    pub(crate) fn new(max_idle: usize, jobs_per_container: u32) -> Self {
        Self { max_idle, jobs_per_container, containers: Mutex::default() }
    }

    /// Returns whether a container that has served `jobs_served` jobs may serve another one after this.
    pub(crate) fn may_reuse(&self, job: &Job, jobs_served: u32) -> bool {
        // The wipe does not empty the folder of written programs.
        let is_wiped = !runtime::executes_written_programs(&job.runtime);
        job.level == IsolationLevel::Standard && is_wiped && jobs_served + 1 < self.jobs_per_container
    }

    /// Takes the owner's container of this spec, waiting for a wipe in progress. Cancel safe: a dropped call ends the
    /// container it waited for.
    pub(crate) async fn take(&self, job: &Job) -> Option<Container> {
        if job.level != IsolationLevel::Standard {
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

    /// Adds a container whose runner wipes it and then starts an interpreter if `start` is given. Evicts the longest
    /// idle one if the pool is full.
    pub(crate) fn put(&self, owner: Owner, mut container: Container, start: Option<StartFrame>) {
        let (wiped, receiver) = oneshot::channel();
        let (spec, background) = (container.spec.clone(), container.background());
        drop(background.spawn(async move {
            if container.wait_for_wipe().await && container.prestart_if_some(start).await {
                // If the receiver was dropped, dropping the container removes it.
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

    /// Removes containers idle for longer than [`IDLE_TIMEOUT`]; returns the next expiry.
    pub(crate) fn evict_expired(&self) -> Instant {
        let mut containers = self.lock();
        containers.retain(|idle| idle.since.elapsed() < IDLE_TIMEOUT);
        containers.iter().map(|idle| idle.since).min().unwrap_or_else(Instant::now) + IDLE_TIMEOUT
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<IdleContainer>> {
        // A panic elsewhere leaves the queue consistent: every change is a single call.
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
