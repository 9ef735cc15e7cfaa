//! The life of a runner, as process 1 of its sandbox: one job, or several of one owner with a wipe between them.

use std::io::Write;
use std::path::Path;

use crate::cgroup::Meter;
use crate::child::prestart::Prestarted;
use crate::protocol::{self, Finished, HostFrame, JobFrame, PROTOCOL, Ready, Refused, RunnerFrame, WORK_DIR};
use crate::supervision::Supervision;
use crate::sys::FsUsage;
use crate::{cgroup, child, sys, work_files};

/// Says that it is ready, reads a job, runs it, says how it ended; begins anew where the job allows it.
///
/// `--mount-work SIZE INODES` first mounts the writable file system, for a host that cannot.
pub fn serve(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    if std::process::id() != 1 {
        return Err("must be process 1 of a pid namespace of its own: it kills every other process it sees".into());
    }
    prepare(arguments)?;
    let empty = work_usage()?;
    let meter = Meter::at(Path::new(cgroup::MOUNT));
    loop {
        write_frame(&RunnerFrame::Ready(Ready { protocol: PROTOCOL, landlock_abi: sys::landlock_abi() }))?;
        // The host closed instead of sending a job: nothing to do, nobody to tell.
        let Some((job, prestarted)) = read_job()? else { return Ok(()) };
        let reusable = job.reusable;
        let finished = match run(job, prestarted, &meter) {
            Ok(finished) => finished,
            Err(refused) => return write_frame(&RunnerFrame::Refused(refused)),
        };
        let reusable_after = is_reusable(&finished);
        write_frame(&RunnerFrame::Finished(Box::new(finished)))?;
        if !(reusable && reusable_after) {
            return Ok(());
        }
        wipe(empty)?;
    }
}

/// The next job, and the process that was started for it.
fn read_job() -> Result<Option<(JobFrame, Option<Prestarted>)>, String> {
    let mut prestarted = None;
    loop {
        let frame = protocol::read_frame(&mut std::io::stdin().lock()).map_err(|error| error.to_string())?;
        match frame {
            None => return Ok(None),
            Some(HostFrame::Job(job)) => return Ok(Some((*job, prestarted))),
            Some(HostFrame::Prestart(_)) if prestarted.is_some() => {
                return Err("one process can be started prestarted".into());
            }
            Some(HostFrame::Prestart(frame)) => {
                // A wall that cannot be built is said when the job comes, which is then started anew.
                prestarted = Prestarted::start(frame).ok();
            }
        }
    }
}

/// Whoever met a limit or a kill gets no successor here: what it left may be half dead.
fn is_reusable(finished: &Finished) -> bool {
    let stopped = finished.wall_exceeded || finished.cpu_exceeded || finished.cancelled || finished.disk_full;
    finished.exit_code.is_some() && !stopped && finished.oom_kills == 0 && finished.pids_refused == 0
}

/// Leaves nothing of the last job, and is sure of it: no process, no file, no page of a file that is open somewhere.
fn wipe(empty: FsUsage) -> Result<(), String> {
    work_files::remove_all().map_err(|error| format!("cannot empty the work directory: {error}"))?;
    if sys::other_processes_exist() {
        return Err("a process of the last job is still there".into());
    }
    if work_usage()? != empty {
        return Err("the work directory is not as empty as it was".into());
    }
    Ok(())
}

fn work_usage() -> Result<FsUsage, String> {
    sys::fs_usage(c"/work").map_err(|error| format!("cannot look at the work directory: {error}"))
}

fn prepare(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let failed = |what: &'static str| move |error: std::io::Error| format!("cannot {what}: {error}");
    sys::close_on_exec_from(3).map_err(failed("mark inherited descriptors"))?;
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (None, ..) => {}
        (Some("--mount-work"), Some(size), Some(inodes)) => {
            let options = format!("size={size},nr_inodes={inodes},mode=0700");
            sys::mount_tmpfs(c"/work", &options).map_err(failed("mount the work directory"))?;
            sys::drop_capabilities().map_err(failed("drop capabilities"))?;
        }
        _ => return Err("usage: promptcraft-runner serve [--mount-work SIZE INODES]".into()),
    }
    // Entered before the mount, the working directory would still be the one below it.
    std::env::set_current_dir(WORK_DIR).map_err(failed("enter the work directory"))?;
    sys::set_no_new_privileges().map_err(failed("set no_new_privs"))?;
    sys::set_dumpable(false).map_err(failed("hide the runner's memory"))
}

fn run(job: JobFrame, prestarted: Option<Prestarted>, meter: &Meter) -> Result<Finished, Refused> {
    work_files::make_directories()?;
    work_files::write_all(&job.files)?;
    let failed = |error: std::io::Error| Refused { code: "runner_failed".into(), detail: error.to_string() };
    let child_exits = sys::child_exit_events().map_err(failed)?;
    let before = meter.read();
    let limits = job.limits.clone();
    let started = match prestarted.and_then(|prestarted| prestarted.claim(&job.start, &limits)) {
        Some(started) => started,
        None => child::start(&job.start, &limits)?,
    };
    // The files are in place: their memory belongs to the job from here on.
    drop(job);
    Supervision::new(started, &limits, child_exits, (meter, before)).run().map_err(failed)
}

fn write_frame(frame: &RunnerFrame) -> Result<(), String> {
    let bytes = protocol::encode(frame).map_err(|error| error.to_string())?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&bytes).and_then(|()| stdout.flush()).map_err(|error| format!("the host is gone: {error}"))
}
