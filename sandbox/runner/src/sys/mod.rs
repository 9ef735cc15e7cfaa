//! System calls that the standard library does not offer, each behind a safe function.

mod descriptors;
mod limits;
mod mount;
mod process;
mod signals;

use std::io::{Error, Result};

use libc::c_int;

pub(crate) use descriptors::{
    anonymous_file, close_from, close_on_exec_from, create_file_in, do_not_block, duplicate_onto, inherited_pipe,
    make_directory_in, poll,
};
pub(crate) use limits::{set_limit, set_process_limit, set_soft_limit};
#[cfg(feature = "positive-controls")]
pub(crate) use mount::mount_work;
pub(crate) use mount::{FsUsage, bind_mount_private, fs_usage, is_full, mount_programs, mount_tmpfs};
pub(crate) use process::{
    Reaped, become_user, before_exec, can_fork_within, create_process_group, decode_status, die_with_parent,
    drop_capabilities, fork_and_run, lower_priority, other_processes_exist, reap, set_dumpable, set_no_new_privileges,
};
pub(crate) use signals::{child_exit_events, kill_all_others, kill_own_process_group, kill_pidfd, open_pidfd};

fn check(result: c_int) -> Result<c_int> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}

/// Returns the Landlock ABI of the kernel, 0 without Landlock.
pub(crate) fn landlock_abi() -> u32 {
    const VERSION: u32 = 1;
    #[expect(unsafe_code, reason = "returns a number; the only pointer is null")]
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0, VERSION) };
    let version = u32::try_from(version).unwrap_or(0);
    if cfg!(feature = "landlock-abi-2") { version.min(2) } else { version }
}
