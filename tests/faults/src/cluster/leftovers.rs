//! What workers leave behind: processes of jobs, known by the cgroup that carries the worker's process id.

use std::fs;

use rustix::process::Pid;

/// Processes that run in a cgroup of one of these workers.
pub fn jobs_of(workers: &[Pid]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let cgroups = fs::read_to_string(entry.path().join("cgroup")).unwrap_or_default();
        let owner = cgroups.split(['/', '\n']).find_map(worker_of);
        if owner.is_some_and(|owner| workers.iter().any(|pid| pid.as_raw_nonzero().get() == owner)) {
            let words = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default().replace('\0', " ");
            found.push(format!("process {} ({})", entry.file_name().to_string_lossy(), words.trim()));
        }
    }
    found
}

/// The worker that a cgroup's folder is named after: `promptcraft-jobs-<process namespace>-<process id>-<number>`.
fn worker_of(folder: &str) -> Option<i32> {
    folder.strip_prefix("promptcraft-jobs-")?.split('-').nth(1)?.parse().ok()
}
