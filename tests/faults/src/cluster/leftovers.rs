//! What workers leave behind: processes of jobs and the cgroups that carry the worker's process id, and mounts.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

const CGROUPS: &str = "/sys/fs/cgroup";
/// A worker's folder lies below its own cgroup, which lies not deeper than this.
const DEPTH: usize = 6;

/// Processes that run in a cgroup of one of these workers.
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

/// Folders of cgroups of these workers.
pub fn cgroups_of(workers: &[Pid]) -> Vec<String> {
    let mut found = Vec::new();
    search(Path::new(CGROUPS), &prefix(), DEPTH, &mut |folder, owner| {
        if is_one_of(workers, owner) {
            found.push(format!("cgroup {}", folder.display()));
        }
    });
    found
}

/// Takes away what workers left that ran in this process's namespace; whoever is new to it calls it first.
pub fn remove_cgroups() {
    search(Path::new(CGROUPS), &prefix(), DEPTH, &mut |folder, _| {
        for inner in fs::read_dir(folder).into_iter().flatten().flatten() {
            // Files in it are the kernel's.
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

/// Mounts below `folder`, or of jobs, other than the `known` ones.
pub fn mounts_below(folder: &Path, known: &[PathBuf]) -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let places = table.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    let left = places.filter(|place| place.starts_with(folder) && !known.contains(place));
    left.map(|place| format!("mount {}", place.display())).collect()
}

fn is_one_of(workers: &[Pid], owner: i32) -> bool {
    workers.iter().any(|pid| pid.as_raw_nonzero().get() == owner)
}

/// How the folders of workers begin that run where this process does: `promptcraft-jobs-<process namespace>-`.
fn prefix() -> String {
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let inode: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    format!("promptcraft-jobs-{inode}-")
}

/// The worker that a cgroup's folder is named after: `<prefix><process id>-<number>`.
fn worker_of(folder: &str, prefix: &str) -> Option<i32> {
    folder.strip_prefix(prefix)?.split('-').next()?.parse().ok()
}
