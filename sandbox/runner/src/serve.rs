//! The main loop of a runner, process 1 of its sandbox: one job, or several of one owner with a wipe after each.

use std::fs::File;
use std::io::Write;
use std::iter::Peekable;
use std::os::fd::AsFd;
use std::path::Path;

use crate::cgroup::Meter;
use crate::child::prestart::Prestarted;
use crate::launch::SAMPLES_FD;
use crate::protocol::{self, Finished, HostFrame, JOB_DIR, JobFrame, PROTOCOL, Ready, Refused, RunnerFrame, WORK_DIR};
use crate::supervision::Supervision;
use crate::supervision::monitor::Monitor;
use crate::sys::FsUsage;
use crate::{cgroup, child, output_files, sys, work_files};

/// Sends ready, reads a job, runs it and sends its result; repeats if the job allows it.
///
/// `--mount-work SIZE INODES` first mounts the writable file system, for a host that cannot, and `--mount-programs SIZE
/// INODES` that of executable files. `--samples` reads the usage of the job's processes from the companion
/// ([`crate::launch`]), for a sandbox without `/proc`.
pub fn serve(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    if std::process::id() != 1 {
        return Err("must be process 1 of its own pid namespace: it kills every other process it can see".into());
    }
    let mut monitor = prepare(arguments)?;
    let empty = usage()?;
    let meter = Meter::at(Path::new(cgroup::MOUNT));
    loop {
        write_frame(&RunnerFrame::Ready(Ready { protocol: PROTOCOL, landlock_abi: sys::landlock_abi() }))?;
        // The host closed stdin without sending a job.
        let Some((job, prestarted)) = read_job()? else { return Ok(()) };
        let (reusable, output_files) = (job.reusable, job.limits.output_files);
        let mut finished = match run(job, prestarted, &meter, &mut monitor) {
            Ok(finished) => finished,
            Err(refused) => return write_frame(&RunnerFrame::Refused(refused)),
        };
        if !finished.cancelled {
            let send = |file| write_frame(&RunnerFrame::OutputFile(file));
            finished.left_out = output_files::collect(Path::new(JOB_DIR), output_files, send)?;
        }
        let reusable_after = is_reusable(&finished);
        write_frame(&RunnerFrame::Finished(Box::new(finished)))?;
        if !(reusable && reusable_after) {
            return Ok(());
        }
        wipe(empty)?;
    }
}

/// Reads the next job and the process that was prestarted for it.
fn read_job() -> Result<Option<(JobFrame, Option<Prestarted>)>, String> {
    let mut prestarted = None;
    loop {
        let frame = protocol::read_frame(&mut std::io::stdin().lock()).map_err(|error| error.to_string())?;
        match frame {
            None => return Ok(None),
            Some(HostFrame::Job(job)) => return Ok(Some((*job, prestarted))),
            Some(HostFrame::Prestart(_)) if prestarted.is_some() => {
                return Err("only one process can be prestarted".into());
            }
            Some(HostFrame::Prestart(frame)) => {
                // A failure is reported when the job arrives, which then starts its own process.
                prestarted = Prestarted::start(frame).ok();
            }
        }
    }
}

/// Returns whether another job may follow; after a kill or an exceeded limit the sandbox may be in any state.
fn is_reusable(finished: &Finished) -> bool {
    let stopped = finished.wall_exceeded || finished.cpu_exceeded || finished.cancelled || finished.disk_full;
    finished.exit_code.is_some() && !stopped && finished.oom_kills == 0 && finished.pids_refused == 0
}

/// Removes everything the last job left and verifies it: no process, no file, and no page of an open deleted file.
fn wipe(empty: Usage) -> Result<(), String> {
    work_files::remove_all().map_err(|error| format!("cannot empty the work directory: {error}"))?;
    if sys::other_processes_exist() {
        return Err("a process of the last job is still running".into());
    }
    if usage()? != empty {
        return Err("the work directory or shared memory uses more space than before the job".into());
    }
    Ok(())
}

