//! A cgroup for each job, version 1 or 2, below the worker's own; without permission there is none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use runner::cgroup::{Counters, MOUNT, Meter, kill_processes};

use crate::background_tasks::BackgroundTasks;
use crate::job::Limits;

/// Processes that belong to the sandbox itself: bubblewrap and the runner.
const OWN_PROCESSES: u32 = 2;

const NAME_PREFIX: &str = "promptcraft-jobs-";

/// One CPU in slices of 10 ms: in longer ones a cancel waits until a throttled job may run again.
const PERIOD_US: u32 = 10_000;

/// Where this worker's jobs get their cgroups.
pub(crate) struct Cgroups {
    hierarchies: Vec<Hierarchy>,
    next: AtomicU64,
    background: BackgroundTasks,
}

/// One mounted hierarchy and the folder in it that belongs to this worker.
struct Hierarchy {
    version: Version,
    folder: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One { memory: bool, pids: bool, cpu: bool },
    Two,
}

/// The cgroup of one job, in every hierarchy; dropped, it is removed with every process in it.
pub(crate) struct JobCgroup {
    folders: Vec<PathBuf>,
    background: BackgroundTasks,
}

impl Cgroups {
    /// Takes a folder in each hierarchy that limits something, or says why that cannot be; removes those of workers
    /// that are gone, with every process in them.
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

    /// Makes a job's cgroup with its limits set and nobody in it.
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
    /// The files a process enters by writing its number.
    pub(crate) fn procs_files(&self) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().map(|folder| folder.join("cgroup.procs"))
    }

    pub(crate) fn counters(&self) -> Counters {
        Meter::of_folders(&self.folders).read()
    }
}

impl Drop for JobCgroup {
    fn drop(&mut self) {
        drop(self.background.spawn(remove(std::mem::take(&mut self.folders))));
    }
}

/// Kills what is in them until they can be removed, for a killed process takes a moment to be gone; gives up, loudly,
/// after 5 s.
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
    tracing::error!(?folders, "these cgroups still hold processes after 5 s");
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
    // Not cpuacct: each hierarchy costs 3 ms to enter, and the runner's own accounting says the same.
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

/// A name that no other sandbox of this or another living process has.
fn own_name() -> io::Result<String> {
    static SANDBOXES: AtomicU64 = AtomicU64::new(1);
    let number = SANDBOXES.fetch_add(1, Ordering::Relaxed);
    Ok(format!("{}{}-{number}", prefix()?, std::process::id()))
}

/// How the folders of all workers begin whose processes this one can see: workers in containers of their own may share
/// a folder of cgroups, and a number there says nothing here.
fn prefix() -> io::Result<String> {
    let namespace = fs::read_link("/proc/self/ns/pid")?;
    let inode: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    Ok(format!("{NAME_PREFIX}{inode}-"))
}

/// This process's own cgroup; a container may show it as the mount point itself.
fn own_folder(mount: &Path, own: &str, controller: &str) -> PathBuf {
    let folder = mount.join(own_path(own, controller).trim_start_matches('/'));
    if folder.exists() { folder } else { mount.to_owned() }
}

/// This process's path in the hierarchy of a controller; for version 2 the controller is empty.
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

/// A kernel that accounts no swap has no such file.
fn limit_swap(file: &Path, bytes: u64) -> io::Result<()> {
    if file.exists() { fs::write(file, bytes.to_string()) } else { Ok(()) }
}

/// Folders whose worker is no longer a process.
///
/// What a worker of another pid namespace left stays, empty: the end of that namespace ended its jobs.
fn orphans_in(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let is_orphan = |folder: &PathBuf| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let pid = name.strip_prefix(prefix).and_then(|rest| rest.split_once('-')).map(|(pid, _)| pid);
        pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
    };
    fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_orphan).collect()
}

/// Kills every process in the cgroup and in those below it.
fn kill_tree(folder: &Path) {
    let killed = kill_processes(folder);
    if killed > 0 {
        tracing::debug!(?folder, killed, "killed what a cgroup still held");
    }
    below(folder).for_each(|folder| kill_tree(&folder));
}

/// Whether the folder and the cgroups below it are gone; one that holds a process stays.
fn remove_tree(folder: &Path) -> bool {
    for folder in below(folder) {
        remove_tree(&folder);
    }
    fs::remove_dir(folder).is_ok() || !folder.exists()
}

fn below(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| path.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::SecurityLevel;

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
    fn version_2_is_told_every_limit() {
        let folder = Folder::with(&["memory.swap.max"]);
        let limits = Limits::for_level(SecurityLevel::Strict, Duration::from_secs(1));
        set_limits(Version::Two, &folder.0, &limits).expect("writes");
        let written = ["memory.max", "memory.swap.max", "pids.max", "cpu.max"].map(|file| folder.read(file));
        assert_eq!(written, ["536870912", "0", "66", "10000 10000"]);
        assert!(set_limits(Version::Two, &Folder::with(&[]).0, &limits).is_ok(), "a kernel without swap accounting");
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
