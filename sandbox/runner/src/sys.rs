//! The system calls the runner needs and the standard library does not offer, each behind a safe function.

use std::ffi::{CStr, CString};
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libc::c_int;

fn check(result: c_int) -> Result<c_int> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}

/// Landlock version of the running kernel, 0 where there is none.
pub(crate) fn landlock_abi() -> u32 {
    const VERSION: u32 = 1;
    #[expect(unsafe_code, reason = "asks for a number: no pointer is passed")]
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0, VERSION) };
    let version = u32::try_from(version).unwrap_or(0);
    if cfg!(feature = "landlock-abi-2") { version.min(2) } else { version }
}

fn prctl(option: c_int, argument: libc::c_ulong) -> Result<()> {
    #[expect(unsafe_code, reason = "callers pass options whose argument is a plain number")]
    let result = unsafe { libc::prctl(option, argument, 0 as libc::c_ulong, 0 as libc::c_ulong, 0 as libc::c_ulong) };
    check(result).map(drop)
}

/// Forbids this process and its children to gain privileges by exec.
pub(crate) fn set_no_new_privileges() -> Result<()> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1)
}

/// Says whether others of the same user may trace this process or read its memory.
pub(crate) fn set_dumpable(dumpable: bool) -> Result<()> {
    prctl(libc::PR_SET_DUMPABLE, libc::c_ulong::from(dumpable))
}

/// Kills this process when its parent thread ends.
pub(crate) fn die_with_parent() -> Result<()> {
    prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)
}

/// Sets both the soft and the hard limit; `grace` lets the hard one follow later.
pub(crate) fn set_limit(resource: libc::__rlimit_resource_t, soft: u64, grace: u64) -> Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: soft.saturating_add(grace) };
    #[expect(unsafe_code, reason = "the struct outlives the call")]
    let result = unsafe { libc::setrlimit(resource, &raw const limit) };
    check(result).map(drop)
}

/// Makes `source` available as `target`, kept over exec.
pub(crate) fn duplicate_onto(source: &impl AsRawFd, target: c_int) -> Result<()> {
    let source = source.as_raw_fd();
    if source == target {
        #[expect(unsafe_code, reason = "clears close-on-exec of a descriptor we hold")]
        let result = unsafe { libc::fcntl(source, libc::F_SETFD, 0) };
        return check(result).map(drop);
    }
    #[expect(unsafe_code, reason = "the caller owns what it replaces: a freshly forked child, or descriptor 3")]
    let result = unsafe { libc::dup2(source, target) };
    check(result).map(drop)
}

/// Takes a low priority: among hundreds of busy processes the runner, and with it the kill, must still come to its
/// turn (`tests/attacks/resources/fork_bomb_that_hides`).
///
/// Not the lowest: the kernel weighs a container by what runs in it, and on a busy machine one whose only process has
/// the lowest priority gets a fraction of its share.
///
/// Relative, so that it also holds where all of us run at a low priority already, and nobody may go back up.
pub(crate) fn yield_to_the_runner() {
    const STEPS: c_int = 10;
    #[expect(unsafe_code, reason = "changes this process's own priority; no pointer is passed")]
    // Downwards it cannot fail.
    unsafe {
        libc::nice(STEPS)
    };
}

/// Marks every descriptor from `first` on close-on-exec.
pub(crate) fn close_on_exec_from(first: u32) -> Result<()> {
    #[expect(unsafe_code, reason = "only flags change; nothing is closed under an owner")]
    let result =
        unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_uint) };
    if result == 0 {
        return Ok(());
    }
    match Error::last_os_error().raw_os_error() {
        // gVisor knows the call and not the flag. Its containers inherit three descriptors.
        Some(libc::EINVAL | libc::ENOSYS) => close_on_exec_each(first),
        _ => Err(Error::last_os_error()),
    }
}

fn close_on_exec_each(first: u32) -> Result<()> {
    const MOST: u32 = 1024;
    for descriptor in first..MOST {
        #[expect(unsafe_code, reason = "only a flag changes; a number that is no descriptor is an error, and no harm")]
        let result = unsafe { libc::fcntl(descriptor.cast_signed(), libc::F_SETFD, libc::FD_CLOEXEC) };
        if let Err(error) = check(result)
            && error.raw_os_error() != Some(libc::EBADF)
        {
            return Err(error);
        }
    }
    Ok(())
}

