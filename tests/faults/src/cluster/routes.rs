//! Connections to a broker's route port that bypass its proxy; a network fault would not affect them.

use std::collections::HashSet;
use std::fs;

/// The state of an established connection in `/proc/net/tcp`.
const ESTABLISHED: &str = "01";

/// Returns connections to one of these local ports that another process made.
pub(super) fn bypassing_connections(ports: &[u16]) -> Vec<String> {
    let mut found = look(ports);
    if !found.is_empty() {
        // One of our own that was opened and closed during the first pass is no longer there in the second.
        let again = look(ports);
        found.retain(|one| again.contains(one));
    }
    found
}

fn look(ports: &[u16]) -> Vec<String> {
    let mut ours = own_sockets();
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    // Connections are opened and closed while this reads.
    ours.extend(own_sockets());
    let connections = table.lines().skip(1).filter_map(Connection::read);
    let past = connections.filter(|one| ports.contains(&one.remote) && !ours.contains(&one.inode));
    past.map(|one| format!("port {} to {}", one.local, one.remote)).collect()
}

struct Connection {
    local: u16,
    remote: u16,
    inode: String,
}

impl Connection {
    /// Reads the connecting end of an established connection.
    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let port = |place: usize| u16::from_str_radix(words.get(place)?.split_once(':')?.1, 16).ok();
        let one = Self { local: port(1)?, remote: port(2)?, inode: (*words.get(9)?).to_owned() };
        (words.get(3) == Some(&ESTABLISHED)).then_some(one)
    }
}

fn own_sockets() -> HashSet<String> {
    let descriptors = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let targets = descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
    let sockets = targets.filter_map(|target| {
        let name = target.to_string_lossy().into_owned();
        Some(name.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
    });
    sockets.collect()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn another_process_that_connects_is_a_stranger_and_this_one_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let _ours = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let _accepted = listener.accept().unwrap();
        assert_eq!(bypassing_connections(&[port]), [""; 0]);

        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; read line");
        let mut other = Command::new("bash").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap();
        let _accepted = listener.accept().unwrap();
        let found = bypassing_connections(&[port]);
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
