//! Runs in namespaces of their own. Partitions change only the run's own network; its processes and mounts end with it,
//! however it ends; and the cgroups of runs do not collide.

use std::env;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cluster::remove_cgroups;

/// Names the parent's network namespace to the child.
const PARENT_NETWORK: &str = "FAULTS_BEGUN_FROM_NETWORK";
const NETWORK: &str = "/proc/self/ns/net";
const UNSHARE: [&str; 7] = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"];
/// The commands that a partition needs.
const PROBE_SCRIPT: &str = "ip link set lo up && iptables -w -A INPUT -p tcp --dport 1 -j DROP && \
                            iptables-save | iptables-restore --noflush -w";
/// The shell stays: as the first process of the namespace it reaps orphans.
const RUN_SCRIPT: &str = r#"ip link set lo up && "$0" "$@"; exit $?"#;

/// Starts this program again in new namespaces. Returns `Ok` if it runs in them already, and the reason if they cannot
/// be made.
pub fn run_isolated() -> Result<(), String> {
    if is_isolated() {
        // The kernel reuses the inode of a removed namespace.
        remove_cgroups();
        return Ok(());
    }
    let trial = Command::new("unshare").args(UNSHARE).arg(PROBE_SCRIPT).output();
    let trial = trial.map_err(|error| format!("unshare cannot be run: {error}"))?;
    if !trial.status.success() {
        return Err(String::from_utf8_lossy(&trial.stderr).trim().to_owned());
    }
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut again = Command::new("unshare");
    again.args(UNSHARE).arg(RUN_SCRIPT).arg(program).args(env::args_os().skip(1)).env(PARENT_NETWORK, network());
    Err(again.exec().to_string())
}

/// The variable alone may be inherited; the rules of the machine's own network must not be changed.
pub(crate) fn is_isolated() -> bool {
    env::var_os(PARENT_NETWORK).is_some_and(|from| Path::new(&from) != network())
}

fn network() -> PathBuf {
    fs::read_link(NETWORK).unwrap_or_default()
}
