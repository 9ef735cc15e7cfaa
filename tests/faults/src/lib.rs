//! The fault harness: a cluster of real processes, faults, a client that records a history, and a checker that decides
//! from history and log whether the invariants of the design held.
//!
//! Start reading at [`rounds`]: faults under a steady load, then the checker. `make faults` runs every row once,
//! `make soak` random schedules. The processes are built with failpoints by `scripts/instrument.sh`; release builds
//! have none.

pub mod checker;
pub mod client;
pub mod cluster;
pub mod evidence;
pub mod fault;
pub mod namespaces;
mod programs;
pub mod random;
pub mod rounds;

use std::time::Duration;

/// Returns a client whose requests time out after `limit`.
pub(crate) fn http_client(limit: Duration) -> reqwest::Client {
    // Once per process; a second call has no effect.
    drop(rustls::crypto::ring::default_provider().install_default());
    // Building succeeds once the provider is installed.
    reqwest::Client::builder().no_proxy().timeout(limit).build().unwrap_or_default()
}

/// Checks that everything is there that a cluster needs.
///
/// # Errors
///
/// Names what is missing.
pub fn can_run() -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root has cgroups, by which jobs are found that a worker left behind".to_owned());
    }
    programs::ClusterPrograms::find().map(|_| ())
}
