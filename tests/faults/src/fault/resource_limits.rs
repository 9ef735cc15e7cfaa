//! Limits of open files and memory at what processes have.

use std::fs;

use super::{Injected, run};
use crate::cluster::Cluster;

const DEFAULT_FILES: &str = "--nofile=4096:";
const DEFAULT_MEMORY: &str = "--data=unlimited:unlimited";

/// Limits open files to those that are open.
pub(super) fn freeze_files(cluster: &Cluster, name: &str) -> Result<(), Injected> {
    limit(cluster, name, |pid| Some(format!("--nofile={}:", fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count())))
}

/// Limits memory to the pages in use.
pub(super) fn freeze_memory(cluster: &Cluster, name: &str) -> Result<(), Injected> {
    limit(cluster, name, |pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmData:")?.split_whitespace().next())?;
        Some(format!("--data={}:unlimited", kilobytes.parse::<u64>().ok()? * 1_024))
    })
}

pub(super) fn restore_files(cluster: &Cluster, name: &str) {
    drop(limit(cluster, name, |_| Some(DEFAULT_FILES.to_owned())));
}

pub(super) fn restore_memory(cluster: &Cluster, name: &str) {
    drop(limit(cluster, name, |_| Some(DEFAULT_MEMORY.to_owned())));
}

fn limit(cluster: &Cluster, name: &str, word: impl Fn(&str) -> Option<String>) -> Result<(), Injected> {
    run("prlimit", &["--version"]).ok_or_else(|| Injected::Unsupported("prlimit is missing".to_owned()))?;
    for process in cluster.all(name) {
        let pid = process.pid().map(|pid| pid.as_raw_nonzero().to_string()).unwrap_or_default();
        let limited = word(&pid).and_then(|word| run("prlimit", &["--pid", &pid, &word]));
        limited
            .ok_or_else(|| Injected::NotInjected(format!("{} did not run, or cannot be limited", process.name())))?;
    }
    Ok(())
}