/// Blocks SIGCHLD and returns a descriptor that becomes readable on each.
pub(crate) fn child_exit_events() -> Result<OwnedFd> {
    #[expect(unsafe_code, reason = "sigset_t is plain data, filled by the calls that follow")]
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        check(libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()))?;
        let fd = check(libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Waits until one of `fds` is readable or closed, at most `timeout_ms`; says which.
pub(crate) fn poll(fds: &[Option<BorrowedFd<'_>>], timeout_ms: i32) -> Result<Vec<bool>> {
    let mut entries: Vec<libc::pollfd> = fds
        .iter()
        .map(|fd| libc::pollfd { fd: fd.map_or(-1, |fd| fd.as_raw_fd()), events: libc::POLLIN, revents: 0 })
        .collect();
    #[expect(unsafe_code, reason = "pointer and length describe one live vector")]
    let result = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, timeout_ms) };
    match check(result) {
        Ok(_) => Ok(entries.iter().map(|entry| entry.revents != 0).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(vec![false; fds.len()]),
        Err(error) => Err(error),
    }
}

/// Limits another process, also when it has been running for a while.
pub(crate) fn limit_process(pid: i32, resource: libc::__rlimit_resource_t, soft: u64, grace: u64) -> Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: soft.saturating_add(grace) };
    #[expect(unsafe_code, reason = "the struct outlives the call; the old limit is not asked for")]
    let result = unsafe { libc::prlimit(pid, resource, &raw const limit, std::ptr::null_mut()) };
    check(result).map(drop)
}

/// Whether this pid namespace, of which the caller is process 1, holds any other process.
pub(crate) fn has_company() -> bool {
    #[expect(unsafe_code, reason = "signal 0 only asks")]
    let result = unsafe { libc::kill(-1, 0) };
    result == 0 || Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}

/// What one call of [`reap`] found.
pub(crate) enum Reaped {
    /// With its CPU milliseconds and its largest resident set in bytes, those of the children it waited for included.
    Ended {
        pid: i32,
        status: c_int,
        cpu_ms: u64,
        rss_bytes: u64,
    },
    StillRunning,
    NoChildren,
}

/// Collects one ended child without blocking.
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

/// Exit code or signal of a wait status.
pub(crate) fn decode_status(status: c_int) -> (Option<i32>, Option<i32>) {
    if libc::WIFEXITED(status) { (Some(libc::WEXITSTATUS(status)), None) } else { (None, Some(libc::WTERMSIG(status))) }
}

/// Puts this process into a process group of its own, with its number.
pub(crate) fn lead_a_process_group() -> Result<()> {
    #[expect(unsafe_code, reason = "no pointer")]
    check(unsafe { libc::setpgid(0, 0) }).map(drop)
}

/// Kills every process of this process's group, itself included.
pub(crate) fn kill_own_process_group() {
    #[expect(unsafe_code, reason = "no pointer")]
    unsafe {
        libc::kill(0, libc::SIGKILL)
    };
}

/// A descriptor of a process, readable once it has ended.
pub(crate) fn process_descriptor(pid: u32) -> Result<OwnedFd> {
    #[expect(unsafe_code, reason = "no pointer; the new descriptor is owned at once")]
    unsafe {
        let fd = check(libc::syscall(libc::SYS_pidfd_open, pid, 0) as c_int)?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Kills the process of a descriptor, and no other that has its number now.
pub(crate) fn kill_process(process: &OwnedFd) -> Result<()> {
    let nothing = std::ptr::null::<libc::siginfo_t>();
    #[expect(unsafe_code, reason = "the one pointer is null, which asks for a plain signal")]
    let result = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), libc::SIGKILL, nothing, 0) };
    check(result as c_int).map(drop)
}

/// Runs `work` in a forked child that then ends; the caller must have one thread.
pub(crate) fn fork_off(work: impl FnOnce()) -> Result<()> {
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

/// Closes every descriptor from `first` on, whoever owns it: for a process that uses none of them.
pub(crate) fn close_from(first: u32) -> Result<()> {
    #[expect(unsafe_code, reason = "the caller uses none of them again, and ends without dropping their owners")]
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0 as libc::c_uint) };
    check(result as c_int).map(drop)
}

/// Kills every other process of this process's own pid namespace.
///
/// Does nothing unless this process is number 1 there: elsewhere "every process" would be the machine's.
pub(crate) fn kill_everything_else() {
    if std::process::id() == 1 {
        #[expect(unsafe_code, reason = "no pointer; as process 1 it reaches the job's processes and no others")]
        unsafe {
            libc::kill(-1, libc::SIGKILL)
        };
    }
}

/// Free blocks and free files of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) blocks: u64,
    pub(crate) files: u64,
}

/// The room that is left on the file system at `path`.
pub(crate) fn room(path: &CStr) -> Result<Room> {
    #[expect(unsafe_code, reason = "statvfs is plain data, filled by the call; the path is terminated")]
    let (result, stat) = unsafe {
        let mut stat: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &raw mut stat), stat)
    };
    check(result).map(|_| Room { blocks: stat.f_bavail, files: stat.f_ffree })
}

