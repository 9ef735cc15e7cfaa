//! What workers leave behind: processes of jobs, known by the cgroup that carries the worker's process id.

use std::fs;

use rustix::process::Pid;

/// Processes that run in a cgroup of one of these workers, all of which are dead.
pub fn leftovers(workers: &[Pid]) -> Vec<String> {
    let marks: Vec<String> =
        workers.iter().map(|pid| format!("promptcraft-sandbox-{}-", pid.as_raw_nonzero())).collect();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let cgroups = fs::read_to_string(entry.path().join("cgroup")).unwrap_or_default();
        if marks.iter().any(|mark| cgroups.contains(mark.as_str())) {
            let words = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default().replace('\0', " ");
            found.push(format!("process {} ({})", entry.file_name().to_string_lossy(), words.trim()));
        }
    }
    found
}
