//! A cancel that meets a sandbox half built leaves none of its processes.

use std::time::Duration;

use sandbox::{Outcome, Sandbox, SecurityLevel};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::support::script_job;

const CANCELS: u32 = 120;
/// Longer than a sandbox takes to be ready here.
const MAX_CANCEL_DELAY: Duration = Duration::from_millis(40);
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) async fn leave_no_process(sandbox: &dyn Sandbox) {
    // Not a size that any other job has: it stands on the command line of all that is started for these.
    let disk_bytes = (32 << 20) + u64::from(std::process::id());
    // Side by side, as many as the sandbox takes: what slows a start down widens the moments in which to meet it.
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

/// Spread evenly over the start, in an order without a pattern: multiples of the golden ratio.
fn moment(turn: u32) -> Duration {
    MAX_CANCEL_DELAY.mul_f64((f64::from(turn) * 0.618_033_988_75).fract())
}

async fn cancel_after(sandbox: &dyn Sandbox, disk_bytes: u64, moment: Duration) {
    let mut job = script_job(SecurityLevel::Standard, "while True: pass\n");
    job.limits.disk_bytes = disk_bytes;
    let cancel = CancellationToken::new();
    let cancelled = async {
        sleep(moment).await;
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(sandbox.run(job, cancel.clone()), cancelled);
    assert_eq!(result.expect("a cancelled job is a result").outcome, Outcome::Cancelled);
}

/// Number, name and state of each process with this word on its command line; one that is only to be reaped has none.
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