/// The usage of the work directory and of shared memory, which may be on the same file system.
type Usage = (FsUsage, Option<FsUsage>);

fn usage() -> Result<Usage, String> {
    let work = sys::fs_usage(c"/work").map_err(|error| format!("cannot stat the work directory: {error}"))?;
    // A link to a folder that is not there yet has no usage of its own.
    Ok((work, sys::fs_usage(c"/dev/shm").ok()))
}

/// Mounts the writable file systems that the arguments name, and drops the capability for it.
fn mount(arguments: &mut Peekable<impl Iterator<Item = String>>) -> Result<(), String> {
    let failed = |what: &'static str| move |error: std::io::Error| format!("cannot {what}: {error}");
    if arguments.peek().is_none() {
        return Ok(());
    }
    while let Some(option) = arguments.next_if(|option| option.starts_with("--mount-")) {
        let (Some(size), Some(inodes)) = (arguments.next(), arguments.next()) else { return Err(USAGE.into()) };
        let options = format!("size={size},nr_inodes={inodes},mode=0700");
        match option.as_str() {
            "--mount-work" => sys::mount_tmpfs(c"/work", &options).map_err(failed("mount the work directory"))?,
            "--mount-programs" => {
                sys::mount_programs(c"/programs", &options).map_err(failed("mount the folder of programs"))?;
            }
            _ => return Err(USAGE.into()),
        }
    }
    sys::drop_capabilities().map_err(failed("drop capabilities"))
}

const USAGE: &str =
    "usage: promptcraft-runner serve [--mount-work SIZE INODES [--mount-programs SIZE INODES] [--samples]]";

fn prepare(arguments: impl Iterator<Item = String>) -> Result<Monitor, String> {
    let failed = |what: &'static str| move |error: std::io::Error| format!("cannot {what}: {error}");
    sys::close_on_exec_from(3).map_err(failed("mark inherited descriptors"))?;
    let mut arguments = arguments.peekable();
    mount(&mut arguments)?;
    let monitor = match arguments.next().as_deref() {
        Some("--samples") => Monitor::of_companion(sys::inherited_pipe(SAMPLES_FD).map_err(failed("read samples"))?),
        _ => Monitor::OwnProc,
    };
    // After the mount; otherwise the working directory would be the one below it.
    std::env::set_current_dir(WORK_DIR).map_err(failed("enter the work directory"))?;
    sys::set_no_new_privileges().map_err(failed("set no_new_privs"))?;
    sys::set_dumpable(false).map_err(failed("hide the runner's memory"))?;
    Ok(monitor)
}

fn run(
    job: JobFrame,
    prestarted: Option<Prestarted>,
    meter: &Meter,
    monitor: &mut Monitor,
) -> Result<Finished, Refused> {
    work_files::make_directories()?;
    work_files::write_all(&job.files)?;
    let failed = |error: std::io::Error| Refused { code: "runner_failed".into(), detail: error.to_string() };
    let child_exits = sys::child_exit_events().map_err(failed)?;
    let before = meter.read();
    let (limits, live_output) = (job.limits.clone(), job.live_output);
    let started = match prestarted.and_then(|prestarted| prestarted.claim(&job.start, &limits)) {
        Some(started) => started,
        None => child::start(&job.start, &limits)?,
    };
    // Frees the memory of the files, which now count as the job's.
    drop(job);
    let mut supervision = Supervision::new(started, &limits, child_exits, (meter, before), monitor);
    if live_output {
        let host = std::io::stdout().as_fd().try_clone_to_owned().map_err(failed)?;
        supervision = supervision.with_live_output(File::from(host));
    }
    supervision.run().map_err(failed)
}

fn write_frame(frame: &RunnerFrame) -> Result<(), String> {
    let bytes = protocol::encode(frame).map_err(|error| error.to_string())?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&bytes).and_then(|()| stdout.flush()).map_err(|error| format!("cannot write to the host: {error}"))
}
