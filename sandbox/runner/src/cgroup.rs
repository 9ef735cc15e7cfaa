//! Counters of a cgroup, version 1 or 2, read inside the container or on the host, and the kill of its processes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sys;

/// Usual mount point of cgroups.
pub const MOUNT: &str = "/sys/fs/cgroup";

/// Counters of one cgroup; `None` for a counter that the kernel or the container does not expose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CgroupCounters {
    pub oom_kills: Option<u64>,
    pub pids_refused: Option<u64>,
    pub cpu_us: Option<u64>,
    pub peak_bytes: Option<u64>,
}

impl CgroupCounters {
    /// Returns the difference to `earlier`; the peak only if it is a new one.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        let difference = |now: Option<u64>, then: Option<u64>| now.map(|now| now.saturating_sub(then.unwrap_or(0)));
        Self {
            oom_kills: difference(self.oom_kills, earlier.oom_kills),
            pids_refused: difference(self.pids_refused, earlier.pids_refused),
            cpu_us: difference(self.cpu_us, earlier.cpu_us),
            peak_bytes: self.peak_bytes.filter(|peak| Some(*peak) > earlier.peak_bytes),
        }
    }
}

/// The counter files of one cgroup, located once and read often.
#[derive(Debug, Default)]
pub struct Meter {
    oom_kills: Option<CounterSource>,
    pids_refused: Option<CounterSource>,
    cpu: Option<CounterSource>,
    peak: Option<CounterSource>,
}

/// One counter: a file, and the key before the number if the file has several lines.
#[derive(Debug)]
struct CounterSource {
    file: PathBuf,
    key: &'static str,
    divisor: u64,
}

/// File name, key and divisor of a counter; version 2 first.
type CounterFile = (&'static str, &'static str, u64);
const OOM_KILLS: [CounterFile; 2] = [("memory.events", "oom_kill", 1), ("memory.oom_control", "oom_kill", 1)];
const PIDS_REFUSED: [CounterFile; 1] = [("pids.events", "max", 1)];
const CPU_US: [CounterFile; 2] = [("cpu.stat", "usage_usec", 1), ("cpuacct.usage", "", 1000)];
const PEAK_BYTES: [CounterFile; 2] = [("memory.peak", "", 1), ("memory.max_usage_in_bytes", "", 1)];

impl Meter {
    /// Locates the counters of the cgroup that `mount` shows as its root, in either version.
    #[must_use]
    pub fn at(mount: &Path) -> Self {
        let controllers = ["memory", "pids", "cpuacct"].map(|controller| mount.join(controller));
        Self::of_folders(&[&[mount.to_owned()][..], &controllers].concat())
    }

    /// Locates the counters in a cgroup's folders: one folder for version 2, one per controller for version 1.
    #[must_use]
    pub fn of_folders(folders: &[PathBuf]) -> Self {
        Self {
            oom_kills: find(folders, &OOM_KILLS),
            pids_refused: find(folders, &PIDS_REFUSED),
            cpu: find(folders, &CPU_US),
            peak: find(folders, &PEAK_BYTES),
        }
    }

    /// Reads all counters.
    #[must_use]
    pub fn read(&self) -> CgroupCounters {
        let read = |source: &Option<CounterSource>| source.as_ref().and_then(CounterSource::read);
        CgroupCounters {
            oom_kills: read(&self.oom_kills),
            pids_refused: read(&self.pids_refused),
            cpu_us: self.cpu_us(),
            peak_bytes: read(&self.peak),
        }
    }

    /// Reads the CPU time of all present and past processes of the cgroup.
    #[must_use]
    pub fn cpu_us(&self) -> Option<u64> {
        self.cpu.as_ref().and_then(CounterSource::read)
    }
}

fn find(folders: &[PathBuf], files: &[CounterFile]) -> Option<CounterSource> {
    let sources = folders.iter().flat_map(|folder| {
        files.iter().map(|(file, key, divisor)| CounterSource { file: folder.join(file), key, divisor: *divisor })
    });
    sources.into_iter().find(|source| source.read().is_some())
}

impl CounterSource {
    fn read(&self) -> Option<u64> {
        let text = fs::read_to_string(&self.file).ok()?;
        let counted = |line: &str| {
            let number = if self.key.is_empty() { line } else { line.strip_prefix(self.key)?.strip_prefix(' ')? };
            number.trim().parse::<u64>().ok()
        };
        text.lines().find_map(counted).map(|number| number / self.divisor)
    }
}

/// Kills the present processes of this cgroup, without those below it; returns their number.
///
/// A process that forks concurrently may escape one call: call it until the cgroup is empty. Works on both versions.
#[must_use]
pub fn kill_processes(folder: &Path) -> usize {
    let listed = || fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    let kill = |line: &str| {
        let process = sys::open_pidfd(line.parse().ok()?).ok()?;
        // The pid may have been reused by a process of another cgroup before the descriptor was opened.
        let still_here = listed().lines().any(|other| other == line);
        still_here.then(|| sys::kill_pidfd(&process).ok()).flatten()
    };
    listed().lines().filter_map(kill).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("creates the folder");
        fs::write(path, text).expect("writes the file");
    }

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("promptcraft-cgroup-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("creates a scratch folder");
        path
    }

    #[test]
    fn version_2_is_read() {
        let root = scratch("v2");
        // As Linux 6.12 shows them.
        write(&root, "memory.events", "low 0\nhigh 0\nmax 148\noom 3\noom_kill 2\noom_group_kill 0\n");
        write(&root, "memory.peak", "4096\n");
        write(&root, "pids.events", "max 7\n");
        let cpu = "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnice_usec 0\ncore_sched.force_idle_usec 0\n";
        let quota = "nr_periods 12\nnr_throttled 2\nthrottled_usec 3817\nnr_bursts 0\nburst_usec 0\n";
        write(&root, "cpu.stat", &[cpu, quota].concat());
        let counters = Meter::at(&root).read();
        fs::remove_dir_all(&root).expect("cleans up");
        let expected =
            CgroupCounters { oom_kills: Some(2), pids_refused: Some(7), cpu_us: Some(1500), peak_bytes: Some(4096) };
        assert_eq!(counters, expected);
    }

    #[test]
    fn version_1_is_read() {
        let root = scratch("v1");
        write(&root, "memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
        write(&root, "memory/memory.max_usage_in_bytes", "8192\n");
        write(&root, "cpuacct/cpuacct.usage", "2500000\n");
        let counters = Meter::at(&root).read();
        fs::remove_dir_all(&root).expect("cleans up");
        let expected =
            CgroupCounters { oom_kills: Some(1), pids_refused: None, cpu_us: Some(2500), peak_bytes: Some(8192) };
        assert_eq!(counters, expected);
    }

    #[test]
    fn only_what_happened_since_is_counted() {
        let earlier =
            CgroupCounters { oom_kills: Some(1), pids_refused: Some(5), cpu_us: Some(100), peak_bytes: Some(10) };
        let now = CgroupCounters { oom_kills: Some(1), pids_refused: Some(6), cpu_us: Some(150), peak_bytes: Some(20) };
        let expected =
            CgroupCounters { oom_kills: Some(0), pids_refused: Some(1), cpu_us: Some(50), peak_bytes: Some(20) };
        assert_eq!(now.since(earlier), expected);
        assert_eq!(now.since(now).peak_bytes, None, "an earlier job's peak is not this one's");
    }
}
