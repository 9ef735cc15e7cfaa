//! Packets that the kernel loses. Where the cluster has a network of its own, a connection of a partition is silent down to its
//! handshake and its acknowledgements; elsewhere the wires alone hold what is sent.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use crate::namespaces::are_own;

/// The near end of a wire, and which of its packets are lost.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lost {
    /// Those to this port.
    To(u16),
    /// Those from this port.
    From(u16),
}

/// Has the kernel lose these from now on; nothing where the network is not our own.
pub(crate) fn lose(packets: &[Lost]) -> io::Result<()> {
    if !are_own() {
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
    if are_own() && !Command::new("iptables").args(["-w", "-F", "INPUT"]).status().is_ok_and(|status| status.success())
    {
        eprintln!("the kernel still loses packets: iptables could not be run");
    }
}
