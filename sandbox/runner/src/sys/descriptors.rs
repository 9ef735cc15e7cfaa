//! File descriptors: inheritance, polling, and files created relative to an open folder.

use std::ffi::{CStr, CString};
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::c_int;

use super::check;

/// Duplicates `source` onto `target`, without close-on-exec.
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

/// Makes writes to a full pipe fail instead of waiting.
pub(crate) fn do_not_block(descriptor: &impl AsRawFd) -> Result<()> {
    #[expect(unsafe_code, reason = "changes a flag of a descriptor we hold")]
    let result = unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    check(result).map(drop)
}

/// Takes over a pipe that the starting process left open at this number; an error if it is not open.
pub(crate) fn inherited_pipe(descriptor: c_int) -> Result<std::io::PipeReader> {
    #[expect(unsafe_code, reason = "asks for a flag only")]
    check(unsafe { libc::fcntl(descriptor, libc::F_GETFD) })?;
    #[expect(unsafe_code, reason = "is open, and the caller is its only user")]
    let owned = unsafe { OwnedFd::from_raw_fd(descriptor) };
    Ok(owned.into())
}

/// Sets close-on-exec on every descriptor from `first` on.
pub(crate) fn close_on_exec_from(first: u32) -> Result<()> {
    #[expect(unsafe_code, reason = "only flags change; nothing is closed under an owner")]
    let result =
        unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_uint) };
    if result == 0 {
        return Ok(());
    }
    match Error::last_os_error().raw_os_error() {
        // gVisor has the call but not the flag. Its containers inherit three descriptors.
        Some(libc::EINVAL | libc::ENOSYS) => close_on_exec_each(first),
        _ => Err(Error::last_os_error()),
    }
}

fn close_on_exec_each(first: u32) -> Result<()> {
    const MAX_DESCRIPTORS: u32 = 1024;
    for descriptor in first..MAX_DESCRIPTORS {
        #[expect(unsafe_code, reason = "only a flag changes; an invalid descriptor is an error")]
        let result = unsafe { libc::fcntl(descriptor.cast_signed(), libc::F_SETFD, libc::FD_CLOEXEC) };
        if let Err(error) = check(result)
            && error.raw_os_error() != Some(libc::EBADF)
        {
            return Err(error);
        }
    }
    Ok(())
}

/// Closes every descriptor from `first` on, for a process that uses none of them.
pub(crate) fn close_from(first: u32) -> Result<()> {
    #[expect(unsafe_code, reason = "the caller uses none of them again, and ends without dropping their owners")]
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0 as libc::c_uint) };
    check(result as c_int).map(drop)
}

/// Waits at most `timeout_ms` until one of `fds` is readable or closed; returns which are.
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

/// Creates an anonymous file that is inherited over exec.
pub(crate) fn anonymous_file(name: &CStr) -> Result<std::fs::File> {
    #[expect(unsafe_code, reason = "the name is terminated; the new descriptor is owned by the file at once")]
    unsafe {
        let fd = check(libc::memfd_create(name.as_ptr(), 0))?;
        Ok(std::fs::File::from_raw_fd(fd))
    }
}

/// Creates a folder in an opened one if it does not exist, and opens it; a link is an error.
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

/// Creates a file in an opened folder; an existing file or link is an error.
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
