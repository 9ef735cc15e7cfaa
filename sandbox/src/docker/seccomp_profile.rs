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
