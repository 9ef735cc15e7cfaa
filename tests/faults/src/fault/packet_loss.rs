//! Packets that the kernel drops. In a network namespace of its own, a partitioned connection gets neither handshakes
//! nor acknowledgements; elsewhere only the proxies hold its bytes.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use crate::namespaces::is_isolated;

/// Packets at the near end of a proxy.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DroppedPackets {
    /// To this port.
    To(u16),
    /// From this port.
    From(u16),
}

/// Drops these packets from now on; does nothing outside of a network namespace of our own.
pub(crate) fn drop_packets(packets: &[DroppedPackets]) -> io::Result<()> {
    if !is_isolated() {
        return Ok(());
    }
    let mut rules = "*filter\n".to_owned();
    for packet in packets {
        let (side, port) = match packet {
            DroppedPackets::To(port) => ("--dport", port),
            DroppedPackets::From(port) => ("--sport", port),
        };
        // Writing into a string never fails.
        writeln!(rules, "-A INPUT -p tcp {side} {port} -j DROP").ok();
    }
    rules += "COMMIT\n";
    let mut restore = Command::new("iptables-restore").args(["--noflush", "-w"]).stdin(Stdio::piped()).spawn()?;
    restore.stdin.take().map_or(Ok(()), |mut input| input.write_all(rules.as_bytes()))?;
    if restore.wait()?.success() { Ok(()) } else { Err(io::Error::other("iptables-restore refused")) }
}

/// Stops dropping packets.
pub(crate) fn stop_dropping() {
    if is_isolated()
        && !Command::new("iptables").args(["-w", "-F", "INPUT"]).status().is_ok_and(|status| status.success())
    {
        eprintln!("the kernel still drops packets: iptables failed");
    }
}
