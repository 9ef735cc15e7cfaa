//! Looks for what dead workers left behind, all the time: what is gone a moment later was there all the same.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, Node, cgroups_of, jobs_of, mounts_below};

const LOOK: Duration = Duration::from_millis(500);
/// Whoever starts takes away what the dead left within so long.
const PROMISE: Duration = Duration::from_secs(5);

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Litter {
    pub(crate) left: BTreeSet<String>,
    /// Whether a job was seen in a living worker's cgroup; else nobody would see one in a dead worker's.
    pub(crate) sees_jobs: bool,
}

impl Litter {
    /// Watches until `over`: no job of a worker lives that died more than 5 s ago.
    pub(crate) async fn watch(cluster: &Cluster, over: &CancellationToken) -> Self {
        let mut litter = Self::default();
        while !over.is_cancelled() {
            litter.sees_jobs = litter.sees_jobs || !jobs_of(&cluster.living_workers()).is_empty();
            litter.left.extend(jobs_of(&cluster.dead_workers()));
            tokio::select! {
                () = over.cancelled() => {}
                () = sleep(LOOK) => {}
            }
        }
        litter
    }
}

/// What is there still when everything runs again: cgroups and mounts as well.
pub(crate) async fn left_behind(cluster: &Cluster) -> Vec<String> {
    let stores: Vec<_> = cluster.nodes.iter().map(Node::store).collect();
    let give_up = Instant::now() + PROMISE;
    loop {
        let dead = cluster.dead_workers();
        let left = [jobs_of(&dead), cgroups_of(&dead), mounts_below(&cluster.folder, &stores)].concat();
        if left.is_empty() || Instant::now() > give_up {
            return left;
        }
        sleep(LOOK).await;
    }
}
