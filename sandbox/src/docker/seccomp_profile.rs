//! The outer seccomp profile in the engine's format.

use runner::seccomp::allow_list::{CLONE_NAMESPACES, HIDDEN, allowed_names};
use serde_json::json;

/// Makes glibc fall back to older calls.
const ENOSYS: u32 = 38;

/// Returns the profile as JSON, passed inline because the Docker client would read a path.
pub(crate) fn seccomp_profile() -> String {
    let names: Vec<_> = allowed_names().collect();
    json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "syscalls": [
            {"names": names, "action": "SCMP_ACT_ALLOW"},
            {
                "names": ["clone"],
                "action": "SCMP_ACT_ALLOW",
                "args": [{"index": 0, "value": CLONE_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
            },
            {"names": [HIDDEN], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS},
        ],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// The calls with which bubblewrap creates a sandbox, and its launcher the filter.
    const CREATE_A_SANDBOX: [&str; 6] = ["clone", "memfd_create", "mount", "pivot_root", "sethostname", "umount2"];

    fn names(rules: &[Value], matches: impl Fn(&Value) -> bool) -> BTreeSet<&str> {
        let rules = rules.iter().filter(|rule| matches(rule));
        rules
            .flat_map(|rule| rule["names"].as_array().expect("lists names"))
            .map(|name| name.as_str().expect("text"))
            .collect()
    }

    #[test]
    fn the_profile_of_a_worker_s_container_allows_what_a_sandbox_needs_and_no_more() {
        let profile: Value = serde_json::from_str(include_str!("../../container/seccomp.json")).expect("is JSON");
        let rules = profile["syscalls"].as_array().expect("lists rules");
        assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
        let allowed = names(rules, |rule| rule["action"] == "SCMP_ACT_ALLOW");
        assert_eq!(allowed, allowed_names().chain(CREATE_A_SANDBOX).collect());
        let hidden = names(rules, |rule| rule["action"] == "SCMP_ACT_ERRNO" && rule["errnoRet"] == ENOSYS);
        assert_eq!(hidden, BTreeSet::from([HIDDEN]));
        let by_argument = rules.iter().filter(|rule| rule["args"].is_array());
        let families: Vec<_> =
            by_argument.map(|rule| (rule["names"].clone(), rule["args"][0]["value"].clone())).collect();
        // AF_UNIX, AF_INET, AF_INET6, AF_NETLINK.
        assert_eq!(families, [1, 2, 10, 16].map(|family| (json!(["socket"]), json!(family))));
        assert!(!names(rules, |rule| rule["args"].is_null()).contains("socket"));
    }
}
