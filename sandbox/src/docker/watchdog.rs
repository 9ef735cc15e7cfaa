//! The worker's side of the process that removes containers after the worker was killed.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Reports the worker's containers to the watchdog process; dropping it ends the process.
pub(crate) struct Watchdog {
    lines: Mutex<File>,
}

impl Watchdog {
    /// Starts the process in its own process group, so that a signal to the worker's group does not end it.
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
                tracing::debug!(%status, "The sandbox watchdog has exited");
            }
        })?;
        Ok(Self { lines: Mutex::new(File::from(OwnedFd::from(stdin))) })
    }

    /// Registers a container; call it before the engine creates the container.
    pub(crate) fn register(&self, name: &str) {
        self.send('+', name);
    }

    /// Unregisters a container that was removed.
    pub(crate) fn unregister(&self, name: &str) {
        self.send('-', name);
    }

    fn send(&self, sign: char, name: &str) {
        let line = format!("{sign}{name}\n");
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = lines.write_all(line.as_bytes()) {
            tracing::warn!(%error, "The watchdog exited; a killed worker's containers remain until the next start");
        }
    }
}
