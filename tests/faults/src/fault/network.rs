//! Network faults: the state of the links between processes.

use std::io;

use super::packet_loss::{self, DroppedPackets};
use crate::cluster::{Cluster, LinkState, Proxy};

/// Sets the state of every link whose sender and receiver are chosen.
pub(super) fn set_links(cluster: &Cluster, chosen: impl Fn(&str, &str) -> bool, state: LinkState) -> io::Result<()> {
    let mut dropped = Vec::new();
    for proxy in &cluster.proxies {
        if chosen(&proxy.from, &proxy.to) {
            proxy.set_state_from(&proxy.from, state);
            dropped.push(DroppedPackets::To(proxy.port));
        }
        if chosen(&proxy.to, &proxy.from) {
            proxy.set_state_from(&proxy.to, state);
            dropped.push(DroppedPackets::From(proxy.port));
        }
    }
    if state == LinkState::Held { packet_loss::drop_packets(&dropped) } else { Ok(()) }
}

/// Restores every link.
pub(super) fn restore_links(cluster: &Cluster) {
    packet_loss::stop_dropping();
    cluster.proxies.iter().for_each(Proxy::restore);
}
