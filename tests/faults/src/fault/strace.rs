//! Brokers under `strace`, which delays or fails their syncs.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::Signal;

use super::{Injected, run};
use crate::cluster::{Cluster, SupervisedProcess};

pub(super) const SLOW: &str = "fsync,fdatasync:delay_enter=20000";
pub(super) const FAILING: &str = "fsync,fdatasync:error=EIO";

/// Restarts brokers under it.
pub(super) fn trace(cluster: &Cluster, name: &str, injection: &str) -> Result<(), Injected> {
    run("strace", &["-V"]).ok_or_else(|| Injected::Unsupported("strace is missing".to_owned()))?;
    for process in cluster.all(name) {
        let words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e"];
        let injection = format!("inject={injection}");
        process.wrap(words.iter().map(|word| (*word).to_owned()).chain([injection]).collect());
        process.signal(Signal::KILL);
    }
    Ok(())
}

/// Restarts them without it.
pub(super) fn end(cluster: &Cluster) {
    for process in cluster.processes.iter().filter(|process| process.is_wrapped()) {
        process.wrap(Vec::new());
        process.signal(Signal::KILL);
    }
}

/// Returns those that are to be traced.
pub(super) fn wrapped(cluster: &Cluster) -> impl Iterator<Item = &SupervisedProcess> {
    cluster.processes.iter().filter(|process| process.is_wrapped())
}

/// Returns the process ids of all tracers on this machine.
pub(super) fn tracers() -> BTreeSet<i32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let texts = processes.filter_map(|process| fs::read_to_string(process.path().join("status")).ok());
    let tracers =
        texts.filter_map(|text| text.lines().find_map(|line| line.strip_prefix("TracerPid:")?.trim().parse().ok()));
    tracers.filter(|tracer| *tracer != 0).collect()
}
