use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{ChildGuard, temporary_folder, wait_until};

/// A `redis-server` without persistence and without passwords.
#[derive(Debug)]
pub struct RedisServer {
    process: ChildGuard,
    port: u16,
    folder: PathBuf,
}

impl RedisServer {
    /// Starts a server on a free port and waits until it listens.
    ///
    /// # Panics
    /// If the program is missing, no port is free, or it does not listen within 15 s.
    pub async fn start() -> Self {
        Self::start_on(service::ports::free(1).expect("a free port")[0]).await
    }

    /// Starts a server on this port and waits until it listens.
    ///
    /// # Panics
    /// If the program is missing or it does not listen within 15 s.
    pub async fn start_on(port: u16) -> Self {
        let folder = temporary_folder("redis");
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]);
        command.arg(&folder).stdout(Stdio::null());
        let process = ChildGuard::spawn(&mut command);
        let address = ("127.0.0.1", port);
        wait_until("redis-server listens", async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
        Self { process, port, folder }
    }

    /// Returns the address of database 0.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends one command with `redis-cli`, e.g. `FLUSHALL`, and returns the reply as text.
    ///
    /// # Panics
    /// If `redis-cli` is missing.
    pub fn command(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(words).output();
        String::from_utf8_lossy(&output.expect("redis-cli is installed with redis-server").stdout).trim().to_owned()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.process.kill();
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
