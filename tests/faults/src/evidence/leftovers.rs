//! Leftovers of dead workers, watched during the whole round because they may be removed again later.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, Node, cgroups_of, jobs_of, mounts_below};

const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Maximum time until a starting worker removed the leftovers of dead ones.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(5);

/// The observations of one round.
#[derive(Debug, Default)]
pub(crate) struct LeftoverWatch {
    pub(crate) left: BTreeSet<String>,
    /// True once a job was seen in a running worker's cgroup; otherwise leftovers could not be seen either.
    pub(crate) sees_jobs: bool,
}

impl LeftoverWatch {
    /// Records, until `over`, jobs of workers that died more than 5 s ago.
    pub(crate) async fn watch(cluster: &Cluster, over: &CancellationToken) -> Self {
        let mut watched = Self::default();
        while !over.is_cancelled() {
            watched.sees_jobs = watched.sees_jobs || !jobs_of(&cluster.living_workers()).is_empty();
            watched.left.extend(jobs_of(&cluster.dead_workers()));
            tokio::select! {
                () = over.cancelled() => {}
                () = sleep(POLL_INTERVAL) => {}
            }
        }
        watched
    }
}

/// Returns the jobs, cgroups and mounts that remain when everything runs again.
pub(crate) async fn remaining(cluster: &Cluster) -> Vec<String> {
    let stores: Vec<_> = cluster.nodes.iter().map(Node::store).collect();
    let give_up = Instant::now() + CLEANUP_TIMEOUT;
    loop {
        let dead = cluster.dead_workers();
        let left = [jobs_of(&dead), cgroups_of(&dead), mounts_below(&cluster.folder, &stores)].concat();
        if left.is_empty() || Instant::now() > give_up {
            return left;
        }
        sleep(POLL_INTERVAL).await;
    }
}
