//! Free ports of the loopback interface.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below those that a kernel gives to connections and to listeners without a wish: one of these would be gone before its server is up.
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

/// So many ports that nobody listens on now and that this process was not given before.
pub(super) fn free(count: usize) -> io::Result<Vec<u16>> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Processes that look at the same time begin apart.
    let start = std::process::id().wrapping_mul(7_919);
    let mut tries = std::iter::repeat_with(|| start.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let numbers = tries.by_ref().take(COUNT as usize).filter_map(|number| u16::try_from(FIRST + number).ok());
    let found: Vec<u16> = numbers.filter(is_free).take(count).collect();
    if found.len() == count { Ok(found) } else { Err(io::Error::other("no port is free")) }
}
