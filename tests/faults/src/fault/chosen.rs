//! Which components a fault's words mean.

use crate::cluster::{Cluster, Process};

/// The word for whichever broker leads the log when the fault strikes.
const LEADER: &str = "leader";
/// The word for whichever Redis serves when the fault strikes.
const REDIS: &str = "redis";

/// The name itself, or the leader's.
pub(super) async fn true_name(cluster: &Cluster, name: &str) -> String {
    if name == LEADER { cluster.leader().await.unwrap_or("nats-1".to_owned()) } else { name.to_owned() }
}

/// The components of these names.
pub(super) async fn each<'a>(cluster: &'a Cluster, names: &[&str]) -> impl Iterator<Item = &'a Process> + use<'a> {
    let mut true_names = Vec::new();
    for name in names {
        true_names.push(if *name == REDIS { cluster.redis_name() } else { true_name(cluster, name).await });
    }
    cluster.processes.iter().filter(move |process| true_names.iter().any(|name| process.name().starts_with(name)))
}
