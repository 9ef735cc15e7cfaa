//! Containers that one owner's job has left, wiped, for the same owner's next.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use runner::protocol::StartFrame;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::docker::container::Container;
use crate::docker::container_spec::Shape;
use crate::job::{Job, Owner, SecurityLevel};

/// An owner who stays away longer starts anew.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// Never given to another owner, nor to a job of another level or shape.
pub(crate) struct Kept {
    most: usize,
    jobs_per_container: u32,
    containers: Mutex<VecDeque<Waiting>>,
}

struct Waiting {
    owner: Owner,
    shape: Shape,
    since: Instant,
    /// Comes when the runner has wiped what the last job left; never, when it could not.
    container: oneshot::Receiver<Container>,
}

impl Kept {
    /// Keeps at most `most` containers, each for at most so many jobs in all.
    pub(crate) fn new(most: usize, jobs_per_container: u32) -> Self {
        Self { most, jobs_per_container, containers: Mutex::default() }
    }

    /// Whether a container that has served so many jobs may serve another one after this.
    pub(crate) fn may_serve_again(&self, job: &Job, served: u32) -> bool {
        job.level == SecurityLevel::Standard && served + 1 < self.jobs_per_container
    }

    /// The owner's container of this shape, if one waits or is being wiped and its runner lives. Cancel safe: a dropped
    /// call ends the container it was waiting for.
    pub(crate) async fn take(&self, job: &Job) -> Option<Container> {
        if job.level != SecurityLevel::Standard {
            return None;
        }
        let shape = Shape::of(job);
        while let Some(waiting) = self.remove(&job.owner, &shape) {
            if let Ok(mut container) = waiting.container.await
                && container.is_waiting()
            {
                return Some(container);
            }
        }
        None
    }

    fn remove(&self, owner: &Owner, shape: &Shape) -> Option<Waiting> {
        let mut containers = self.locked();
        let place = containers.iter().position(|waiting| waiting.owner == *owner && waiting.shape == *shape)?;
        containers.remove(place)
    }

    /// Keeps a container whose runner wipes it and then starts an interpreter, if one is named; the one that has waited longest goes when there are too many.
    pub(crate) fn keep(&self, owner: Owner, mut container: Container, start: Option<StartFrame>) {
        let (wiped, receiver) = oneshot::channel();
        let (shape, background) = (container.shape.clone(), container.background());
        drop(background.spawn(async move {
            if container.is_ready_again().await && container.start_ahead_if_any(start).await {
                // Nobody waits for it any more: dropping it removes it.
                drop(wiped.send(container));
            } else {
                container.retire();
            }
        }));
        let mut containers = self.locked();
        containers.push_back(Waiting { owner, shape, since: Instant::now(), container: receiver });
        if containers.len() > self.most {
            drop(containers.pop_front());
        }
    }

    /// Removes what has waited too long; returns when the next one will have.
    pub(crate) fn expire(&self) -> Instant {
        let mut containers = self.locked();
        containers.retain(|waiting| waiting.since.elapsed() < KEPT_FOR);
        containers.iter().map(|waiting| waiting.since).min().unwrap_or_else(Instant::now) + KEPT_FOR
    }

    pub(crate) fn clear(&self) {
        self.locked().clear();
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        // A panic elsewhere leaves the queue whole: every change is a single call.
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
