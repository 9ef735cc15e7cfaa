//! One cgroup per job, version 1 or 2, below the worker's own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use runner::cgroup::{CgroupCounters, MOUNT, Meter, kill_processes};

use crate::background_tasks::BackgroundTasks;
use crate::job::Limits;

/// Processes of the sandbox itself: bubblewrap and the runner.
const OWN_PROCESSES: u32 = 2;

const NAME_PREFIX: &str = "promptcraft-jobs-";

/// Period of the quota of one CPU. With a longer period a throttled job delays its own cancel.
const PERIOD_US: u32 = 10_000;

/// The cgroups of this worker's jobs.
pub(crate) struct Cgroups {
    hierarchies: Vec<Hierarchy>,
    next: AtomicU64,
    background: BackgroundTasks,
}

/// A mounted hierarchy and this worker's folder in it.
struct Hierarchy {
    version: Version,
    folder: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One { memory: bool, pids: bool, cpu: bool },
    Two,
}

/// The cgroup of one job in every hierarchy; dropping it kills its processes and removes it.
pub(crate) struct JobCgroup {
    folders: Vec<PathBuf>,
    background: BackgroundTasks,
}

impl Cgroups {
    /// Creates this worker's folder in each hierarchy with limits, or fails without permission. Removes the folders of
    /// ended workers and kills their processes.
    pub(crate) fn open(background: BackgroundTasks) -> io::Result<Self> {
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let hierarchies = if Path::new(MOUNT).join("cgroup.controllers").exists() {
            vec![version_2(&own)?]
        } else {
            version_1(&own)?
        };
        let (parents, prefix) = (hierarchies.iter().filter_map(|hierarchy| hierarchy.folder.parent()), prefix()?);
        drop(background.spawn(remove(parents.flat_map(|parent| orphans_in(parent, &prefix)).collect())));
        Ok(Self { hierarchies, next: AtomicU64::new(1), background })
    }

    /// Creates an empty cgroup for a job and sets its limits.
    pub(crate) fn create(&self, limits: &Limits) -> io::Result<JobCgroup> {
        let name = format!("job-{}", self.next.fetch_add(1, Ordering::Relaxed));
        let mut cgroup = JobCgroup { folders: Vec::new(), background: self.background.clone() };
        for hierarchy in &self.hierarchies {
            let folder = hierarchy.folder.join(&name);
            fs::create_dir(&folder)?;
            cgroup.folders.push(folder.clone());
            set_limits(hierarchy.version, &folder, limits)?;
        }
        Ok(cgroup)
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        for hierarchy in &self.hierarchies {
            remove_tree(&hierarchy.folder);
        }
    }
}

impl JobCgroup {
    /// Returns the files to which a process with one thread writes `0` to join.
    ///
    /// Version 1 takes threads as well. Forks and exits go on while one moves itself, but all of the machine wait until a
    /// whole process has moved: 15 ms instead of 3 for the three hierarchies of a busy host.
    pub(crate) fn join_files(&self) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().map(|folder| join_file(folder))
    }

    pub(crate) fn counters(&self) -> CgroupCounters {
        Meter::of_folders(&self.folders).read()
    }
}

impl Drop for JobCgroup {
    fn drop(&mut self) {
        drop(self.background.spawn(remove(std::mem::take(&mut self.folders))));
    }
}

fn join_file(folder: &Path) -> PathBuf {
    let tasks = folder.join("tasks");
    if tasks.exists() { tasks } else { folder.join("cgroup.procs") }
}

