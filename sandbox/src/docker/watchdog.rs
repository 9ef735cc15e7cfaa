//! The worker's side of the small process that cleans up after a killed worker.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Tells the watchdog which containers are under way; dropping it lets the watchdog go.
pub(crate) struct Watchdog {
    lines: Mutex<File>,
}

impl Watchdog {
    /// Starts the watchdog in a process group of its own: what ends the worker's group must not end the watchdog.
    pub(crate) fn start(runner: &Path, socket: &Path) -> io::Result<Self> {
        let mut child = Command::new(runner)
            .arg("watchdog")
            .arg(socket)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let stdin = child.stdin.take().ok_or_else(|| io::Error::other("the watchdog has no stdin"))?;
        thread::Builder::new().name("sandbox-watchdog".into()).spawn(move || {
            if let Ok(status) = child.wait() {
                tracing::debug!(%status, "the sandbox's watchdog has ended");
            }
        })?;
        Ok(Self { lines: Mutex::new(File::from(OwnedFd::from(stdin))) })
    }

    /// Must come before the engine is asked to create the container.
    pub(crate) fn register(&self, name: &str) {
        self.send('+', name);
    }

    /// Once the container is surely gone.
    pub(crate) fn unregister(&self, name: &str) {
        self.send('-', name);
    }

    fn send(&self, sign: char, name: &str) {
        let line = format!("{sign}{name}\n");
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = lines.write_all(line.as_bytes()) {
            tracing::warn!(%error, "the sandbox's watchdog is gone: a killed worker's containers wait for the next start");
        }
    }
}
