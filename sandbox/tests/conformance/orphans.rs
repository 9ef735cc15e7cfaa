//! A worker that is killed with no time for anything leaves nothing behind 5 s later.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sandbox::Backend;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::endless::EndlessJob;
use crate::engine::docker;
use crate::support::{RUNTIME, config, shared, variable};

const LIMIT: Duration = Duration::from_secs(5);

#[test]
fn a_killed_worker_leaves_no_container() {
    if shared(Backend::Docker).is_some() {
        let (worker, _) = kill_a_busy_worker("docker");
        let left = || docker(&["ps", "-aq", "--filter", &format!("label=promptcraft.instance={worker}")]);
        RUNTIME.block_on(becomes(|| left().is_empty(), "a container of the killed worker is still there"));
    }
}

#[test]
fn a_killed_worker_leaves_no_process_and_its_cgroups_are_swept() {
    let before = temporary_files();
    let (_, pid) = kill_a_busy_worker("bubblewrap");
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

/// A process in a job's cgroup that would outlive its worker for minutes.
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

/// Not a test of its own: the worker that the others start and kill.
#[test]
#[ignore = "a helper process of the other tests"]
fn worker_to_be_killed() {
    let (Some(backend), Some(script)) = (variable("HOLD_BACKEND"), variable("HOLD_SCRIPT")) else { return };
    let backend = if backend == "docker" { Backend::Docker } else { Backend::Bubblewrap };
    RUNTIME.block_on(async {
        let sandbox = sandbox::open(config(backend)).await.expect("opens");
        let ended = sandbox.run(EndlessJob::named(&script).job(), CancellationToken::new()).await;
        panic!("the job cannot end: {ended:?}");
    });
}

/// Returns the killed worker's instance name and process number, once its job is gone from the kernel.
fn kill_a_busy_worker(backend: &str) -> (String, u32) {
    let endless = EndlessJob::new();
    let mut worker = start_worker(backend, endless.script());
    RUNTIME.block_on(async {
        endless.is_seen().await;
        worker.kill().expect("kills the worker");
        worker.wait().expect("reaps the worker");
        endless.is_gone_within(LIMIT).await;
    });
    (format!("conformance-{}", worker.id()), worker.id())
}

fn start_worker(backend: &str, script: &str) -> Child {
    let this = std::env::current_exe().expect("knows its own program");
    Command::new(this)
        .args(["--exact", "orphans::worker_to_be_killed", "--ignored", "--nocapture"])
        .env("HOLD_BACKEND", backend)
        .env("HOLD_SCRIPT", script)
        .stdout(Stdio::null())
        .spawn()
        .expect("starts a worker")
}

/// The engine removes a container a moment after its end.
pub(crate) async fn becomes(condition: impl Fn() -> bool, otherwise: &str) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "{otherwise}");
        sleep(Duration::from_millis(50)).await;
    }
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
