//! Process attributes, forks and wait statuses.

use std::io::{Error, Result};

use libc::c_int;

use super::check;

fn prctl(option: c_int, argument: libc::c_ulong) -> Result<()> {
    #[expect(unsafe_code, reason = "callers pass options whose argument is a plain number")]
    let result = unsafe { libc::prctl(option, argument, 0 as libc::c_ulong, 0 as libc::c_ulong, 0 as libc::c_ulong) };
    check(result).map(drop)
}

/// Prevents this process and its children from gaining privileges by exec.
pub(crate) fn set_no_new_privileges() -> Result<()> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1)
}

/// Sets whether processes of the same user may trace this process or read its memory.
pub(crate) fn set_dumpable(dumpable: bool) -> Result<()> {
    prctl(libc::PR_SET_DUMPABLE, libc::c_ulong::from(dumpable))
}

/// Requests SIGKILL for this process when its parent thread ends.
pub(crate) fn die_with_parent() -> Result<()> {
    prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)
}

/// Drops every capability, including those that an exec could restore.
pub(crate) fn drop_capabilities() -> Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    for capability in 0..=63 {
        match prctl(libc::PR_CAPBSET_DROP, capability) {
            Ok(()) => {}
            // The first unknown number ends the list. Without CAP_SETPCAP the set stays, and no_new_privs makes it
            // unusable.
            Err(_) => break,
        }
    }
    prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong)?;
    let header = Header { version: VERSION_3, pid: 0 };
    let nothing = [[0u32; 3]; 2];
    #[expect(unsafe_code, reason = "header and both data records have the layout of version 3 and outlive the call")]
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, nothing.as_ptr()) };
    if result < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

/// Switches to another user irrevocably: groups, group, user, in that order.
pub(crate) fn become_user(uid: u32, gid: u32) -> Result<()> {
    #[expect(unsafe_code, reason = "no pointers but the empty group list")]
    unsafe {
        check(libc::setgroups(0, std::ptr::null()))?;
        check(libc::setresgid(gid, gid, gid))?;
        check(libc::setresuid(uid, uid, uid)).map(drop)
    }
}

/// Lowers this process's priority, so that the runner can still kill hundreds of busy processes
/// (`tests/attacks/cases/resources/fork_bomb_that_hides`).
///
/// Not to the minimum: the kernel weighs a container by its processes, so on a busy machine the minimum would leave it
/// a fraction of its share. Relative, because the worker itself may have a low priority, which cannot be raised.
pub(crate) fn lower_priority() {
    const STEPS: c_int = 10;
    #[expect(unsafe_code, reason = "changes this process's own priority; no pointer is passed")]
    // Lowering cannot fail.
    unsafe {
        libc::nice(STEPS)
    };
}

/// Makes this process the leader of a new process group.
pub(crate) fn create_process_group() -> Result<()> {
    #[expect(unsafe_code, reason = "no pointer")]
    check(unsafe { libc::setpgid(0, 0) }).map(drop)
}

/// Runs `prepare` in the child between fork and exec of `command`.
pub(crate) fn before_exec(
    command: &mut std::process::Command,
    prepare: impl FnMut() -> Result<()> + Send + Sync + 'static,
) {
    use std::os::unix::process::CommandExt;
    #[expect(unsafe_code, reason = "the runner has one thread, so a forked child may allocate and lock")]
    unsafe {
        command.pre_exec(prepare)
    };
}

/// Runs `work` in a forked child that then exits; the caller must have one thread.
pub(crate) fn fork_and_run(work: impl FnOnce()) -> Result<()> {
    #[expect(
        unsafe_code,
        reason = "with one thread, a forked child may allocate and lock; it ends without cleaning up"
    )]
    unsafe {
        if check(libc::fork())? == 0 {
            work();
            libc::_exit(0);
        }
    }
    Ok(())
}

/// Returns whether this process can start another without exceeding this number of its user; tries it.
///
/// Changes the soft limit of this process, which must be unprivileged and have one thread.
pub(crate) fn can_fork_within(processes: u64) -> bool {
    super::set_soft_limit(libc::RLIMIT_NPROC, processes).and_then(|()| fork_and_run(|| {})).is_ok()
}

/// Returns whether other processes exist in this pid namespace.
pub(crate) fn other_processes_exist() -> bool {
    #[expect(unsafe_code, reason = "signal 0 only asks")]
    let result = unsafe { libc::kill(-1, 0) };
    result == 0 || Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}

/// The result of [`reap`].
pub(crate) enum Reaped {
    /// CPU time and largest resident set include those of reaped children.
    Ended {
        pid: i32,
        status: c_int,
        cpu_ms: u64,
        rss_bytes: u64,
    },
    StillRunning,
    NoChildren,
}

/// Reaps one ended child without blocking.
pub(crate) fn reap() -> Reaped {
    let mut status = 0;
    #[expect(unsafe_code, reason = "rusage is plain data; both records outlive the call that fills them")]
    let (pid, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(-1, &raw mut status, libc::WNOHANG, &raw mut usage), usage)
    };
    match pid {
        0 => Reaped::StillRunning,
        pid if pid > 0 => {
            let microseconds = |time: libc::timeval| (time.tv_sec * 1_000_000 + time.tv_usec) as u64;
            let cpu_ms = (microseconds(usage.ru_utime) + microseconds(usage.ru_stime)) / 1000;
            Reaped::Ended { pid, status, cpu_ms, rss_bytes: usage.ru_maxrss as u64 * 1024 }
        }
        _ => Reaped::NoChildren,
    }
}

/// Returns the exit code or the signal of a wait status.
pub(crate) fn decode_status(status: c_int) -> (Option<i32>, Option<i32>) {
    if libc::WIFEXITED(status) { (Some(libc::WEXITSTATUS(status)), None) } else { (None, Some(libc::WTERMSIG(status))) }
}
