//! Resource limits.

use std::io::Result;

use super::check;

/// Sets the soft limit of this process, and the hard limit `grace` above it.
pub(crate) fn set_limit(resource: libc::__rlimit_resource_t, soft: u64, grace: u64) -> Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: soft.saturating_add(grace) };
    #[expect(unsafe_code, reason = "the struct outlives the call")]
    let result = unsafe { libc::setrlimit(resource, &raw const limit) };
    check(result).map(drop)
}

/// Lowers the soft limit of this process and keeps the hard one.
pub(crate) fn set_soft_limit(resource: libc::__rlimit_resource_t, soft: u64) -> Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    #[expect(unsafe_code, reason = "the struct outlives the call that fills it")]
    check(unsafe { libc::getrlimit(resource, &raw mut limit) })?;
    limit.rlim_cur = soft.min(limit.rlim_max);
    #[expect(unsafe_code, reason = "the struct outlives the call")]
    let result = unsafe { libc::setrlimit(resource, &raw const limit) };
    check(result).map(drop)
}

/// Sets the limits of another, possibly running, process.
pub(crate) fn set_process_limit(pid: i32, resource: libc::__rlimit_resource_t, soft: u64, grace: u64) -> Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: soft.saturating_add(grace) };
    #[expect(unsafe_code, reason = "the struct outlives the call; the old limit is not asked for")]
    let result = unsafe { libc::prlimit(pid, resource, &raw const limit, std::ptr::null_mut()) };
    check(result).map(drop)
}
