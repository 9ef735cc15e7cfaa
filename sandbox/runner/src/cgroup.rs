//! Reads a cgroup's counters, version 1 or 2, from inside the container or from the host, and ends what is in one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sys;

/// Where the kernel usually shows its cgroups.
pub const MOUNT: &str = "/sys/fs/cgroup";

/// Counters of one cgroup; `None` where the kernel or the container does not show one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub oom_kills: Option<u64>,
    pub pids_refused: Option<u64>,
    pub cpu_us: Option<u64>,
    pub peak_bytes: Option<u64>,
}

impl Counters {
    /// What was counted since `earlier`; a peak is known only where it is a new one.
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

/// Reads the counters of the cgroup that `mount` shows as its root, whichever version it is.
#[must_use]
pub fn read(mount: &Path) -> Counters {
    let controllers = ["memory", "pids", "cpuacct"].map(|controller| mount.join(controller));
    read_folders(std::iter::once(mount).chain(controllers.iter().map(PathBuf::as_path)))
}

/// Reads one cgroup's counters from its folders: one for version 2, one of each controller for version 1.
#[must_use]
pub fn read_folders<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Counters {
    folders.into_iter().fold(Counters::default(), |known, folder| Counters {
        oom_kills: known
            .oom_kills
            .or_else(|| keyed(&folder.join("memory.events"), "oom_kill"))
            .or_else(|| keyed(&folder.join("memory.oom_control"), "oom_kill")),
        pids_refused: known.pids_refused.or_else(|| keyed(&folder.join("pids.events"), "max")),
        cpu_us: known
            .cpu_us
            .or_else(|| keyed(&folder.join("cpu.stat"), "usage_usec"))
            .or_else(|| number(&folder.join("cpuacct.usage")).map(|nanoseconds| nanoseconds / 1000)),
        peak_bytes: known
            .peak_bytes
            .or_else(|| number(&folder.join("memory.peak")))
            .or_else(|| number(&folder.join("memory.max_usage_in_bytes"))),
    })
}

/// Kills the processes that are now in the cgroup of this folder, those below it not included; how many were told.
///
/// One that forks meanwhile may escape one call, so call it until the cgroup is empty. Works on both versions.
#[must_use]
pub fn kill_processes(folder: &Path) -> usize {
    let listed = || fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    let kill = |line: &str| {
        let process = sys::process_descriptor(line.parse().ok()?).ok()?;
        // Until the descriptor is there, the number may pass to a process that has nothing to do with this cgroup.
        let still_here = listed().lines().any(|other| other == line);
        still_here.then(|| sys::kill_process(&process).ok()).flatten()
    };
    listed().lines().filter_map(kill).count()
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn keyed(path: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
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
        write(&root, "memory.events", "low 0\noom 3\noom_kill 2\noom_group_kill 0\n");
        write(&root, "memory.peak", "4096\n");
        write(&root, "pids.events", "max 7\n");
        write(&root, "cpu.stat", "usage_usec 1500\nuser_usec 1000\n");
        let counters = read(&root);
        fs::remove_dir_all(&root).expect("cleans up");
        let expected =
            Counters { oom_kills: Some(2), pids_refused: Some(7), cpu_us: Some(1500), peak_bytes: Some(4096) };
        assert_eq!(counters, expected);
    }

    #[test]
    fn version_1_is_read() {
        let root = scratch("v1");
        write(&root, "memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
        write(&root, "memory/memory.max_usage_in_bytes", "8192\n");
        write(&root, "cpuacct/cpuacct.usage", "2500000\n");
        let counters = read(&root);
        fs::remove_dir_all(&root).expect("cleans up");
        let expected = Counters { oom_kills: Some(1), pids_refused: None, cpu_us: Some(2500), peak_bytes: Some(8192) };
        assert_eq!(counters, expected);
    }

    #[test]
    fn only_what_happened_since_is_counted() {
        let earlier = Counters { oom_kills: Some(1), pids_refused: Some(5), cpu_us: Some(100), peak_bytes: Some(10) };
        let now = Counters { oom_kills: Some(1), pids_refused: Some(6), cpu_us: Some(150), peak_bytes: Some(20) };
        let expected = Counters { oom_kills: Some(0), pids_refused: Some(1), cpu_us: Some(50), peak_bytes: Some(20) };
        assert_eq!(now.since(earlier), expected);
        assert_eq!(now.since(now).peak_bytes, None, "an earlier job's peak is not this one's");
    }
}
