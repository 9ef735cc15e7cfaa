//! The walls that hold on this host, in words, and the reasons why one may not.

use crate::error::SandboxError;

/// Describes who limits resources and what jobs lack.
pub(crate) fn describe(no_cgroups: Option<&str>, own_proc: bool) -> String {
    let limits = match no_cgroups {
        None => "memory, processes and CPU limited by cgroup".to_owned(),
        Some(reason) => format!(
            "no cgroups ({reason}): memory limited by samples every 10 ms and RLIMIT_DATA, processes by RLIMIT_NPROC, \
             CPU time by samples and RLIMIT_CPU, the share of the processors not at all"
        ),
    };
    let proc = if own_proc { "private /proc" } else { "no /proc in jobs (the kernel refuses a private one here)" };
    format!("{limits}; {proc};")
}

/// Returns whether bubblewrap failed only because a private `/proc` cannot be mounted.
pub(crate) fn is_proc_refusal(error: &SandboxError) -> bool {
    error.to_string().contains("Can't mount proc on ")
}

/// Rejects a worker that is process 1: ended companions of cancelled sandboxes would fill its process table.
pub(crate) fn check_process_id(own: u32) -> Result<(), SandboxError> {
    if own != 1 {
        return Ok(());
    }
    let detail = "process 1 of a container must collect ended processes, which this program does not; start the \
                  container with an init (`docker run --init`, `init: true`)";
    Err(SandboxError::fail("sandbox_config", detail))
}

/// Adds the usual reasons to the error of a bubblewrap that may not create namespaces or mounts.
pub(crate) fn with_hint(mut error: SandboxError) -> SandboxError {
    let text = error.to_string();
    let hint = if text.contains("create new namespace") || text.contains("Creating new namespace") {
        "the host forbids user namespaces: a container needs the profile sandbox/container/seccomp.json; on a host see \
         kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns and user.max_user_namespaces"
    } else if text.contains("Failed to make / slave") {
        "the host forbids mounts in user namespaces: a container with AppArmor needs apparmor=unconfined"
    } else {
        return error;
    };
    let (SandboxError::Retry { detail, .. } | SandboxError::Fail { detail, .. }) = &mut error;
    detail.push_str("; ");
    detail.push_str(hint);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refused_proc_is_one() {
        let refused = |text: &str| is_proc_refusal(&SandboxError::retry("sandbox_unavailable", text));
        assert!(refused(
            "the sandbox did not start: bwrap: Can't mount proc on /newroot/proc: Operation not permitted"
        ));
        assert!(!refused("bwrap: Can't bind mount /oldroot/roots on /newroot/: No such file or directory"));
        assert!(!refused("the runner sent no ready frame within 10 s"));
    }

    #[test]
    fn a_host_without_user_namespaces_is_named() {
        let text = "bwrap: No permissions to create new namespace, likely because the kernel does not allow it";
        let hinted = with_hint(SandboxError::retry("sandbox_unavailable", text)).to_string();
        assert!(hinted.contains("seccomp.json"), "{hinted}");
    }

    #[test]
    fn process_1_is_refused() {
        assert_eq!(check_process_id(1).map_err(|error| error.code()), Err("sandbox_config"));
        assert_eq!(check_process_id(7), Ok(()));
    }
}
