//! The bubblewrap suite as an unprivileged user: no cgroups, no change of user, a low priority that cannot be raised.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::support::{is_root, roots};

/// Any user except root and 65534, the user of jobs.
const SOMEBODY: u32 = 1000;

#[test]
fn the_bubblewrap_suite_passes() {
    if !is_root() {
        return eprintln!("SKIPPED: the suite already runs without root");
    }
    let folder = std::env::temp_dir().join(format!("promptcraft-without-root-{}", std::process::id()));
    fs::create_dir(&folder).expect("makes a folder that others can read");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("opens the folder");
    let program = folder.join("conformance");
    fs::copy(std::env::current_exe().expect("knows its own program"), &program).expect("copies this program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("opens the program");
    let suite = Command::new("nice")
        .args(["-n", "15"])
        .arg(&program)
        .arg("bubblewrap::")
        .env("SANDBOX_ROOTS", roots())
        .uid(SOMEBODY)
        .gid(SOMEBODY)
        .current_dir("/")
        .output()
        .expect("starts the suite");
    fs::remove_dir_all(&folder).expect("cleans up");
    let said = String::from_utf8_lossy(&suite.stdout);
    assert!(suite.status.success() && said.contains("test bubblewrap::memory_runs_out ... ok"), "{said}");
}
