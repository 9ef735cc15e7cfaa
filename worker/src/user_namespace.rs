//! The check behind `worker.require_user_namespace`.
//!
//! A pod asks for a user namespace of its own with `hostUsers: false`, an engine gives one by `userns-remap`. A runtime
//! that does not support it starts the container without one and reports no error.

use std::path::Path;

/// Fails if an id of this container is root of the namespace above it, which is the host unless containers are nested.
pub(crate) fn check() -> Result<(), String> {
    ["/proc/self/uid_map", "/proc/self/gid_map"].iter().try_for_each(|file| {
        let map = std::fs::read_to_string(Path::new(file))
            .map_err(|error| format!("worker.require_user_namespace: cannot read {file}: {error}"))?;
        check_map(file, &map)
    })
}

fn check_map(file: &str, map: &str) -> Result<(), String> {
    // The second number is the first id outside.
    let maps_to_root = |line: &str| line.split_whitespace().nth(1).is_some_and(|id| id == "0");
    let Some(line) = map.lines().find(|line| maps_to_root(line)) else { return Ok(()) };
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(format!(
        "worker.require_user_namespace is true, but an id of this container is root of the host ({file}: {line}). \
         `hostUsers: false` needs Linux 6.3, containerd 2.0 or CRI-O, and runc 1.2 or crun 1.9; older ones ignore it. \
         Docker needs userns-remap or a rootless engine"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(map: &str, accepted: bool) {
        assert_eq!(check_map("uid_map", map).is_ok(), accepted, "{map}");
    }

    #[test]
    fn root_must_not_be_root_outside() {
        check("         0          0 4294967295\n", false);
        check("0 0 1\n1 100000 65535\n", false);
        check("65534 65534 1\n0 0 1\n", false);
        check("1000 0 1\n", false);
        check("         0     100000      65536\n", true);
        check("0 1000 1\n1 100000 65535\n", true);
        // No id of this container is root's.
        check("65534 65534 1\n", true);
        check("", true);
    }
}
