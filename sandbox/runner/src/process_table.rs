//! Sums memory and CPU time of a job's processes from `/proc`, for hosts without a cgroup.
//!
//! Less precise than the kernel's accounting: pages shared by a fork count for each process, and memory that is freed
//! between two samples is missed. `RLIMIT_DATA` is the backup.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// Sampling interval while the job runs.
pub(crate) const SAMPLE_INTERVAL: Duration = Duration::from_millis(10);

/// Size of an encoded [`Sample`].
pub(crate) const SAMPLE_BYTES: usize = 16;

/// The runner is process 1 of its sandbox.
const RUNNER_PID: u32 = 1;

const PAGE_BYTES: u64 = 4096;

/// The kernel reports times in ticks of 10 ms, whatever its own clock rate.
const MS_PER_TICK: u64 = 10;

/// Totals over the living processes of the job and their reaped children.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) memory_bytes: u64,
    /// CPU time; that of unreaped ended processes is lost.
    pub(crate) cpu_ms: u64,
}

/// One process with its parent.
#[derive(Debug, PartialEq, Eq)]
struct ProcessUsage {
    parent: u32,
    usage: Sample,
}

impl Sample {
    pub(crate) fn encode(self) -> [u8; SAMPLE_BYTES] {
        ((u128::from(self.memory_bytes) << 64) | u128::from(self.cpu_ms)).to_be_bytes()
    }

    pub(crate) fn decode(bytes: [u8; SAMPLE_BYTES]) -> Self {
        let both = u128::from_be_bytes(bytes);
        Self { memory_bytes: (both >> 64) as u64, cpu_ms: both as u64 }
    }

    fn add(self, other: Self) -> Self {
        Self { memory_bytes: self.memory_bytes + other.memory_bytes, cpu_ms: self.cpu_ms + other.cpu_ms }
    }
}

/// Returns the totals of all processes but the runner, from the sandbox's own `/proc`.
pub(crate) fn sample_sandbox() -> Sample {
    let jobs = pids().filter(|pid| *pid != RUNNER_PID);
    jobs.filter_map(read).fold(Sample::default(), |total, process| total.add(process.usage))
}

/// Returns the totals of the processes below the children of `bubblewrap`, from the `/proc` outside of the sandbox;
/// `None` if that does not show bubblewrap.
///
/// The children are the runner and the calling companion.
pub(crate) fn sample_from_outside(bubblewrap: u32) -> Option<Sample> {
    let mut table: HashMap<u32, ProcessUsage> = pids().filter_map(|pid| Some((pid, read(pid)?))).collect();
    // A process whose parent has ended since was given to the runner.
    let moved: Vec<u32> =
        table.iter().filter(|(_, one)| !table.contains_key(&one.parent)).map(|(pid, _)| *pid).collect();
    for pid in moved {
        match read(pid) {
            Some(process) => table.insert(pid, process),
            None => table.remove(&pid),
        };
    }
    let jobs = table.values().filter(|process| is_below_children(&table, process, bubblewrap));
    let total = jobs.fold(Sample::default(), |total, process| total.add(process.usage));
    table.contains_key(&bubblewrap).then_some(total)
}

fn is_below_children(table: &HashMap<u32, ProcessUsage>, process: &ProcessUsage, ancestor: u32) -> bool {
    // A table that is read while processes end may contain a cycle of reused pids.
    let mut above = process.parent;
    for _ in 0..table.len() {
        let Some(parent) = table.get(&above) else { return false };
        if parent.parent == ancestor {
            return true;
        }
        above = parent.parent;
    }
    false
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn read(pid: u32) -> Option<ProcessUsage> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse(stat: &str) -> Option<ProcessUsage> {
    // Field numbers after the name in parentheses, which may contain anything.
    const PARENT: usize = 1;
    const CPU_TICKS: std::ops::Range<usize> = 11..15;
    const RESIDENT_PAGES: usize = 21;
    let fields: Vec<_> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
    let ticks: u64 = CPU_TICKS.map(&number).sum::<Option<u64>>()?;
    let usage = Sample { memory_bytes: number(RESIDENT_PAGES)? * PAGE_BYTES, cpu_ms: ticks * MS_PER_TICK };
    Some(ProcessUsage { parent: u32::try_from(number(PARENT)?).ok()?, usage })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_from_its_stat_line() {
        let stat = "7 (a) b (c) R 9 7 7 0 -1 4194304 100 0 0 0 1 2 3 4 20 0 3 0 999 1000000 250 18446744073709551615\n";
        let usage = Sample { memory_bytes: 250 * 4096, cpu_ms: 100 };
        assert_eq!(parse(stat), Some(ProcessUsage { parent: 9, usage }));
        assert_eq!(parse("cut"), None);
    }

    #[test]
    fn only_processes_below_the_runner_of_this_sandbox_are_the_job_s() {
        // 2 is the worker, 3 its bubblewrap with companion 4 and runner 5; 13 and 15 are those of another sandbox.
        let parents = [(1, 0), (2, 1), (3, 2), (4, 3), (5, 3), (6, 5), (7, 6), (13, 2), (15, 13), (16, 15), (17, 99)];
        let process = |parent| ProcessUsage { parent, usage: Sample::default() };
        let table: HashMap<u32, ProcessUsage> = parents.map(|(pid, parent)| (pid, process(parent))).into();
        let mut found: Vec<u32> =
            table.iter().filter(|(_, one)| is_below_children(&table, one, 3)).map(|(pid, _)| *pid).collect();
        found.sort_unstable();
        assert_eq!(found, [6, 7]);
    }

    #[test]
    fn a_sample_is_read_back() {
        let sample = Sample { memory_bytes: u64::MAX, cpu_ms: 7 };
        assert_eq!(Sample::decode(sample.encode()), sample);
    }
}
