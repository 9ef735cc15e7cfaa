//! Jobs of workers: their processes, cgroups (named by the worker's process id) and mounts.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

const CGROUPS: &str = "/sys/fs/cgroup";
/// Maximum depth of a worker's own cgroup, below which its jobs' cgroups are.
const DEPTH: usize = 6;

/// Returns the processes in cgroups of these workers.
pub fn jobs_of(workers: &[Pid]) -> Vec<String> {
    let (mut found, prefix) = (Vec::new(), prefix());
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let cgroups = fs::read_to_string(entry.path().join("cgroup")).unwrap_or_default();
        let owner = cgroups.split(['/', '\n']).find_map(|name| worker_of(name, &prefix));
        if owner.is_some_and(|owner| is_one_of(workers, owner)) {
            let words = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default().replace('\0', " ");
            found.push(format!("process {} ({})", entry.file_name().to_string_lossy(), words.trim()));
        }
    }
    found
}

/// Returns the cgroups of these workers.
pub fn cgroups_of(workers: &[Pid]) -> Vec<String> {
    let mut found = Vec::new();
    search(Path::new(CGROUPS), &prefix(), DEPTH, &mut |folder, owner| {
        if is_one_of(workers, owner) {
            found.push(format!("cgroup {}", folder.display()));
        }
    });
    found
}

/// Removes cgroups of dead workers in this process namespace. A new namespace may reuse an inode, so this runs first.
pub fn remove_cgroups() {
    search(Path::new(CGROUPS), &prefix(), DEPTH, &mut |folder, _| {
        for inner in fs::read_dir(folder).into_iter().flatten().flatten() {
            // Files in it belong to the kernel.
            drop(fs::remove_dir(inner.path()));
        }
        if let Err(error) = fs::remove_dir(folder) {
            eprintln!("{} stays: {error}", folder.display());
        }
    });
}

fn search(folder: &Path, prefix: &str, depth: usize, found: &mut impl FnMut(&Path, i32)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        match worker_of(&entry.file_name().to_string_lossy(), prefix) {
            Some(owner) if is_folder => found(&entry.path(), owner),
            None if is_folder && depth > 0 => search(&entry.path(), prefix, depth - 1, found),
            Some(_) | None => {}
        }
    }
}

/// Returns mounts below `folder`, except the `known` ones.
pub fn mounts_below(folder: &Path, known: &[PathBuf]) -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let places = table.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    let left = places.filter(|place| place.starts_with(folder) && !known.contains(place));
    left.map(|place| format!("mount {}", place.display())).collect()
}

fn is_one_of(workers: &[Pid], owner: i32) -> bool {
    workers.iter().any(|pid| pid.as_raw_nonzero().get() == owner)
}

/// Returns the prefix of the cgroups of workers in this process namespace: `promptcraft-jobs-<inode of the
/// namespace>-`.
fn prefix() -> String {
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let inode: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    format!("promptcraft-jobs-{inode}-")
}

/// Returns the worker's process id in the name of a cgroup, `<prefix><process id>-<number>`.
fn worker_of(folder: &str, prefix: &str) -> Option<i32> {
    folder.strip_prefix(prefix)?.split('-').next()?.parse().ok()
}
