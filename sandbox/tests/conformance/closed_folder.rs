//! A root below a folder that only root can enter, such as a clone below /root.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use sandbox::Backend;

use crate::support::{RUNTIME, config, is_root, roots, script, text};

#[test]
fn bubblewrap_runs_jobs_from_it_and_leaves_nothing_mounted() {
    if !is_root() {
        return eprintln!("SKIPPED: roots below a closed folder: only root can make one that it can still read");
    }
    let closed = std::env::temp_dir().join(format!("promptcraft-closed-{}", std::process::id()));
    let copy = closed.join("roots/python/rootfs");
    fs::create_dir_all(closed.join("roots/python")).expect("makes the folder");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("closes the folder");
    let root = roots().join("python/rootfs").canonicalize().expect("the root is built");
    let copied = Command::new("cp").arg("-a").arg(root).arg(&copy).status();
    assert!(copied.expect("starts cp").success());
    let mut own = config(Backend::Bubblewrap);
    own.roots_dir = closed.join("roots");
    own.runtimes = vec!["python".into()];
    RUNTIME.block_on(async {
        let sandbox = sandbox::open(own).await.expect("opens on an unreachable root");
        let result = script(
            &*sandbox,
            "import os, json\nprint(os.getuid(), os.listdir('/mnt') if os.path.exists('/mnt') else '-')",
        )
        .await;
        assert_eq!(text(&result.stdout), "65534 -\n", "{}", text(&result.stderr));
        sandbox.shutdown().await;
    });
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("reads the mounts");
    assert!(!mounts.contains(&*closed.to_string_lossy()), "{mounts}");
    assert!(!is_mount_point(Path::new("/mnt"), &mounts));
    fs::remove_dir_all(&closed).expect("nothing keeps the folder busy");
}

fn is_mount_point(path: &Path, mounts: &str) -> bool {
    mounts.lines().any(|line| line.split(' ').nth(4) == path.to_str())
}
