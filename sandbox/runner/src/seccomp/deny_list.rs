//! The job's seccomp filter: a deny-list within the sandbox's allow-list.
//!
//! The allow-list ([`crate::seccomp::allow_list`]) contains the calls of the runner as well. This filter removes those
//! that only the runner needs and those that the job's level does not grant.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use crate::protocol::{ProcessRule, SocketRule, Walls};
use crate::seccomp::allow_list::TARGET;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Calls that fail with EPERM for any arguments.
const DENIED: &[i64] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_capset,
    libc::SYS_memfd_create,
    libc::SYS_execveat,
    libc::SYS_personality,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_vmsplice,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_clock_settime,
    libc::SYS_settimeofday,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
];

/// Calls that fail with ENOSYS, so that libraries fall back to older calls whose arguments a filter can check. Programs that
/// keep the mode of a file, such as `cp -p`, set attributes first, and fall back to `chmod` for this error only.
const HIDDEN: &[i64] = &[
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
];

/// Builds the filters in the order in which they are applied.
pub(crate) fn build(walls: &Walls) -> Result<Vec<BpfProgram>, String> {
    let denied = denied_rules(walls).map_err(|error| error.to_string())?;
    let hidden = HIDDEN.iter().map(|call| (*call, Vec::new())).collect();
    Ok(vec![compile(hidden, libc::ENOSYS)?, compile(denied, libc::EPERM)?])
}

fn compile(rules: Rules, errno: i32) -> Result<BpfProgram, String> {
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), TARGET)
        .and_then(BpfProgram::try_from)
        .map_err(|error| error.to_string())
}

fn denied_rules(walls: &Walls) -> Result<Rules, Error> {
    let mut rules: Rules = DENIED.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_ioctl, terminal_injection()?);
    rules.insert(libc::SYS_prlimit64, vec![other_process(0)?]);
    rules.insert(libc::SYS_sched_setaffinity, vec![other_process(0)?]);
    rules.insert(libc::SYS_setpriority, vec![other_process(0)?, other_process(1)?]);
    rules.insert(libc::SYS_setsockopt, socket_filters()?);
    rules.insert(libc::SYS_clone, denied_clones(walls.processes)?);
    let other_families = families_other_than(walls.sockets)?;
    rules.insert(libc::SYS_socket, [other_families.clone(), other_protocols()?].concat());
    rules.insert(libc::SYS_socketpair, other_families);
    if walls.processes == ProcessRule::ThreadsOnly {
        #[cfg(target_arch = "x86_64")]
        rules.extend([(libc::SYS_fork, Vec::new()), (libc::SYS_vfork, Vec::new())]);
    }
    Ok(rules)
}

/// Denies a call on another process: the runner has the job's user id, so a job could lower its limits or priority. 0
/// means the caller; for `setpriority` it is also "process" in the first argument.
fn other_process(argument: u8) -> Result<SeccompRule, Error> {
    rule([condition(argument, SeccompCmpOp::Ne, 0)?])
}

fn terminal_injection() -> Result<Vec<SeccompRule>, Error> {
    [libc::TIOCSTI, libc::TIOCLINUX].into_iter().map(|request| rule([equal(1, request)?])).collect()
}

/// Denies socket filter programs, which run in the kernel and need no privilege.
fn socket_filters() -> Result<Vec<SeccompRule>, Error> {
    let options =
        [libc::SO_ATTACH_FILTER, libc::SO_ATTACH_BPF, libc::SO_ATTACH_REUSEPORT_CBPF, libc::SO_ATTACH_REUSEPORT_EBPF];
    options.into_iter().map(|option| rule([equal(1, libc::SOL_SOCKET as u64)?, equal(2, option as u64)?])).collect()
}

fn denied_clones(processes: ProcessRule) -> Result<Vec<SeccompRule>, Error> {
    // A time namespace can be created with clone3 only, which is hidden.
    const NAMESPACES: [i32; 7] = [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ];
    let mut rules: Vec<SeccompRule> =
        NAMESPACES.into_iter().map(|flag| rule([flag_is(flag as u64, flag as u64)?])).collect::<Result<_, Error>>()?;
    if processes == ProcessRule::ThreadsOnly {
        rules.push(rule([flag_is(libc::CLONE_THREAD as u64, 0)?])?);
    }
    Ok(rules)
}

fn families_other_than(sockets: SocketRule) -> Result<Vec<SeccompRule>, Error> {
    let allowed: &[i32] = match sockets {
        SocketRule::UnixOnly => &[libc::AF_UNIX],
        SocketRule::Loopback => &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6],
    };
    let none_of_them =
        allowed.iter().map(|family| condition(0, SeccompCmpOp::Ne, *family as u64)).collect::<Result<Vec<_>, _>>()?;
    Ok(vec![SeccompRule::new(none_of_them).map_err(Error::from)?])
}

/// Denies internet protocols other than TCP and UDP: ping, SCTP and raw sockets only add kernel attack surface.
fn other_protocols() -> Result<Vec<SeccompRule>, Error> {
    const KIND: u64 = 0xf;
    let rules_of = |family: i32| {
        let family = equal(0, family as u64)?;
        let neither = [libc::IPPROTO_IP, libc::IPPROTO_TCP, libc::IPPROTO_UDP]
            .into_iter()
            .map(|protocol| condition(2, SeccompCmpOp::Ne, protocol as u64))
            .collect::<Result<Vec<_>, _>>()?;
        let protocol = SeccompRule::new([vec![family.clone()], neither].concat()).map_err(Error::from)?;
        let raw = condition(1, SeccompCmpOp::MaskedEq(KIND), libc::SOCK_RAW as u64)?;
        Ok::<_, Error>([protocol, rule([family, raw])?])
    };
    Ok([rules_of(libc::AF_INET)?, rules_of(libc::AF_INET6)?].concat())
}

fn rule<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, Error> {
    SeccompRule::new(conditions.into()).map_err(Error::from)
}

fn equal(argument: u8, value: u64) -> Result<SeccompCondition, Error> {
    condition(argument, SeccompCmpOp::Eq, value)
}

fn flag_is(mask: u64, value: u64) -> Result<SeccompCondition, Error> {
    condition(0, SeccompCmpOp::MaskedEq(mask), value)
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, Error> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value).map_err(Error::from)
}
