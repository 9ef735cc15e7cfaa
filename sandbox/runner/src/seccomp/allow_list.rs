//! The outer seccomp allow-list: the system calls of the runner and of every runtime, in one table.
//!
//! The Docker backend converts it to the engine's JSON profile by name, `launch` to a BPF program by number. Other
//! calls fail with EPERM; [`HIDDEN`] fails with ENOSYS.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

#[cfg(target_arch = "x86_64")]
pub(crate) const TARGET: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
pub(crate) const TARGET: TargetArch = TargetArch::aarch64;

/// Flags of `clone` that create a namespace; a call with any of them is denied.
pub const CLONE_NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64;

/// Fails with ENOSYS, so that glibc uses `clone`, whose flags a filter can check.
pub const HIDDEN: &str = "clone3";

macro_rules! calls {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name)),*] };
}

/// Calls of every architecture; the names have libc's prefix `SYS_`.
const COMMON: &[(&str, libc::c_long)] = calls![
    SYS_accept SYS_accept4 SYS_bind SYS_brk SYS_capget SYS_capset SYS_chdir SYS_clock_getres SYS_clock_gettime
    SYS_clock_nanosleep SYS_close SYS_close_range SYS_connect SYS_copy_file_range SYS_dup SYS_dup3 SYS_epoll_create1
    SYS_epoll_ctl SYS_epoll_pwait SYS_epoll_pwait2 SYS_eventfd2 SYS_execve SYS_exit SYS_exit_group SYS_faccessat
    SYS_faccessat2 SYS_fadvise64 SYS_fallocate SYS_fchdir SYS_fchmod SYS_fchmodat SYS_fchown SYS_fchownat SYS_fcntl
    SYS_fdatasync SYS_fgetxattr SYS_flistxattr SYS_flock SYS_fstat SYS_fstatfs SYS_fsync SYS_ftruncate SYS_futex
    SYS_get_robust_list SYS_getcpu SYS_getcwd SYS_getdents64 SYS_getegid SYS_geteuid SYS_getgid SYS_getgroups
    SYS_getitimer SYS_getpeername SYS_getpgid SYS_getpid SYS_getppid SYS_getpriority SYS_getrandom SYS_getresgid
    SYS_getresuid SYS_getrlimit SYS_getrusage SYS_getsid SYS_getsockname SYS_getsockopt SYS_gettid SYS_gettimeofday
    SYS_getuid SYS_getxattr SYS_inotify_add_watch SYS_inotify_init1 SYS_inotify_rm_watch SYS_ioctl SYS_kill
    SYS_landlock_add_rule SYS_landlock_create_ruleset SYS_landlock_restrict_self SYS_lgetxattr SYS_linkat SYS_listen
    SYS_listxattr SYS_llistxattr SYS_lseek SYS_madvise SYS_membarrier SYS_mincore SYS_mkdirat SYS_mknodat SYS_mlock
    SYS_mlock2 SYS_mmap SYS_mprotect SYS_mremap SYS_msync SYS_munlock SYS_munmap SYS_nanosleep SYS_newfstatat
    SYS_openat SYS_openat2 SYS_pidfd_open SYS_pidfd_send_signal SYS_pipe2 SYS_ppoll SYS_prctl SYS_pread64 SYS_preadv
    SYS_preadv2 SYS_prlimit64 SYS_pselect6 SYS_pwrite64 SYS_pwritev SYS_pwritev2 SYS_read SYS_readahead
    SYS_readlinkat SYS_readv SYS_recvfrom SYS_recvmmsg SYS_recvmsg SYS_renameat SYS_renameat2 SYS_restart_syscall
    SYS_rseq SYS_rt_sigaction SYS_rt_sigpending SYS_rt_sigprocmask SYS_rt_sigqueueinfo SYS_rt_sigreturn
    SYS_rt_sigsuspend SYS_rt_sigtimedwait SYS_rt_tgsigqueueinfo SYS_sched_get_priority_max
    SYS_sched_get_priority_min SYS_sched_getaffinity SYS_sched_getattr SYS_sched_getparam SYS_sched_getscheduler
    SYS_sched_rr_get_interval SYS_sched_setaffinity SYS_sched_yield SYS_seccomp SYS_sendfile SYS_sendmmsg SYS_sendmsg
    SYS_sendto SYS_set_robust_list SYS_set_tid_address SYS_setitimer SYS_setpgid SYS_setpriority SYS_setrlimit
    SYS_setsid SYS_setsockopt SYS_shutdown SYS_sigaltstack SYS_signalfd4 SYS_socket SYS_socketpair SYS_splice
    SYS_statfs SYS_statx SYS_symlinkat SYS_sync_file_range SYS_sysinfo SYS_tee SYS_tgkill SYS_timer_create
    SYS_timer_delete SYS_timer_getoverrun SYS_timer_gettime SYS_timer_settime SYS_timerfd_create SYS_timerfd_gettime
    SYS_timerfd_settime SYS_times SYS_tkill SYS_truncate SYS_umask SYS_uname SYS_unlinkat SYS_utimensat SYS_wait4
    SYS_waitid SYS_write SYS_writev
];

