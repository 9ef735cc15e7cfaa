//! Measures memory, processes and CPU time of the job from `/proc`, for hosts without a cgroup.
//!
//! Less precise than the kernel's accounting: pages shared by a fork count for each process, and memory that is freed
//! between two samples is missed. `RLIMIT_DATA` and `RLIMIT_NPROC` are the backup.

use std::fs;
use std::time::Duration;

use crate::protocol::WithoutCgroup;

/// Sampling interval while the job runs.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The runner is process 1.
const RUNNER_PID: &str = "1";

const PAGE_BYTES: u64 = 4096;

/// The kernel reports times in ticks of 10 ms, whatever its own clock rate.
const MS_PER_TICK: u64 = 10;

/// Totals over all processes of the job.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sample {
    memory_bytes: u64,
    tasks: u64,
    cpu_ms: u64,
}

/// Returns whether the job exceeds its memory limit.
pub(crate) fn is_over_memory(limits: &WithoutCgroup) -> bool {
    sample().memory_bytes > limits.memory_bytes
}

/// Returns whether the job is at its process limit, where the next creation fails.
pub(crate) fn is_at_process_limit(limits: &WithoutCgroup) -> bool {
    // The kernel also counts the runner and bubblewrap's outer process.
    const OWN_PROCESSES: u64 = 2;
    sample().tasks + OWN_PROCESSES >= limits.processes
}

/// Returns the CPU time of the job's living processes and their reaped children; that of unreaped ended processes is
/// lost.
pub(crate) fn cpu_ms() -> u64 {
    sample().cpu_ms
}

fn sample() -> Sample {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.fold(Sample::default(), |mut total, entry| {
        let name = entry.file_name();
        let is_process =
            name.to_str().is_some_and(|name| name != RUNNER_PID && name.bytes().all(|byte| byte.is_ascii_digit()));
        if is_process && let Ok(stat) = fs::read_to_string(entry.path().join("stat")) {
            let one = parse(&stat).unwrap_or_default();
            total.memory_bytes += one.memory_bytes;
            total.tasks += one.tasks;
            total.cpu_ms += one.cpu_ms;
        }
        total
    })
}

fn parse(stat: &str) -> Option<Sample> {
    // Field numbers after the name in parentheses, which may contain anything.
    const CPU_TICKS: std::ops::Range<usize> = 11..15;
    const THREADS: usize = 17;
    const RESIDENT_PAGES: usize = 21;
    let fields: Vec<_> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
    let ticks: u64 = CPU_TICKS.map(&number).sum::<Option<u64>>()?;
    Some(Sample {
        memory_bytes: number(RESIDENT_PAGES)? * PAGE_BYTES,
        tasks: number(THREADS)?,
        cpu_ms: ticks * MS_PER_TICK,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_from_its_stat_line() {
        let stat = "7 (a) b (c) R 1 7 7 0 -1 4194304 100 0 0 0 1 2 3 4 20 0 3 0 999 1000000 250 18446744073709551615\n";
        assert_eq!(parse(stat), Some(Sample { memory_bytes: 250 * 4096, tasks: 3, cpu_ms: 100 }));
        assert_eq!(parse("cut"), None);
    }
}
