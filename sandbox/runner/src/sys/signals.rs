//! Signals sent and received.

use std::io::Result;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libc::c_int;

use super::check;

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

/// Opens a descriptor of a process that becomes readable once it has ended.
pub(crate) fn open_pidfd(pid: u32) -> Result<OwnedFd> {
    #[expect(unsafe_code, reason = "no pointer; the new descriptor is owned at once")]
    unsafe {
        let fd = check(libc::syscall(libc::SYS_pidfd_open, pid, 0) as c_int)?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Kills the process of a descriptor, never another one that reuses its pid.
pub(crate) fn kill_pidfd(process: &OwnedFd) -> Result<()> {
    let nothing = std::ptr::null::<libc::siginfo_t>();
    #[expect(unsafe_code, reason = "the one pointer is null, which asks for a plain signal")]
    let result = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), libc::SIGKILL, nothing, 0) };
    check(result as c_int).map(drop)
}

/// Kills every process of this process's group, including itself.
pub(crate) fn kill_own_process_group() {
    #[expect(unsafe_code, reason = "no pointer")]
    unsafe {
        libc::kill(0, libc::SIGKILL)
    };
}

/// Kills every other process of this pid namespace.
///
/// Does nothing unless this process is process 1; otherwise it would kill every process of the machine.
pub(crate) fn kill_all_others() {
    if std::process::id() == 1 {
        #[expect(unsafe_code, reason = "no pointer; as process 1 it reaches the job's processes and no others")]
        unsafe {
            libc::kill(-1, libc::SIGKILL)
        };
    }
}
