//! The host as a target: what an attack can reach, and how the host detects it.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::time::Duration;

use sandbox::IsolationLevel;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::support::{roots, variable};

/// Targets outside of every sandbox.
pub(crate) struct Host {
    secret: String,
    folder: PathBuf,
    tcp: TcpListener,
    unix: UnixListener,
    hidden: UnixListener,
    hidden_name: String,
}

impl Host {
    /// Creates the targets; a drop removes them.
    pub(crate) fn open() -> Self {
        let (secret, id) = (Uuid::new_v4().simple().to_string(), Uuid::new_v4().simple().to_string());
        let folder = std::env::temp_dir().join(format!("promptcraft-secret-{id}"));
        fs::create_dir(&folder).expect("creates the folder of targets");
        fs::write(folder.join("secret"), &secret).expect("writes the secret");
        let hidden_name = format!("promptcraft-secret-{id}");
        let address = SocketAddr::from_abstract_name(&hidden_name).expect("is a name");
        let host = Self {
            tcp: TcpListener::bind("0.0.0.0:0").expect("listens"),
            unix: UnixListener::bind(folder.join("socket")).expect("listens"),
            hidden: UnixListener::bind_addr(&address).expect("listens"),
            secret,
            folder,
            hidden_name,
        };
        host.tcp.set_nonblocking(true).expect("is a socket");
        host.unix.set_nonblocking(true).expect("is a socket");
        host.hidden.set_nonblocking(true).expect("is a socket");
        host
    }

    /// Returns everything that the attacker knows, which excludes the secret.
    pub(crate) fn attacker_knowledge(&self, level: IsolationLevel, marker: &str) -> Value {
        json!({
            "level": level,
            "marker": marker,
            "secret_path": self.folder.join("secret"),
            "socket_path": self.folder.join("socket"),
            "abstract_name": self.hidden_name,
            "tcp_port": self.tcp.local_addr().expect("is bound").port(),
            "addresses": addresses(),
            "worker_pid": std::process::id(),
            "granted_calls": runner::seccomp::allow_list::granted_numbers().collect::<Vec<_>>(),
        })
    }

    /// Returns words that no result may contain.
    pub(crate) fn secret_words(&self) -> Vec<String> {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").expect("has a name").trim().to_owned();
        let roots = roots().canonicalize().expect("exists").display().to_string();
        let mut words = vec![self.secret.clone(), env!("CARGO_MANIFEST_DIR").to_owned(), roots];
        // Of the container in which `container/attacks.sh` runs this suite.
        words.extend(variable("ATTACKS_SECRET"));
        // A short host name such as `vm` would match by chance.
        words.extend((name.len() > 4 && name != "sandbox").then_some(name));
        words
    }

    /// Returns whether a client has connected to a listener since the last call.
    pub(crate) fn was_connected(&self) -> bool {
        let tcp = std::iter::from_fn(|| self.tcp.accept().ok()).count();
        let unix = std::iter::from_fn(|| self.unix.accept().ok()).count();
        let hidden = std::iter::from_fn(|| self.hidden.accept().ok()).count();
        tcp + unix + hidden > 0
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).expect("removes the targets");
    }
}

/// Returns addresses at which a container could find the host.
fn addresses() -> Vec<String> {
    let outward = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        // No packet is sent: the kernel only selects a route.
        socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr())
    });
    let own = outward.ok().map(|address| address.ip().to_string());
    ["127.0.0.1".to_owned(), "172.17.0.1".to_owned()].into_iter().chain(own).collect()
}

/// Waits until no process or thread has the name; returns whether one still has after a second.
pub(crate) async fn outlives(marker: &str) -> bool {
    const LIMIT: Duration = Duration::from_secs(1);
    let deadline = Instant::now() + LIMIT;
    while is_running(marker) {
        if Instant::now() > deadline {
            return true;
        }
        sleep(Duration::from_millis(10)).await;
    }
    false
}

/// Returns whether a process visible to the host has the name.
pub(crate) fn is_running(marker: &str) -> bool {
    let processes = fs::read_dir("/proc").expect("lists processes").flatten();
    processes
        .filter_map(|process| fs::read_to_string(process.path().join("comm")).ok())
        .any(|name| name.trim() == marker)
}
