//! Processes that get no more than they have.

use std::fs;

use super::{Struck, run};
use crate::cluster::Cluster;

const MANY_FILES: &str = "--nofile=4096:";
const MUCH_MEMORY: &str = "--data=unlimited:unlimited";

/// None of these opens a file more than it has open.
pub(super) fn no_more_files(cluster: &Cluster, name: &str) -> Result<(), Struck> {
    limit(cluster, name, |pid| Some(format!("--nofile={}:", fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count())))
}

/// None of these gets a page more than it has.
pub(super) fn no_more_memory(cluster: &Cluster, name: &str) -> Result<(), Struck> {
    limit(cluster, name, |pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmData:")?.split_whitespace().next())?;
        Some(format!("--data={}:unlimited", kilobytes.parse::<u64>().ok()? * 1_024))
    })
}

pub(super) fn many_files(cluster: &Cluster, name: &str) {
    drop(limit(cluster, name, |_| Some(MANY_FILES.to_owned())));
}

pub(super) fn much_memory(cluster: &Cluster, name: &str) {
    drop(limit(cluster, name, |_| Some(MUCH_MEMORY.to_owned())));
}

fn limit(cluster: &Cluster, name: &str, word: impl Fn(&str) -> Option<String>) -> Result<(), Struck> {
    run("prlimit", &["--version"]).ok_or_else(|| Struck::Impossible("prlimit is missing".to_owned()))?;
    for process in cluster.all(name) {
        let pid = process.pid().map(|pid| pid.as_raw_nonzero().to_string()).unwrap_or_default();
        let limited = word(&pid).and_then(|word| run("prlimit", &["--pid", &pid, &word]));
        limited.ok_or_else(|| Struck::Missed(format!("{} was not there, or could not be limited", process.name())))?;
    }
    Ok(())
}
