//! A worker in a separate process: observed while its job runs, then killed without warning.

pub(crate) mod endless_job;
mod orphans;

use std::collections::BTreeSet;
use std::fs;
use std::io::PipeWriter;
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sandbox::Backend;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::support::{RUNTIME, config, variable};
use crate::worker::endless_job::EndlessJob;

/// Maximum time for the cleanup after a killed worker.
pub(crate) const CLEANUP_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct BusyWorker {
    child: Child,
    pub(crate) job: EndlessJob,
    secret: String,
    /// The worker inherits the other end.
    pipe: PipeWriter,
}

impl BusyWorker {
    /// Starts a worker and waits until its job runs.
    pub(crate) fn start(backend: &str) -> Self {
        let (job, secret) = (EndlessJob::new(), uuid::Uuid::new_v4().to_string());
        let (end, pipe) = std::io::pipe().expect("makes a pipe");
        let this = std::env::current_exe().expect("knows its own program");
        let child = Command::new("/bin/sh")
            .args(["-c", "exec \"$0\" \"$@\" 7<&0 </dev/null"])
            .arg(this)
            .args(["--exact", "worker::worker_to_be_killed", "--ignored", "--nocapture"])
            .env("HOLD_BACKEND", backend)
            .env("HOLD_SCRIPT", job.script())
            .env("SECRET", &secret)
            .stdin(end)
            .stdout(Stdio::null())
            .spawn()
            .expect("starts a worker");
        // Created first, so that a drop kills the worker even if the job never starts.
        let worker = Self { child, job, secret, pipe };
        RUNTIME.block_on(worker.job.wait_until_running());
        worker
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn instance(&self) -> String {
        format!("conformance-{}", self.pid())
    }

    /// Asserts that no other process inherited the worker's environment or descriptors.
    #[track_caller]
    pub(crate) fn assert_nothing_inherited(&self) {
        let pipe = fs::read_link(format!("/proc/self/fd/{}", self.pipe.as_raw_fd())).expect("is open");
        let has_pipe = |pid: u32| {
            let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|target| target == pipe)
        };
        let secret = self.secret.as_bytes();
        let has_secret = |pid: u32| {
            let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            variables.windows(secret.len()).any(|part| part == secret)
        };
        let others = |has: &dyn Fn(u32) -> bool| -> Vec<u32> {
            pids().into_iter().filter(|pid| ![self.pid(), std::process::id()].contains(pid) && has(*pid)).collect()
        };
        assert!(has_pipe(self.pid()) && has_secret(self.pid()), "the worker itself has both");
        assert_eq!(others(&has_pipe), [0; 0], "the worker's pipe was handed on");
        assert_eq!(others(&has_secret), [0; 0], "the worker's environment was handed on");
    }

    /// Kills the worker and waits until its job has ended.
    pub(crate) fn kill(mut self) {
        RUNTIME.block_on(async {
            self.child.kill().expect("kills the worker");
            self.child.wait().expect("reaps the worker");
            self.job.wait_until_ended(CLEANUP_TIMEOUT).await;
        });
    }
}

impl Drop for BusyWorker {
    /// Also after a failed test; otherwise the worker has been reaped before.
    fn drop(&mut self) {
        drop(self.child.kill().and_then(|()| self.child.wait()));
    }
}

/// Helper process: the worker that other tests start and kill.
#[test]
#[ignore = "a helper process of other tests"]
fn worker_to_be_killed() {
    let (Some(backend), Some(script)) = (variable("HOLD_BACKEND"), variable("HOLD_SCRIPT")) else { return };
    let backend = if backend == "docker" { Backend::Docker } else { Backend::Bubblewrap };
    RUNTIME.block_on(async {
        let sandbox = sandbox::open(config(backend)).await.expect("opens");
        let ended = sandbox.run(EndlessJob::named(&script).job(), CancellationToken::new()).await;
        panic!("the job cannot end: {ended:?}");
    });
}

/// Waits until a condition holds; a kill takes effect with a delay.
pub(crate) async fn wait_until(condition: impl Fn() -> bool, otherwise: &str) {
    let deadline = Instant::now() + CLEANUP_TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "{otherwise}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Returns the mounts of this process, one line each.
pub(crate) fn mounts() -> BTreeSet<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("reads the mounts");
    mounts.lines().map(str::to_owned).collect()
}

/// A process, distinguished from later ones with the same pid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pid: u32,
    started: String,
}

impl Process {
    /// Finds the child of the worker with this argument.
    pub(crate) fn child_with(parent: u32, word: &str) -> Option<Self> {
        pids().into_iter().find_map(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let is_named = line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes());
            let (is_parent, started) = Self::stat(pid, parent)?;
            (is_named && is_parent).then_some(Self { pid, started })
        })
    }

    /// Returns whether the process runs; a zombie does not.
    pub(crate) fn lives(&self) -> bool {
        Self::stat(self.pid, 0).is_some_and(|(_, started)| started == self.started)
    }

    fn stat(pid: u32, parent: u32) -> Option<(bool, String)> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<_> = stat.rsplit_once(") ")?.1.split(' ').collect();
        (fields[0] != "Z").then(|| (fields[1] == parent.to_string(), fields[19].to_owned()))
    }
}

fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("lists processes").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
