//! Free ports of the loopback interface, for servers that take a fixed port.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the kernel's ephemeral ports, which may be taken by a connection before the server starts.
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

/// Returns `count` ports that have no listener now and were not returned by this process before.
///
/// Ports are not reserved; processes that call it at the same time begin at different ports.
pub fn free(count: usize) -> io::Result<Vec<u16>> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(7_919);
    let tries = std::iter::repeat_with(|| start.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT);
    let numbers = tries.take(COUNT as usize).filter_map(|number| u16::try_from(FIRST + number).ok());
    let found: Vec<u16> = numbers.filter(|port| is_free(*port)).take(count).collect();
    if found.len() == count { Ok(found) } else { Err(io::Error::other("no free port on 127.0.0.1")) }
}

/// Returns true if this port has no listener now.
#[must_use]
pub fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once() {
        let mut ports = free(50).unwrap();
        ports.extend(free(50).unwrap());
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 100);
        let taken = TcpListener::bind(("127.0.0.1", ports[0])).unwrap();
        assert!(!is_free(ports[0]) && is_free(ports[1]));
        drop(taken);
    }
}
