//! Builds programs for tests.

use std::path::PathBuf;
use std::process::Command;

/// Builds into a separate folder, so that the program is not mistaken for the one that runs jobs.
pub(crate) fn static_program(name: &str, feature: &str, folder: &str) -> PathBuf {
    let this = std::env::current_exe().expect("knows its own program");
    let target = this.ancestors().nth(3).expect("lies in target/debug/deps").join(folder);
    let built = Command::new(env!("CARGO"))
        .args(["rustc", "--quiet", "-p", "runner", "--profile", "runner", "--bin", name, "--features", feature])
        .arg("--target-dir")
        .arg(&target)
        .args(["--", "-C", "target-feature=+crt-static"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("starts cargo");
    assert!(built.success(), "{name} does not build");
    target.join("runner").join(name)
}
