//! A child process with its own process group and log, killed when this process ends (`cli/tests/it/child_guard.rs`).

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::probe::{FailureIndicator, Probe};

/// The specification of a process: start, log, health checks.
#[derive(Debug, Clone)]
pub struct ChildSpec {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(String, String)>,
    pub log: PathBuf,
    pub probe: Probe,
    /// Restart if the probe, after it has passed once, fails for this long; `None`: never.
    pub restart_when_unhealthy: Option<Duration>,
    /// Restart, ready or not, if one of these is present for the same time.
    pub fatal_indicators: Vec<FailureIndicator>,
    /// Maximum time to end after SIGTERM.
    pub drain_timeout: Duration,
}

/// A running process. Dropping the value does not end the process; see [`ChildProcess::terminate`].
pub struct ChildProcess {
    child: Child,
    group: Pid,
}

impl ChildSpec {
    /// Starts the process through the hidden command `guard`, so that the kernel kills it when this process ends.
    pub fn start(&self) -> io::Result<ChildProcess> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        // Not current_exe: a newer build may have replaced that file.
        let child = Command::new("/proc/self/exe")
            .arg("guard")
            .arg(std::process::id().to_string())
            .arg(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let group = pid.ok_or_else(|| io::Error::other("the process ended immediately"))?;
        Ok(ChildProcess { child, group })
    }

    /// Returns the last lines of the log.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let tail = String::from_utf8_lossy(&log[log.len().saturating_sub(4096)..]).into_owned();
        let lines: Vec<&str> = tail.lines().rev().take(5).collect();
        lines.into_iter().rev().map(|line| format!("    {line}\n")).collect()
    }
}

impl ChildProcess {
    pub fn pid(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Waits for the end of the process; returns a description. Cancel safe.
    pub async fn wait(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => describe_exit(status),
            Err(error) => format!("lost: {error}"),
        }
    }

    /// Sends SIGTERM, waits for the process or `limit`, then kills the rest of its group.
    pub async fn terminate(mut self, limit: impl Future<Output = ()>) {
        self.signal(Signal::TERM);
        tokio::select! {
            _ = self.child.wait() => {}
            () = limit => {}
        }
        self.kill().await;
    }

    /// Kills the process group.
    pub async fn kill(mut self) {
        self.signal(Signal::KILL);
        drop(self.child.wait().await);
    }

    fn signal(&self, signal: Signal) {
        // Fails only if the group has no process left.
        kill_process_group(self.group, signal).ok();
    }
}

fn describe_exit(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
