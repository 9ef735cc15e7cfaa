//! One child process: in a process group of its own, with a log of its own, and gone when this process is.

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

/// How to start a process, and how to see that it works.
#[derive(Debug, Clone)]
pub struct ChildSpec {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(String, String)>,
    pub log: PathBuf,
    pub probe: Probe,
    /// Start it again when the probe, once it has passed, fails for this long although the process lives.
    pub restart_when_unhealthy: Option<Duration>,
    /// What the process says where it has given up for good; for as long as above, and it is started again, ready or not.
    pub fatal_indicators: Vec<FailureIndicator>,
    /// How long it may take to end after a signal.
    pub drain_timeout: Duration,
}

/// A started process. Dropping it leaves the process alone; [`ChildProcess::terminate`] ends it.
pub struct ChildProcess {
    child: Child,
    group: Pid,
}

impl ChildSpec {
    /// Starts the process through the hidden command `guard`, by which it dies with this one, however that dies.
    pub fn start(&self) -> io::Result<ChildProcess> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        // Not current_exe: that file may have been replaced by a newer build meanwhile.
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
        let group = pid.ok_or_else(|| io::Error::other("the process ended at once"))?;
        Ok(ChildProcess { child, group })
    }

    /// The last lines of its log.
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

    /// Resolves when the process has ended. Cancel safe.
    pub async fn wait(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => describe_exit(status),
            Err(error) => format!("lost: {error}"),
        }
    }

    /// Asks the process to end, waits until `limit` resolves at most, then kills what is left of its group.
    pub async fn terminate(mut self, limit: impl Future<Output = ()>) {
        self.signal(Signal::TERM);
        tokio::select! {
            _ = self.child.wait() => {}
            () = limit => {}
        }
        self.kill().await;
    }

    /// Kills the whole group.
    pub async fn kill(mut self) {
        self.signal(Signal::KILL);
        drop(self.child.wait().await);
    }

    fn signal(&self, signal: Signal) {
        // An error says that nobody is left in the group, which is what we want.
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