/// Whether the file system at `path` has no room for another page or another file.
pub(crate) fn is_full(path: &CStr) -> bool {
    /// A writer that met the limit leaves less than this many blocks.
    const SPARE_BLOCKS: u64 = 4;
    room(path).is_ok_and(|room| room.blocks <= SPARE_BLOCKS || room.files == 0)
}

/// Mounts a tmpfs that runs nothing, holds no devices and has a size; needs `CAP_SYS_ADMIN` in the mount's namespace.
pub(crate) fn mount_tmpfs(target: &CStr, options: &str) -> Result<()> {
    mount_tmpfs_with(target, options, libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC)
}

/// The work directory of a positive control.
#[cfg(feature = "positive-controls")]
pub(crate) fn mount_work(options: &str, executable: bool) -> Result<()> {
    let flags = libc::MS_NOSUID | libc::MS_NODEV;
    mount_tmpfs_with(c"/work", options, if executable { flags } else { flags | libc::MS_NOEXEC })
}

fn mount_tmpfs_with(target: &CStr, options: &str, flags: libc::c_ulong) -> Result<()> {
    let options = CString::new(options)?;
    #[expect(unsafe_code, reason = "all strings are terminated and outlive the call")]
    let result =
        unsafe { libc::mount(c"tmpfs".as_ptr(), target.as_ptr(), c"tmpfs".as_ptr(), flags, options.as_ptr().cast()) };
    check(result).map(drop)
}

/// Shows `source` as `target` to this process and its children alone; needs root.
pub(crate) fn bind_for_this_process(source: &Path, target: &Path) -> Result<()> {
    let source = CString::new(source.as_os_str().as_bytes())?;
    let target = CString::new(target.as_os_str().as_bytes())?;
    #[expect(unsafe_code, reason = "no pointer")]
    check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    let mount = |source: *const libc::c_char, target: &CStr, flags: libc::c_ulong| {
        #[expect(unsafe_code, reason = "the strings are terminated and outlive the call, or null where unused")]
        let result = unsafe { libc::mount(source, target.as_ptr(), std::ptr::null(), flags, std::ptr::null()) };
        check(result)
    };
    // Otherwise a shared mount would show the bind to the whole machine.
    mount(std::ptr::null(), c"/", libc::MS_REC | libc::MS_PRIVATE)?;
    mount(source.as_ptr(), &target, libc::MS_BIND).map(drop)
}

/// Gives up every capability, also those that an exec could bring back.
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
            // The first number the kernel does not know ends the list; without CAP_SETPCAP the set stays, and
            // no_new_privs keeps it unreachable.
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

/// Becomes another user for good: groups, group, user, in that order.
pub(crate) fn become_user(uid: u32, gid: u32) -> Result<()> {
    #[expect(unsafe_code, reason = "no pointers but the empty group list")]
    unsafe {
        check(libc::setgroups(0, std::ptr::null()))?;
        check(libc::setresgid(gid, gid, gid))?;
        check(libc::setresuid(uid, uid, uid)).map(drop)
    }
}

/// An anonymous file, inherited over exec.
pub(crate) fn anonymous_file(name: &CStr) -> Result<std::fs::File> {
    #[expect(unsafe_code, reason = "the name is terminated; the new descriptor is owned by the file at once")]
    unsafe {
        let fd = check(libc::memfd_create(name.as_ptr(), 0))?;
        Ok(std::fs::File::from_raw_fd(fd))
    }
}

/// Makes and opens a folder in an opened one, or opens the one that is there; a link to one is an error.
pub(crate) fn make_directory_in(folder: BorrowedFd<'_>, name: &str) -> Result<OwnedFd> {
    const MODE: libc::mode_t = 0o777;
    let name = CString::new(name)?;
    #[expect(
        unsafe_code,
        reason = "the name is terminated and outlives both calls; the new descriptor is owned at once"
    )]
    unsafe {
        if let Err(error) = check(libc::mkdirat(folder.as_raw_fd(), name.as_ptr(), MODE))
            && error.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(error);
        }
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
        Ok(OwnedFd::from_raw_fd(check(libc::openat(folder.as_raw_fd(), name.as_ptr(), flags))?))
    }
}

/// Creates a file in an opened folder; whatever has the name already, a link too, is an error.
pub(crate) fn create_file_in(folder: BorrowedFd<'_>, name: &str) -> Result<std::fs::File> {
    const MODE: libc::c_uint = 0o666;
    let name = CString::new(name)?;
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    #[expect(unsafe_code, reason = "the name is terminated; the new descriptor is owned by the file at once")]
    unsafe {
        let fd = check(libc::openat(folder.as_raw_fd(), name.as_ptr(), flags, MODE))?;
        Ok(std::fs::File::from_raw_fd(fd))
    }
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
