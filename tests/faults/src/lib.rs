//! The fault harness: a cluster of real processes, faults against it, a client's history of what it saw meanwhile, and a checker
//! that decides from history and log whether the invariants of the design held.
//!
//! Start reading at [`round`]: one fault against a steady load, judged. `make faults` runs every row once, `make soak` random
//! schedules. The processes are built with failpoints by `scripts/instrument.sh`; no release build has any.

mod bot;
mod calls;
pub mod checker;
pub mod cluster;
mod decisions;
pub mod evidence;
pub mod fault;
pub mod history;
pub mod lanes;
mod litter;
pub mod load;
pub mod matrix;
pub mod namespaces;
mod packets;
mod programs;
pub mod random;
mod receiver;
pub mod recovery;
pub mod report;
pub mod round;
mod script;
pub mod tally;
mod transitions;

use std::time::Duration;

/// A client that waits at most `limit`.
pub(crate) fn http_client(limit: Duration) -> reqwest::Client {
    // Installed once per process; a second time changes nothing.
    drop(rustls::crypto::ring::default_provider().install_default());
    // The defaults can be built wherever the provider above is.
    reqwest::Client::builder().no_proxy().timeout(limit).build().unwrap_or_default()
}

/// Whether everything is there that a cluster is made of; the error says what is missing.
pub fn can_run() -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root has cgroups, by which jobs are found that a worker left behind".to_owned());
    }
    programs::Programs::find().map(|_| ())
}
