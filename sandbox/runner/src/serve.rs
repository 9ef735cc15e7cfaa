//! The life of one job, as process 1 of its sandbox.

use std::io::Write;
use std::path::Path;

use crate::protocol::{self, Finished, JobFrame, PROTOCOL, Ready, Refused, RunnerFrame, WORK_DIR};
use crate::supervise::Supervision;
use crate::{cgroup, child, sys, work_files};

/// Serves one job: says that it is ready, reads the job, runs it, says how it ended.
///
/// `--mount-work SIZE INODES` first mounts the writable file system, for a host that cannot.
pub fn serve(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    if std::process::id() != 1 {
        return Err("must be process 1 of a pid namespace of its own: it kills every other process it sees".into());
    }
    prepare(arguments)?;
    say(&RunnerFrame::Ready(Ready { protocol: PROTOCOL, landlock_abi: sys::landlock_abi() }))?;
    let job = protocol::read_frame::<JobFrame>(&mut std::io::stdin().lock()).map_err(|error| error.to_string())?;
    // The host closed instead of sending a job: nothing to do, nobody to tell.
    let Some(job) = job else { return Ok(()) };
    say(&match run(job) {
        Ok(finished) => RunnerFrame::Finished(Box::new(finished)),
        Err(refused) => RunnerFrame::Refused(refused),
    })
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

fn run(job: JobFrame) -> Result<Finished, Refused> {
    work_files::write_all(&job.files)?;
    let failed = |error: std::io::Error| Refused { code: "runner_failed".into(), detail: error.to_string() };
    let child_exits = sys::child_exit_events().map_err(failed)?;
    let before = cgroup::read(Path::new(cgroup::MOUNT));
    let limits = job.limits.clone();
    let started = child::start(&job)?;
    // The files are in place: their memory belongs to the job from here on.
    drop(job);
    Supervision::new(started, &limits, child_exits, before).run().map_err(failed)
}

fn say(frame: &RunnerFrame) -> Result<(), String> {
    let bytes = protocol::encode(frame).map_err(|error| error.to_string())?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&bytes).and_then(|()| stdout.flush()).map_err(|error| format!("the host is gone: {error}"))
}