/// Kills the processes of the folders until the folders can be removed. Logs an error after 5 s.
async fn remove(mut folders: Vec<PathBuf>) {
    const POLL_INTERVAL: Duration = Duration::from_millis(5);
    const MAX_ATTEMPTS: u32 = 1000;
    for _ in 0..MAX_ATTEMPTS {
        folders.retain(|folder| !remove_tree(folder));
        folders.iter().for_each(|folder| kill_tree(folder));
        if folders.is_empty() {
            return;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    tracing::error!(?folders, "Cannot remove job cgroups: processes still running after 5 s");
}

fn version_2(own: &str) -> io::Result<Hierarchy> {
    let parent = own_folder(Path::new(MOUNT), own, "");
    let folder = parent.join(own_name()?);
    enable(&parent)?;
    fs::create_dir(&folder)?;
    if let Err(error) = enable(&folder) {
        remove_tree(&folder);
        return Err(error);
    }
    Ok(Hierarchy { version: Version::Two, folder })
}

fn enable(folder: &Path) -> io::Result<()> {
    fs::write(folder.join("cgroup.subtree_control"), "+memory +pids +cpu")
}

fn version_1(own: &str) -> io::Result<Vec<Hierarchy>> {
    let mut hierarchies: Vec<Hierarchy> = Vec::new();
    let name_of_all = own_name()?;
    // Without cpuacct: joining a hierarchy costs 3 ms, and the runner measures the CPU time as well.
    let controllers = ["memory", "pids", "cpu"].map(|name| (name, Path::new(MOUNT).join(name)));
    for (name, mount) in controllers {
        let parent = own_folder(&fs::canonicalize(mount)?, own, name);
        let folder = parent.join(&name_of_all);
        let version = Version::One { memory: name == "memory", pids: name == "pids", cpu: name == "cpu" };
        fs::create_dir(&folder)?;
        hierarchies.push(Hierarchy { version, folder });
    }
    Ok(hierarchies)
}

/// Returns a name that is unique among the sandboxes of all living processes.
fn own_name() -> io::Result<String> {
    static SANDBOXES: AtomicU64 = AtomicU64::new(1);
    let number = SANDBOXES.fetch_add(1, Ordering::Relaxed);
    Ok(format!("{}{}-{number}", prefix()?, std::process::id()))
}

/// Returns the prefix of the folders of all workers in this pid namespace. Workers in other containers may share the
/// parent cgroup, and their pids mean nothing here.
fn prefix() -> io::Result<String> {
    let namespace = fs::read_link("/proc/self/ns/pid")?;
    let inode: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    Ok(format!("{NAME_PREFIX}{inode}-"))
}

/// Returns this process's own cgroup; a container may show it as the mount point.
fn own_folder(mount: &Path, own: &str, controller: &str) -> PathBuf {
    let folder = mount.join(own_path(own, controller).trim_start_matches('/'));
    if folder.exists() { folder } else { mount.to_owned() }
}

/// Returns this process's path in a controller's hierarchy; version 2 has an empty controller name.
fn own_path<'a>(own: &'a str, controller: &str) -> &'a str {
    own.lines()
        .find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            controllers.split(',').any(|name| name == controller).then_some(path)
        })
        .unwrap_or("/")
}

fn set_limits(version: Version, folder: &Path, limits: &Limits) -> io::Result<()> {
    let set = |file: &str, value: String| fs::write(folder.join(file), value);
    let pids = limits.pids + OWN_PROCESSES;
    if version == Version::Two {
        set("memory.max", limits.memory_bytes.to_string())?;
        set("pids.max", pids.to_string())?;
        set("cpu.max", format!("{PERIOD_US} {PERIOD_US}"))?;
        return limit_swap(&folder.join("memory.swap.max"), 0);
    }
    let Version::One { memory, pids: counts_pids, cpu } = version else { return Ok(()) };
    if memory {
        set("memory.limit_in_bytes", limits.memory_bytes.to_string())?;
        limit_swap(&folder.join("memory.memsw.limit_in_bytes"), limits.memory_bytes)?;
    }
    if counts_pids {
        set("pids.max", pids.to_string())?;
    }
    if cpu {
        set("cpu.cfs_period_us", PERIOD_US.to_string())?;
        set("cpu.cfs_quota_us", PERIOD_US.to_string())?;
    }
    Ok(())
}

