//! A job that runs until it is killed, and is visible from the host.

use std::fs;
use std::time::Duration;

use sandbox::{Command, IsolationLevel, Job};
use tokio::time::{Instant, sleep};

use crate::support::job;

/// Generous: on a busy machine a worker may take long to open its sandbox.
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// Identified by its script's name, which is unique to its command line.
pub(crate) struct EndlessJob {
    script: String,
}

impl EndlessJob {
    pub(crate) fn new() -> Self {
        Self { script: format!("endless_{}.py", uuid::Uuid::new_v4().simple()) }
    }

    pub(crate) fn named(script: &str) -> Self {
        Self { script: script.to_owned() }
    }

    pub(crate) fn script(&self) -> &str {
        &self.script
    }

    /// Returns a unique size, which is on the command line of all processes that the bubblewrap backend starts for it.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let digits = self.script.trim_start_matches("endless_").get(..6).expect("the name holds an id");
        (32 << 20) + u64::from_str_radix(digits, 16).expect("an id is hexadecimal")
    }

    pub(crate) fn job(&self) -> Job {
        let command = Command::Script { path: self.script.clone() };
        let mut job = job(IsolationLevel::Standard, command, &[(&self.script, "while True: pass\n")]);
        job.limits.wall = 2 * START_TIMEOUT;
        job.limits.disk_bytes = self.disk_bytes();
        job
    }

    /// Waits until the process of the job runs.
    pub(crate) async fn wait_until_running(&self) {
        self.wait_until(true, START_TIMEOUT).await;
    }

    pub(crate) async fn wait_until_ended(&self, limit: Duration) {
        self.wait_until(false, limit).await;
    }

    async fn wait_until(&self, running: bool, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.is_running() != running {
            assert!(Instant::now() < deadline, "the job's process is not as expected: running = {running}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn is_running(&self) -> bool {
        let wanted = format!("./{}", self.script).into_bytes();
        let processes = fs::read_dir("/proc").expect("lists processes").flatten();
        processes
            .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
            .any(|line| line.split(|byte| *byte == 0).any(|word| word == wanted))
    }
}
