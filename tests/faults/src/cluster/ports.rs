//! Free ports of the loopback interface.

use std::io;
use std::net::TcpListener;

/// So many ports that nobody listens on now; all are held until all are found, so that none comes twice.
pub(super) fn free(count: usize) -> io::Result<Vec<u16>> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<io::Result<_>>()?;
    listeners.iter().map(|listener| listener.local_addr().map(|address| address.port())).collect()
}
