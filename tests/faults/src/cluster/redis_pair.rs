//! Two Redis servers: one serves, the other is its replica; a failover swaps them.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use cli::stack::WORKER_REDIS_ACL;

use super::secrets::ClusterSecrets;

const NAMES: [&str; 2] = ["redis-1", "redis-2"];

/// The ports of both, and the index of the serving one.
#[derive(Debug, Default)]
pub(super) struct RedisPair {
    ports: [u16; 2],
    serving: AtomicUsize,
}

impl RedisPair {
    pub(super) fn on(ports: [u16; 2]) -> Self {
        Self { ports, serving: AtomicUsize::new(0) }
    }

    /// Returns names and ports of both.
    pub(super) fn servers(&self) -> impl Iterator<Item = (&'static str, u16)> + use<> {
        NAMES.into_iter().zip(self.ports)
    }

    fn serving(&self) -> usize {
        self.serving.load(Ordering::Relaxed)
    }

    pub(super) fn serving_name(&self) -> &'static str {
        NAMES[self.serving()]
    }

    pub(super) fn serving_port(&self) -> u16 {
        self.ports[self.serving()]
    }

    pub(super) fn following_port(&self) -> u16 {
        self.ports[1 - self.serving()]
    }

    /// Makes the other one the serving one.
    pub(super) fn swap(&self) {
        self.serving.fetch_xor(1, Ordering::Relaxed);
    }
}

/// Returns the configuration of one. Replication is configured at run time and rewritten into the file.
pub(super) fn configuration(directory: &Path, port: u16, secrets: &ClusterSecrets) -> String {
    let password = |user: &str| secrets.redis(user).expose().to_owned();
    format!(
        "bind 127.0.0.1\nport {port}\ndir \"{directory}\"\nappendonly yes\nappendfsync everysec\nsave \"\"\n\
         repl-diskless-sync-delay 0\nmasteruser default\nmasterauth {operator}\n\
         user default on >{operator} ~* &* +@all\n\
         user promptcraft on >{services} ~* &* +@all -@admin -@dangerous +info\n\
         user worker on >{worker} {WORKER_REDIS_ACL}\n",
        directory = directory.display(),
        operator = password("default"),
        services = password("promptcraft"),
        worker = password("worker"),
    )
}

/// Runs a command as the operator in the Redis on a port; returns the reply if it succeeds.
pub(super) fn command(port: u16, secrets: &ClusterSecrets, words: &[&str]) -> Option<String> {
    let output = Command::new("redis-cli")
        .args(["--no-auth-warning", "-e", "-p", &port.to_string(), "-a", secrets.redis("default").expose()])
        .args(words)
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Makes the Redis on `port` a replica of the one on `leader`, or of none, also after a restart.
pub(super) fn follow(port: u16, leader: Option<u16>, secrets: &ClusterSecrets) -> bool {
    let leader = leader.map(|leader| leader.to_string());
    let words = match &leader {
        Some(leader) => ["REPLICAOF", "127.0.0.1", leader],
        None => ["REPLICAOF", "NO", "ONE"],
    };
    command(port, secrets, &words).is_some() && command(port, secrets, &["CONFIG", "REWRITE"]).is_some()
}

/// Returns whether the Redis on `port` is a replica and in sync.
pub(super) fn is_following(port: u16, secrets: &ClusterSecrets) -> bool {
    command(port, secrets, &["INFO", "replication"]).is_some_and(|text| text.contains("master_link_status:up"))
}
