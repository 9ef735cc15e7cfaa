//! A killed worker leaves nothing behind after 5 s, and has passed nothing on before.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use sandbox::Backend;

use crate::cases::cancelled_starts::processes_with;
use crate::engine::docker;
use crate::support::{RUNTIME, config, shared};
use crate::worker::{BusyWorker, Process, mounts, wait_until};

#[test]
fn a_killed_worker_leaves_no_container_and_no_guard() {
    if shared(Backend::Docker).is_none() {
        return;
    }
    let worker = BusyWorker::start("docker");
    worker.assert_nothing_inherited();
    let label = format!("label=promptcraft.instance={}", worker.instance());
    let containers = || docker(&["ps", "-aq", "--no-trunc", "--filter", &label]);
    let watchdog = Process::child_with(worker.pid(), "watchdog").expect("a watchdog watches");
    let running = containers();
    let ids: Vec<_> = running.lines().collect();
    let roots = docker(&[&["inspect", "--format", "{{index .GraphDriver.Data \"MergedDir\"}}"][..], &ids].concat());
    let is_mounted = || roots.lines().any(|root| mounts().iter().any(|mount| !root.is_empty() && mount.contains(root)));
    if !is_mounted() {
        eprintln!(
            "not tried: mounts of a killed worker's containers: the engine keeps them where this process cannot see"
        );
    }
    worker.kill();
    RUNTIME.block_on(async {
        wait_until(|| containers().is_empty(), "a container of the killed worker is still there").await;
        wait_until(|| !watchdog.lives(), "the watchdog of the killed worker is still there").await;
        wait_until(|| !is_mounted(), "the root of a killed worker's container is still mounted").await;
    });
}

#[test]
fn a_killed_worker_leaves_no_process_and_no_mount_and_its_cgroups_are_swept() {
    let (before, mounted) = (temporary_files(), mounts());
    let worker = BusyWorker::start("bubblewrap");
    worker.assert_nothing_inherited();
    let (pid, word) = (worker.pid(), worker.job.disk_bytes().to_string());
    assert!(processes_with(&word).len() > 1, "the sandbox is on the command line of what it is made of");
    worker.kill();
    // Engines and root builds mount as well; a sandbox mounts its root, the bind target and the work directory.
    let is_a_sandbox_s =
        |mount: &String| ["/python/rootfs", " /mnt ", " /work "].iter().any(|word| mount.contains(word));
    let left =
        || -> Vec<String> { mounts().difference(&mounted).filter(|mount| is_a_sandbox_s(mount)).cloned().collect() };
    RUNTIME.block_on(async {
        wait_until(|| processes_with(&word).is_empty(), "a process of the killed worker's sandbox is still there")
            .await;
        wait_until(|| left().is_empty(), "a mount of the killed worker's sandbox is still there").await;
    });
    let added: Vec<_> = temporary_files().into_iter().filter(|file| !before.contains(file)).collect();
    assert!(!added.iter().any(|file| file.to_string_lossy().contains("bwrap")), "{added:?}");
    let namespace = std::fs::read_link("/proc/self/ns/pid").expect("is a link").display().to_string();
    let namespace: String = namespace.chars().filter(char::is_ascii_digit).collect();
    let folders = || find_folders(Path::new("/sys/fs/cgroup"), &format!("promptcraft-jobs-{namespace}-{pid}-"));
    let survivor = survivor_in(&folders());
    RUNTIME.block_on(async {
        let next = sandbox::open(config(Backend::Bubblewrap)).await.expect("the next worker opens");
        next.shutdown().await;
    });
    if let Some(mut survivor) = survivor {
        let ended = survivor.try_wait().expect("is this process's child");
        survivor.kill().expect("may kill its own child");
        assert_eq!(ended.and_then(|status| status.signal()), Some(9), "the sweep killed what was in the cgroups");
    }
    assert!(folders().is_empty(), "{:?}", folders());
}

/// Starts a process in a job's cgroup that would outlive its worker for minutes.
fn survivor_in(folders: &[PathBuf]) -> Option<Child> {
    if folders.is_empty() {
        eprintln!("SKIPPED: survivors in cgroups: this user may not make any");
        return None;
    }
    let survivor = Command::new("sleep").arg("300").spawn().expect("starts sleep");
    for job in folders.iter().flat_map(|folder| find_folders(folder, "job-")) {
        std::fs::write(job.join("cgroup.procs"), survivor.id().to_string()).expect("enters the job's cgroup");
    }
    Some(survivor)
}

fn temporary_files() -> Vec<PathBuf> {
    std::fs::read_dir("/tmp").expect("lists /tmp").flatten().map(|entry| entry.path()).collect()
}

fn find_folders(root: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                found.push(entry.path());
            }
            found.extend(find_folders(&entry.path(), prefix));
        }
    }
    found
}
