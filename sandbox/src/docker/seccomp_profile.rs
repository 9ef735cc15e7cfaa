//! The outer seccomp profile, in the engine's own format.

use runner::seccomp::allow_list::{CLONE_NAMESPACES, HIDDEN, allowed_names};
use serde_json::json;

/// "No such call", so that glibc falls back.
const ENOSYS: u32 = 38;

/// The profile's text, to be given inline: a path would be read by the client, and there is none.
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