/// Older calls that x86-64 still has.
#[cfg(target_arch = "x86_64")]
const ARCH_SPECIFIC: &[(&str, libc::c_long)] = calls![
    SYS_access SYS_alarm SYS_arch_prctl SYS_chmod SYS_chown SYS_creat SYS_dup2 SYS_epoll_create SYS_epoll_wait
    SYS_eventfd SYS_fork SYS_futimesat SYS_getdents SYS_getpgrp SYS_inotify_init SYS_lchown SYS_link SYS_lstat
    SYS_mkdir SYS_mknod SYS_open SYS_pause SYS_pipe SYS_poll SYS_readlink SYS_rename SYS_rmdir SYS_select
    SYS_signalfd SYS_stat SYS_symlink SYS_time SYS_unlink SYS_utime SYS_utimes SYS_vfork
];
#[cfg(not(target_arch = "x86_64"))]
const ARCH_SPECIFIC: &[(&str, libc::c_long)] = &[];

/// Additional calls of process 1 under bubblewrap, which mounts its own work directory; no job has the capability.
const BUBBLEWRAP_ONLY: &[(&str, libc::c_long)] = calls![SYS_mount];

/// Returns the names of the calls that are allowed for any arguments; `clone` depends on its flags.
pub fn allowed_names() -> impl Iterator<Item = &'static str> {
    COMMON.iter().chain(ARCH_SPECIFIC).map(|(name, _)| name.trim_start_matches("SYS_"))
}

/// Returns the numbers of the calls that the outer list of any sandbox allows for at least some arguments.
pub fn granted_numbers() -> impl Iterator<Item = i64> {
    let by_arguments = [libc::SYS_clone, libc::SYS_clone3];
    COMMON.iter().chain(ARCH_SPECIFIC).chain(BUBBLEWRAP_ONLY).map(|(_, number)| *number).chain(by_arguments)
}

/// Compiles the allow-list to programs for bubblewrap, in the order in which they are added.
pub(crate) fn bubblewrap_filters() -> Result<[BpfProgram; 2], seccompiler::Error> {
    let mut allowed: std::collections::BTreeMap<i64, Vec<SeccompRule>> =
        COMMON.iter().chain(ARCH_SPECIFIC).chain(BUBBLEWRAP_ONLY).map(|(_, number)| (*number, Vec::new())).collect();
    let without_namespaces = SeccompCmpOp::MaskedEq(CLONE_NAMESPACES);
    let condition = SeccompCondition::new(0, SeccompCmpArgLen::Dword, without_namespaces, 0)?;
    allowed.insert(libc::SYS_clone, vec![SeccompRule::new(vec![condition])?]);
    // Allowed by this filter, so that the other one determines the error.
    allowed.insert(libc::SYS_clone3, Vec::new());
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let outer = SeccompFilter::new(allowed, refuse, SeccompAction::Allow, TARGET)?;
    let hidden = std::iter::once((libc::SYS_clone3, Vec::new())).collect();
    let no_such_call = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let hide = SeccompFilter::new(hidden, SeccompAction::Allow, no_such_call, TARGET)?;
    Ok([outer.try_into()?, hide.try_into()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_compiles_and_leaves_out_what_escapes_have_used() {
        bubblewrap_filters().expect("the allow-list compiles");
        let names: Vec<_> = allowed_names().collect();
        for dangerous in [
            "ptrace",
            "bpf",
            "io_uring_setup",
            "unshare",
            "setns",
            "keyctl",
            "userfaultfd",
            "mount",
            "clone",
            "clone3",
            "memfd_create",
            "perf_event_open",
            "process_vm_readv",
            "open_by_handle_at",
            "execveat",
            "personality",
        ] {
            assert!(!names.contains(&dangerous), "{dangerous} must not be on the allow-list");
        }
        for needed in ["execve", "landlock_restrict_self", "seccomp", "futex", "openat"] {
            assert!(names.contains(&needed), "{needed} is needed by every job");
        }
    }
}
