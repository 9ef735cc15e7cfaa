//! Mounts and the usage of a file system.

use std::ffi::{CStr, CString};
use std::io::Result;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::check;

/// Free blocks and free inodes of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FsUsage {
    pub(crate) free_blocks: u64,
    pub(crate) free_files: u64,
}

/// Returns the free blocks and inodes of the file system at `path`.
pub(crate) fn fs_usage(path: &CStr) -> Result<FsUsage> {
    #[expect(unsafe_code, reason = "statvfs is plain data, filled by the call; the path is terminated")]
    let (result, stat) = unsafe {
        let mut stat: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &raw mut stat), stat)
    };
    check(result).map(|_| FsUsage { free_blocks: stat.f_bavail, free_files: stat.f_ffree })
}

/// Returns whether the file system at `path` has no space for another page or file.
pub(crate) fn is_full(path: &CStr) -> bool {
    /// A writer that reached the limit leaves fewer blocks than this.
    const SPARE_BLOCKS: u64 = 4;
    fs_usage(path).is_ok_and(|usage| usage.free_blocks <= SPARE_BLOCKS || usage.free_files == 0)
}

/// Mounts a bounded tmpfs with nosuid, nodev and noexec; needs `CAP_SYS_ADMIN` in the mount's namespace.
pub(crate) fn mount_tmpfs(target: &CStr, options: &str) -> Result<()> {
    mount_tmpfs_with(target, options, libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC)
}

/// Mounts a bounded tmpfs with nosuid and nodev, whose files may be executed.
pub(crate) fn mount_programs(target: &CStr, options: &str) -> Result<()> {
    mount_tmpfs_with(target, options, libc::MS_NOSUID | libc::MS_NODEV)
}

/// Mounts the work directory of a positive control.
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

/// Binds `source` to `target` for this process and its children only; needs root.
pub(crate) fn bind_mount_private(source: &Path, target: &Path) -> Result<()> {
    let source = CString::new(source.as_os_str().as_bytes())?;
    let target = CString::new(target.as_os_str().as_bytes())?;
    #[expect(unsafe_code, reason = "no pointer")]
    check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    let mount = |source: *const libc::c_char, target: &CStr, flags: libc::c_ulong| {
        #[expect(unsafe_code, reason = "the strings are terminated and outlive the call, or null where unused")]
        let result = unsafe { libc::mount(source, target.as_ptr(), std::ptr::null(), flags, std::ptr::null()) };
        check(result)
    };
    // Otherwise a shared mount would propagate the bind to the host.
    mount(std::ptr::null(), c"/", libc::MS_REC | libc::MS_PRIVATE)?;
    mount(source.as_ptr(), &target, libc::MS_BIND).map(drop)
}
