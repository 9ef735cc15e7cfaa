use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use messaging::is_supported_broker;

use crate::{ChildGuard, temporary_folder};

/// A `nats-server` with JetStream and without accounts, on free ports.
#[derive(Debug)]
pub struct NatsServer {
    process: ChildGuard,
    port: u16,
    monitor_port: u16,
    /// Removed with the server.
    folder: Option<PathBuf>,
}

impl NatsServer {
    /// Starts a server that syncs each write. Its streams are removed when it is dropped.
    ///
    /// # Panics
    /// If the program is missing or no port is free.
    #[must_use]
    pub fn start() -> Self {
        let folder = temporary_folder("nats");
        let mut server = Self::start_in(&folder.join("store"), "always");
        server.folder = Some(folder);
        server
    }

    /// Starts a server whose streams are kept in `store` and outlive it. `sync_interval` is the server's setting, e.g. `2m`.
    ///
    /// # Panics
    /// If the program is missing, no port is free, or the folder cannot be written.
    #[must_use]
    pub fn start_in(store: &Path, sync_interval: &str) -> Self {
        let ports = service::ports::free(2).expect("two free ports");
        let (port, monitor_port) = (ports[0], ports[1]);
        fs::create_dir_all(store).expect("the store's folder is writable");
        let configuration = store.with_extension("conf");
        let text = format!(
            "listen: 127.0.0.1:{port}\nhttp: 127.0.0.1:{monitor_port}\nmax_payload: 8MB\n\
             jetstream {{ store_dir: \"{}\", sync_interval: {sync_interval} }}\n",
            store.display()
        );
        fs::write(&configuration, text).expect("the configuration is writable");
        let mut command = Command::new(nats_server_program());
        command.arg("-c").arg(configuration).stderr(Stdio::null());
        Self { process: ChildGuard::spawn(&mut command), port, monitor_port, folder: None }
    }

    /// Returns the address for clients. The server may take a moment until it listens there.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Returns the address of the monitoring endpoints.
    #[must_use]
    pub fn monitor_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitor_port)
    }

    /// Returns the id of the server's process.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.process.kill();
        if let Some(folder) = &self.folder {
            drop(fs::remove_dir_all(folder));
        }
    }
}

/// Finds a `nats-server` of version 2.14 or later: named by `NATS_SERVER`, on `PATH`, or in `data/bin`.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn nats_server_program() -> PathBuf {
    let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("nats-server"));
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/bin/nats-server");
    let mut programs = named.into_iter().chain(on_path).chain([fetched]);
    programs
        .find(|program| is_new_enough(program))
        .expect("nats-server 2.14 or later is missing: run scripts/setup.sh, or name it in NATS_SERVER")
}

fn is_new_enough(program: &Path) -> bool {
    let Ok(output) = Command::new(program).arg("--version").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    is_supported_broker(text.trim().rsplit('v').next().unwrap_or_default())
}
