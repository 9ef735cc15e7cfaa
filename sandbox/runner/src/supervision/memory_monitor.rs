//! Stands in for a cgroup where there is none: looks at the job's processes and adds up.
//!
//! Coarser than the kernel's own accounting: pages that a fork shares count for each of its sides, and what is
//! allocated and freed between two looks is not seen. `RLIMIT_DATA` and `RLIMIT_NPROC` are the walls behind it.

use std::fs;
use std::time::Duration;

use crate::protocol::WithoutCgroup;

/// How often to sample while the job runs.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Process 1 is the runner itself.
const RUNNER_PID: &str = "1";

const PAGE_BYTES: u64 = 4096;

/// The kernel tells programs a hundred ticks a second, however often its own clock beats.
const MS_PER_TICK: u64 = 10;

/// What all processes of the job hold at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sample {
    memory_bytes: u64,
    tasks: u64,
    cpu_ms: u64,
}

/// Whether the job holds more memory than it may.
pub(crate) fn is_over_memory(limits: &WithoutCgroup) -> bool {
    sample().memory_bytes > limits.memory_bytes
}

/// Whether the job has as many processes and threads as it may: another one would have been refused.
pub(crate) fn is_at_process_limit(limits: &WithoutCgroup) -> bool {
    // The runner counts as one of them for the kernel, and so does bubblewrap's own process outside.
    const OWN_PROCESSES: u64 = 2;
    sample().tasks + OWN_PROCESSES >= limits.processes
}

/// CPU time of the job's living processes and of those they have waited for; who ends unwaited takes its time along.
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
    // Counted after the name in parentheses, which may hold anything.
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
