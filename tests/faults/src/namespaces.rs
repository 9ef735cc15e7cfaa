//! A run in namespaces of its own. Its network carries what partitions do to packets; what it started and mounted ends with it,
//! however it ends; and another run's processes have other names.

use std::env;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cluster::remove_cgroups;

/// Says to a process in a network of its own which network it was begun from.
const FROM: &str = "FAULTS_BEGUN_FROM_NETWORK";
const NETWORK: &str = "/proc/self/ns/net";
const UNSHARE: [&str; 7] = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"];
/// What a partition takes.
const TRIAL: &str = "ip link set lo up && iptables -w -A INPUT -p tcp --dport 1 -j DROP && iptables-save | iptables-restore --noflush -w";
/// The shell stays: as the first process it buries those whose parents died.
const INSIDE: &str = r#"ip link set lo up && "$0" "$@"; exit $?"#;

/// Begins this program again in namespaces of its own, where it can; returns why not, or `Ok` where it is in them already.
pub fn begin_in_own() -> Result<(), String> {
    if are_own() {
        // The name of a namespace that is gone is given anew.
        remove_cgroups();
        return Ok(());
    }
    let trial = Command::new("unshare").args(UNSHARE).arg(TRIAL).output();
    let trial = trial.map_err(|error| format!("unshare cannot be run: {error}"))?;
    if !trial.status.success() {
        return Err(String::from_utf8_lossy(&trial.stderr).trim().to_owned());
    }
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut again = Command::new("unshare");
    again.args(UNSHARE).arg(INSIDE).arg(program).args(env::args_os().skip(1)).env(FROM, network());
    Err(again.exec().to_string())
}

/// The name alone could have come from anywhere, and the rules of the machine's network are not ours to change.
pub(crate) fn are_own() -> bool {
    env::var_os(FROM).is_some_and(|from| Path::new(&from) != network())
}

fn network() -> PathBuf {
    fs::read_link(NETWORK).unwrap_or_default()
}
