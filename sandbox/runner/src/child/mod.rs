//! Starts the job's process: pipes, limits, Landlock, seccomp, exec.

pub(crate) mod prestart;

use std::io::{Error, PipeReader, PipeWriter, Read, Write};
use std::process::{Command, Stdio};

use crate::protocol::{JOB_DIR, JobLimits, REPORT_FD, Refused, StartFrame, Walls};
use crate::seccomp::deny_list;
use crate::{landlock_rules, sys, work_files};

/// The job's process and the read ends of its pipes.
pub(crate) struct JobProcess {
    pub(crate) pid: i32,
    pub(crate) stdout: PipeReader,
    pub(crate) stderr: PipeReader,
    pub(crate) report: PipeReader,
}

/// Starts the job, or returns which restriction failed; the job never runs with one missing.
pub(crate) fn start(frame: &StartFrame, limits: &JobLimits) -> Result<JobProcess, Refused> {
    start_with(frame, Some(limits), work_files::stdin_of(&frame.stdin)?)
}

/// Starts a process that reads `stdin`, with all restrictions but the limits of a job that is not known yet.
pub(crate) fn start_with(frame: &StartFrame, limits: Option<&JobLimits>, stdin: Stdio) -> Result<JobProcess, Refused> {
    let abi = sys::landlock_abi();
    if abi < frame.walls.minimum_landlock_abi {
        let minimum = frame.walls.minimum_landlock_abi;
        return Err(refused(
            "landlock_unavailable",
            format!("the kernel has Landlock ABI {abi}, required is {minimum}"),
        ));
    }
    let filters = deny_list::build(&frame.walls).map_err(|reason| refused("seccomp_failed", reason))?;
    spawn(frame, limits, stdin, filters).map_err(|error| refused("runner_failed", error.to_string()))?
}

fn spawn(
    frame: &StartFrame,
    limits: Option<&JobLimits>,
    stdin: Stdio,
    filters: Vec<seccompiler::BpfProgram>,
) -> Result<Result<JobProcess, Refused>, Error> {
    let (program, arguments) = frame.argv.split_first().ok_or_else(|| Error::other("argv is empty"))?;
    let (stdout, stdout_end) = std::io::pipe()?;
    let (stderr, stderr_end) = std::io::pipe()?;
    let (report, report_end) = std::io::pipe()?;
    let (mut error_reader, mut error_writer) = std::io::pipe()?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(frame.env.iter().map(|(key, value)| (key, value)))
        .current_dir(JOB_DIR)
        .stdin(stdin)
        .stdout(stdout_end)
        .stderr(stderr_end);
    let (limits, walls) = (limits.cloned(), frame.walls.clone());
    sys::before_exec(&mut command, move || {
        confine(limits.as_ref(), &walls, &filters, &report_end).map_err(|(wall, reason)| {
            // The reason is sent through the pipe; if that fails, the error number remains.
            drop(write!(error_writer, "{wall}: {reason}"));
            Error::from_raw_os_error(libc::EPERM)
        })
    });
    let spawned = command.spawn();
    // The command holds this process's copies of the child's pipe ends.
    drop(command);
    Ok(match spawned {
        Ok(child) => Ok(JobProcess { pid: child.id().cast_signed(), stdout, stderr, report }),
        Err(error) => {
            let mut reason = String::new();
            error_reader.read_to_string(&mut reason)?;
            Err(refused("wall_failed", format!("cannot start the job: {error} {reason}")))
        }
    })
}

type SetupError = (&'static str, String);

/// Runs in the forked child. The order matters: each step needs what a later one removes.
fn confine(
    limits: Option<&JobLimits>,
    walls: &Walls,
    filters: &[seccompiler::BpfProgram],
    report: &PipeWriter,
) -> Result<(), SetupError> {
    prefer_as_oom_victim();
    sys::lower_priority();
    step("limits", set_fixed_limits())?;
    step("limits", limits.map_or(Ok(()), set_limits))?;
    step("descriptors", sys::duplicate_onto(report, REPORT_FD))?;
    step("descriptors", sys::close_on_exec_from(REPORT_FD.unsigned_abs() + 1))?;
    step("no_new_privs", sys::set_no_new_privileges())?;
    step("landlock", landlock_rules::restrict(walls))?;
    filters.iter().try_for_each(|filter| step("seccomp", seccompiler::apply_filter(filter)))
}

fn step<T, E: std::fmt::Display>(wall: &'static str, result: Result<T, E>) -> Result<T, SetupError> {
    result.map_err(|error| (wall, error.to_string()))
}

/// Makes the kernel's OOM killer choose the job rather than the runner.
///
/// Best effort: without /proc the kernel chooses the largest process, which is the job as well.
fn prefer_as_oom_victim() {
    if sys::set_dumpable(true).is_ok() {
        drop(std::fs::write("/proc/self/oom_score_adj", "1000"));
    }
}

/// Time between SIGXCPU and SIGKILL.
const CPU_GRACE_SECONDS: u64 = 1;

/// Sets the limits that are equal for every job.
pub(crate) fn set_fixed_limits() -> Result<(), Error> {
    const MAX_OPEN_FILES: u64 = 256;
    sys::set_limit(libc::RLIMIT_NOFILE, MAX_OPEN_FILES, 0)?;
    sys::set_limit(libc::RLIMIT_CORE, 0, 0)?;
    sys::set_limit(libc::RLIMIT_MEMLOCK, 0, 0)?;
    // Message queues are denied by the filter as well, and gVisor does not allow this limit to be changed.
    match sys::set_limit(libc::RLIMIT_MSGQUEUE, 0, 0) {
        Err(error) if error.raw_os_error() != Some(libc::EPERM) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Sets the limits of the job on a process that was started before the job.
pub(crate) fn set_remaining_limits(pid: i32, limits: &JobLimits) -> Result<(), Error> {
    if limits.without_cgroup.is_some() {
        return Err(Error::other("a prestarted process requires a cgroup"));
    }
    sys::set_process_limit(pid, libc::RLIMIT_CPU, limits.cpu_seconds, CPU_GRACE_SECONDS)?;
    sys::set_process_limit(pid, libc::RLIMIT_FSIZE, limits.file_bytes, 0)
}

fn set_limits(limits: &JobLimits) -> Result<(), Error> {
    sys::set_limit(libc::RLIMIT_CPU, limits.cpu_seconds, CPU_GRACE_SECONDS)?;
    sys::set_limit(libc::RLIMIT_FSIZE, limits.file_bytes, 0)?;
    if let Some(limits) = &limits.without_cgroup {
        // Backup of the memory monitor: a job that grows between two samples reaches this limit.
        sys::set_limit(libc::RLIMIT_DATA, limits.data_bytes, 0)?;
        sys::set_limit(libc::RLIMIT_NPROC, limits.processes, 0)?;
    }
    Ok(())
}

fn refused(code: &str, detail: String) -> Refused {
    Refused { code: code.into(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ProcessRule, SocketRule};

    #[test]
    fn nothing_starts_below_the_job_s_landlock_minimum() {
        let walls = Walls {
            minimum_landlock_abi: 99,
            read: Vec::new(),
            exec: Vec::new(),
            processes: ProcessRule::Allowed,
            sockets: SocketRule::Loopback,
        };
        let frame = StartFrame { argv: vec!["/no/such/program".into()], env: Vec::new(), stdin: Vec::new(), walls };
        let refused = start_with(&frame, None, Stdio::null()).err().expect("is refused");
        assert_eq!(refused.code, "landlock_unavailable", "{}", refused.detail);
    }
}
