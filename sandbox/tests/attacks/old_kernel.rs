//! Runs every attack with the Landlock ABI of a stock Debian 12 kernel: the other layers alone must stop what newer
//! Landlock rules stop.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sandbox::Backend;

use crate::build::static_program;
use crate::run;
use crate::support::{RUNTIME, config, engine_answers, is_root, roots};

/// Landlock ABI of the runner in these roots, whatever the kernel has.
pub(crate) const LANDLOCK: u32 = 2;

#[test]
fn bubblewrap_withstands_every_attack_with_landlock_2() {
    if !is_root() {
        return eprintln!("SKIPPED: attacks with Landlock 2 on bubblewrap: needs root to lay out a root");
    }
    let own = OldRoots::lay_out("bubblewrap");
    let root = own.folder.join("python/rootfs");
    let now = roots().join("python/rootfs").canonicalize().expect("is built");
    call(Command::new("cp").arg("-al").arg(now).arg(&root));
    fs::remove_file(root.join("promptcraft-runner")).expect("removes the usual runner");
    fs::copy(own.folder.join("promptcraft-runner"), root.join("promptcraft-runner")).expect("copies the other runner");
    refuses_more_than_there_is(Backend::Bubblewrap, &own.folder);
    run::all(Backend::Bubblewrap, Some(&own.folder));
}

#[test]
fn docker_withstands_every_attack_with_landlock_2() {
    if !engine_answers() {
        // Prints the reason, and fails if an engine is required.
        return run::all(Backend::Docker, None);
    }
    let own = OldRoots::lay_out("docker");
    let image = format!("promptcraft-landlock-2-{}", std::process::id());
    let usual = fs::read_to_string(roots().join("python/image")).expect("the image is noted");
    let recipe = format!("FROM {}\nCOPY promptcraft-runner /promptcraft-runner\n", usual.trim());
    fs::write(own.folder.join("Dockerfile"), recipe).expect("writes the recipe");
    call(Command::new("docker").args(["build", "--quiet", "--tag", &image]).arg(&own.folder));
    fs::write(own.folder.join("python/image"), &image).expect("notes the image");
    let ended = std::panic::catch_unwind(|| {
        refuses_more_than_there_is(Backend::Docker, &own.folder);
        run::all(Backend::Docker, Some(&own.folder));
    });
    call(Command::new("docker").args(["image", "rm", "--force", &image]));
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// Asserts that a higher minimum is rejected.
#[track_caller]
fn refuses_more_than_there_is(backend: Backend, folder: &Path) {
    let mut own = config(backend);
    own.roots_dir = folder.to_owned();
    own.runtimes = vec!["python".into()];
    own.instance = format!("attacks-{}-minimum", std::process::id());
    own.minimum_landlock_abi = LANDLOCK + 1;
    let refused = RUNTIME.block_on(sandbox::open(own)).err().expect("offers Landlock 2");
    assert_eq!(refused.code(), "landlock_unavailable", "{refused}");
}

/// A roots folder with another runner.
struct OldRoots {
    folder: PathBuf,
}

impl OldRoots {
    fn lay_out(name: &str) -> Self {
        // Beside the usual roots, so that files can be hard-linked.
        let folder = roots().join(format!(".landlock-2-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("python")).expect("makes a folder");
        let own = Self { folder };
        let runner = static_program("promptcraft-runner", "landlock-abi-2", "landlock-2");
        fs::copy(&runner, own.folder.join("promptcraft-runner")).expect("copies the runner");
        own
    }
}

impl Drop for OldRoots {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).expect("cleans up");
    }
}

#[track_caller]
fn call(command: &mut Command) {
    let ended = command.output().expect("the program is installed");
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
}
