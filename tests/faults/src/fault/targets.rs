//! Resolves the names in a fault to processes.

use crate::cluster::{Cluster, SupervisedProcess};

/// Selects the broker that leads the log when the fault is injected.
const LEADER: &str = "leader";
/// Selects the Redis that serves when the fault is injected.
const REDIS: &str = "redis";

/// Returns the name itself, or the leader's.
pub(super) async fn resolve(cluster: &Cluster, name: &str) -> String {
    if name == LEADER { cluster.leader().await.unwrap_or("nats-1".to_owned()) } else { name.to_owned() }
}

/// Returns the processes of these names.
pub(super) async fn select<'a>(
    cluster: &'a Cluster,
    names: &[&str],
) -> impl Iterator<Item = &'a SupervisedProcess> + use<'a> {
    let mut true_names = Vec::new();
    for name in names {
        true_names.push(if *name == REDIS { cluster.redis_name() } else { resolve(cluster, name).await });
    }
    cluster.processes.iter().filter(move |process| true_names.iter().any(|name| process.name().starts_with(name)))
}
