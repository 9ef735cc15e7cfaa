//! A cancel during the start of a sandbox leaves no process.

use std::time::Duration;

use sandbox::{IsolationLevel, Outcome, Sandbox};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::support::script_job;

const CANCELS: u32 = 120;
/// Longer than the start of a sandbox.
const MAX_CANCEL_DELAY: Duration = Duration::from_millis(40);
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) async fn leave_no_process(sandbox: &dyn Sandbox) {
    // A size unique to these jobs: it is on the command line of all their processes.
    let disk_bytes = (32 << 20) + u64::from(std::process::id());
    // Concurrent starts take longer, so that cancels hit more of their stages.
    let lanes: [u32; 4] = [0, 1, 2, 3];
    futures_util::future::join_all(lanes.map(|lane| async move {
        for turn in (lane..CANCELS).step_by(lanes.len()) {
            cancel_after(sandbox, disk_bytes, moment(turn)).await;
        }
    }))
    .await;
    let deadline = Instant::now() + CLEANUP_TIMEOUT;
    loop {
        let left = processes_with(&disk_bytes.to_string());
        if left.is_empty() {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{} s after the last of {CANCELS} cancels: {left:?}",
            CLEANUP_TIMEOUT.as_secs()
        );
        sleep(Duration::from_millis(50)).await;
    }
}

/// Returns a delay spread evenly over the start, in no regular order: multiples of the golden ratio.
fn moment(turn: u32) -> Duration {
    MAX_CANCEL_DELAY.mul_f64((f64::from(turn) * 0.618_033_988_75).fract())
}

async fn cancel_after(sandbox: &dyn Sandbox, disk_bytes: u64, moment: Duration) {
    let mut job = script_job(IsolationLevel::Standard, "while True: pass\n");
    job.limits.disk_bytes = disk_bytes;
    let cancel = CancellationToken::new();
    let cancelled = async {
        sleep(moment).await;
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(sandbox.run(job, cancel.clone()), cancelled);
    assert_eq!(result.expect("a cancelled job is a result").outcome, Outcome::Cancelled);
}

/// Returns pid, name and state of each process with this argument; a zombie has no command line.
pub(crate) fn processes_with(word: &str) -> Vec<String> {
    let said = |process: std::fs::DirEntry| {
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        let found = line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes());
        found.then(|| {
            std::fs::read_to_string(process.path().join("stat")).unwrap_or_default().chars().take(40).collect()
        })
    };
    std::fs::read_dir("/proc").expect("lists processes").flatten().filter_map(said).collect()
}
