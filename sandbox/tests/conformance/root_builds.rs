//! Roots are reproducible from equal packages, and contain only the Python packages of the policy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sandbox::Backend;

use crate::support::{RUNTIME, config, is_root, roots, script, text};

/// A folder that is removed on drop.
struct TempFolder(PathBuf);

impl TempFolder {
    fn new(name: &str) -> Self {
        let folder = Self(std::env::temp_dir().join(format!("promptcraft-{name}-{}", std::process::id())));
        fs::create_dir(&folder.0).expect("makes a folder");
        folder
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("cleans up");
    }
}

/// Builds one root with the existing runner and without importing an image.
#[track_caller]
fn build(program: &Path, out: &Path, runtime: &str) {
    let built = try_build(program, out, runtime);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}

fn try_build(program: &Path, out: &Path, runtime: &str) -> Output {
    let runner = roots().join("sql/rootfs/promptcraft-runner").canonicalize().expect("is built");
    Command::new(program)
        .arg(out)
        .arg(runtime)
        .env("PROMPTCRAFT_RUNNER", runner)
        .env("DOCKER_HOST", "unix:///nonexistent.sock")
        .output()
        .expect("starts build-root.sh")
}

/// Copies what builds a runtime's root into a folder.
fn copy_build(folder: &Path, runtime: &str) {
    let runtimes = folder.join("runtimes");
    fs::create_dir(&runtimes).expect("makes a folder");
    for script in ["build-root.sh", "distribution.sh"] {
        fs::copy(own_folder().join(script), folder.join(script)).expect("copies");
    }
    let copied = Command::new("cp").arg("-a").arg(own_folder().join("runtimes").join(runtime)).arg(&runtimes).status();
    assert!(copied.expect("starts cp").success());
}

fn own_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_root_built_twice_is_the_same() {
    if !is_root() {
        return eprintln!("SKIPPED: a_root_built_twice_is_the_same: only root can build one");
    }
    let folder = TempFolder::new("built-twice");
    let digests = ["one", "two"].map(|name| {
        let out = folder.0.join(name);
        build(&own_folder().join("build-root.sh"), &out, "sql");
        fs::read_to_string(out.join("sql/digest")).expect("the digest is noted")
    });
    assert_eq!(digests[0].trim().len(), 64, "{digests:?}");
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_build_names_every_missing_path_that_is_not_optional() {
    if !is_root() {
        return eprintln!("SKIPPED: a_build_names_every_missing_path_that_is_not_optional: only root can build a root");
    }
    let folder = TempFolder::new("missing-paths");
    copy_build(&folder.0, "sql");
    let listed = folder.0.join("runtimes/sql/runtime.toml");
    let toml = fs::read_to_string(&listed).expect("is there");
    let more = toml.replace("exec = [", "optional = [\"/usr/bin/two\"]\nexec = [\"/usr/bin/two\", ");
    let (program, out) = (folder.0.join("build-root.sh"), folder.0.join("roots"));
    fs::write(&listed, more.replace("read = [", "read = [\"/etc/one\", \"/etc/three\", ")).expect("writes");
    let failed = try_build(&program, &out, "sql");
    let stderr = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && stderr.contains("does not have: /etc/one /etc/three\n"), "{stderr}");
    fs::write(&listed, more).expect("writes");
    build(&program, &out, "sql");
}

#[test]
fn python_imports_the_packages_of_the_policy_and_no_others() {
    if !is_root() {
        return eprintln!(
            "SKIPPED: python_imports_the_packages_of_the_policy_and_no_others: only root can build a root"
        );
    }
    let folder = TempFolder::new("extra-packages");
    copy_build(&folder.0, "python");
    let policy = folder.0.join("runtimes/python/extra-packages");
    let listed = fs::read_to_string(&policy).expect("is there");
    fs::write(&policy, format!("{listed}python3-six\n")).expect("writes the policy");
    let out = folder.0.join("roots");
    build(&folder.0.join("build-root.sh"), &out, "python");
    let packages = fs::read_to_string(out.join("python/packages")).expect("the packages are listed");
    assert!(packages.lines().any(|line| line.starts_with("python3-six ")), "{packages}");

    let said = |roots_dir: &Path| {
        let mut own = config(Backend::Bubblewrap);
        own.roots_dir = roots_dir.to_owned();
        own.runtimes = vec!["python".into()];
        RUNTIME.block_on(async {
            let sandbox = sandbox::open(own).await.expect("opens");
            let source =
                "try:\n    import six\n    print(six.PY3)\nexcept ImportError as error:\n    print(error.name)\n";
            let result = script(&*sandbox, source).await;
            sandbox.shutdown().await;
            text(&result.stdout).to_owned()
        })
    };
    assert_eq!((said(&out).as_str(), said(roots()).as_str()), ("True\n", "six\n"));
}
