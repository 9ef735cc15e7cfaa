//! Packets that the kernel loses. Where the cluster has a network of its own, a connection of a partition is silent down to its
//! handshake and its acknowledgements; elsewhere the wires alone hold what is sent.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Says to a process in a network of its own which network it was begun from.
const FROM: &str = "FAULTS_BEGUN_FROM_NETWORK";
const NETWORK: &str = "/proc/self/ns/net";
/// What a network of our own takes.
const TRIAL: &str = "ip link set lo up && iptables -w -A INPUT -p tcp --dport 1 -j DROP && iptables-save | iptables-restore --noflush -w";
const INSIDE: &str = r#"ip link set lo up && exec "$0" "$@""#;

/// The near end of a wire, and which of its packets are lost.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lost {
    /// Those to this port.
    To(u16),
    /// Those from this port.
    From(u16),
}

/// Begins this program again in a network of its own, where it can; returns why not, or `Ok` where it is in one already.
pub fn begin_in_own_network() -> Result<(), String> {
    if is_own() {
        return Ok(());
    }
    let trial = Command::new("unshare").args(["--net", "sh", "-c", TRIAL]).output();
    let trial = trial.map_err(|error| format!("unshare cannot be run: {error}"))?;
    if !trial.status.success() {
        return Err(String::from_utf8_lossy(&trial.stderr).trim().to_owned());
    }
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut again = Command::new("unshare");
    again.args(["--net", "sh", "-c", INSIDE]).arg(program).args(env::args_os().skip(1)).env(FROM, network());
    Err(again.exec().to_string())
}

fn network() -> PathBuf {
    fs::read_link(NETWORK).unwrap_or_default()
}

/// The name alone could have come from anywhere, and the rules of the machine's network are not ours to change.
fn is_own() -> bool {
    env::var_os(FROM).is_some_and(|from| Path::new(&from) != network())
}

/// Has the kernel lose these from now on; nothing where the network is not our own.
pub(crate) fn lose(packets: &[Lost]) -> io::Result<()> {
    if !is_own() {
        return Ok(());
    }
    let mut rules = "*filter\n".to_owned();
    for lost in packets {
        let (side, port) = match lost {
            Lost::To(port) => ("--dport", port),
            Lost::From(port) => ("--sport", port),
        };
        // Writing into a text never fails.
        writeln!(rules, "-A INPUT -p tcp {side} {port} -j DROP").ok();
    }
    rules += "COMMIT\n";
    let mut restore = Command::new("iptables-restore").args(["--noflush", "-w"]).stdin(Stdio::piped()).spawn()?;
    restore.stdin.take().map_or(Ok(()), |mut input| input.write_all(rules.as_bytes()))?;
    if restore.wait()?.success() { Ok(()) } else { Err(io::Error::other("iptables-restore refused")) }
}

/// Has the kernel lose none any more.
pub(crate) fn lose_none() {
    if is_own() && !Command::new("iptables").args(["-w", "-F", "INPUT"]).status().is_ok_and(|status| status.success()) {
        eprintln!("the kernel still loses packets: iptables could not be run");
    }
}
