//! Connections that go to a broker's true route port past its wire: a fault of the network would not touch them.

use std::collections::HashSet;
use std::fs;

/// The state of a connection that stands, in the kernel's table.
const ESTABLISHED: &str = "01";

/// Connections to one of these ports of the loopback interface that this process did not make.
pub(super) fn strangers(ports: &[u16]) -> Vec<String> {
    let mut found = look(ports);
    if !found.is_empty() {
        // One of ours that was made and closed within a look seemed a stranger's; it is not there any more.
        let again = look(ports);
        found.retain(|one| again.contains(one));
    }
    found
}

fn look(ports: &[u16]) -> Vec<String> {
    let mut ours = own_sockets();
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    // Connections come and go while this reads.
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
    /// The connecting end of a connection that stands.
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
        assert_eq!(strangers(&[port]), [""; 0]);

        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; read line");
        let mut other = Command::new("bash").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap();
        let _accepted = listener.accept().unwrap();
        let found = strangers(&[port]);
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