/// Limits swap; a kernel without swap accounting has no such file.
fn limit_swap(file: &Path, bytes: u64) -> io::Result<()> {
    if file.exists() { fs::write(file, bytes.to_string()) } else { Ok(()) }
}

/// Returns the folders of workers that no longer run.
///
/// Folders of another pid namespace are kept: they are empty, because the end of that namespace ended its jobs.
fn orphans_in(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let is_orphan = |folder: &PathBuf| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let pid = name.strip_prefix(prefix).and_then(|rest| rest.split_once('-')).map(|(pid, _)| pid);
        pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
    };
    fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_orphan).collect()
}

/// Kills every process in the cgroup and below it.
fn kill_tree(folder: &Path) {
    let killed = kill_processes(folder);
    if killed > 0 {
        tracing::debug!(?folder, killed, "Killed remaining processes of a cgroup");
    }
    below(folder).for_each(|folder| kill_tree(&folder));
}

/// Removes the folder and the cgroups below it; returns whether it was removed. A cgroup with a process stays.
fn remove_tree(folder: &Path) -> bool {
    // Hardly any has others below it, and looking for them takes a tenth of a trivial job's time.
    if fs::remove_dir(folder).is_ok() {
        return true;
    }
    for folder in below(folder) {
        remove_tree(&folder);
    }
    fs::remove_dir(folder).is_ok() || !folder.exists()
}

fn below(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    fs::read_dir(folder).into_iter().flatten().flatten().filter(is_folder).map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::IsolationLevel;

    struct Folder(PathBuf);

    impl Folder {
        fn with(files: &[&str]) -> Self {
            let path = std::env::temp_dir().join(format!("promptcraft-cgroup-{}", uuid::Uuid::new_v4().simple()));
            fs::create_dir(&path).expect("makes a folder");
            files.iter().for_each(|file| fs::write(path.join(file), "max\n").expect("writes"));
            Self(path)
        }

        fn read(&self, file: &str) -> String {
            fs::read_to_string(self.0.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn every_limit_is_written_for_version_2() {
        let folder = Folder::with(&["memory.swap.max"]);
        let limits = Limits::for_level(IsolationLevel::Strict, Duration::from_secs(1));
        set_limits(Version::Two, &folder.0, &limits).expect("writes");
        let written = ["memory.max", "memory.swap.max", "pids.max", "cpu.max"].map(|file| folder.read(file));
        assert_eq!(written, ["536870912", "0", "66", "10000 10000"]);
        assert!(set_limits(Version::Two, &Folder::with(&[]).0, &limits).is_ok(), "a kernel without swap accounting");
    }

    #[test]
    fn version_1_is_joined_by_thread() {
        let (one, two) = (Folder::with(&["tasks", "cgroup.procs"]), Folder::with(&["cgroup.procs"]));
        assert_eq!(join_file(&one.0), one.0.join("tasks"));
        assert_eq!(join_file(&two.0), two.0.join("cgroup.procs"));
    }

    #[test]
    fn a_process_finds_itself_in_either_version() {
        let hybrid = "9:name=systemd:/x\n4:memory:/a/b\n2:cpu,cpuacct:/c\n0::/user.slice/session-2.scope\n";
        let paths = ["memory", "cpu", "cpuacct", "", "pids"].map(|controller| own_path(hybrid, controller));
        assert_eq!(paths, ["/a/b", "/c", "/c", "/user.slice/session-2.scope", "/"]);
    }

    #[test]
    fn only_folders_of_dead_workers_that_can_be_seen_are_abandoned() {
        let parent = Folder::with(&[]);
        let (own, dead) = (std::process::id(), 4_194_304);
        for name in [format!("p-7-{own}-1"), format!("p-7-{dead}-1"), format!("p-8-{dead}-1"), format!("x-{dead}-1")] {
            fs::create_dir(parent.0.join(name)).expect("makes a folder");
        }
        assert_eq!(orphans_in(&parent.0, "p-7-"), [parent.0.join(format!("p-7-{dead}-1"))]);
    }
}
