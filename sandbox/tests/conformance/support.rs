//! Opens each backend once for all tests; prints SKIPPED if one is unavailable.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use sandbox::{Backend, IsolationLevel, Job, JobFile, JobResult, Limits, Owner, Sandbox, SandboxConfig};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// One runtime for the whole process: a shared sandbox outlives the test that opened it.
pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("starts a runtime"));

#[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Returns the roots folder: `SANDBOX_ROOTS` or `target/sandbox-roots`, built on demand.
pub(crate) fn roots() -> &'static Path {
    static ROOTS: OnceLock<PathBuf> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let roots = variable("SANDBOX_ROOTS").map_or_else(|| here.join("../target/sandbox-roots"), PathBuf::from);
        if every_runtime().iter().all(|name| roots.join(name).join("rootfs").exists()) && !is_root() {
            // Only root can build roots; other users test the existing ones.
            return roots;
        }
        let build = |names: &[String]| {
            let built = Command::new(here.join("build-root.sh")).arg(&roots).args(names).status();
            built.expect("starts build-root.sh").success()
        };
        let named: Vec<_> = every_runtime().into_iter().filter(|name| !is_default(name)).collect();
        assert!(
            build(&[]) && (named.is_empty() || build(&named)),
            "sandbox/build-root.sh failed; its message is above"
        );
        roots
    })
}

pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Returns the runtimes whose roots are built by default, and the others that `OPTIONAL_RUNTIMES` names, with commas
/// between; Python first as the most used one.
pub(crate) fn every_runtime() -> Vec<String> {
    let named = variable("OPTIONAL_RUNTIMES").unwrap_or_default();
    let is_tested = |name: &str| named.split(',').any(|named| named == name);
    let tested = sandbox::languages().filter(|language| language.is_default || is_tested(language.name));
    let mut names: Vec<_> = tested.map(|language| language.name.to_owned()).collect();
    names.sort_by_key(|name| (name != "python", name.clone()));
    names
}

/// Returns whether the root of a runtime is built without its name.
pub(crate) fn is_default(runtime: &str) -> bool {
    sandbox::languages().any(|language| language.name == runtime && language.is_default)
}

pub(crate) fn config(backend: Backend) -> SandboxConfig {
    SandboxConfig {
        backend,
        docker_host: None,
        roots_dir: roots().to_owned(),
        runtimes: every_runtime(),
        pool_size: 2,
        prestart: Some(IsolationLevel::Standard),
        jobs_per_container: 20,
        docker_runtime: None,
        concurrency: 4,
        runner_path: None,
        minimum_landlock_abi: 1,
        instance: format!("conformance-{}", std::process::id()),
    }
}

/// Returns the shared sandbox of a backend; `None`, with a SKIPPED line, if no engine responds and `CI` is not set.
pub(crate) fn shared(backend: Backend) -> Option<Arc<dyn Sandbox>> {
    static DOCKER: OnceLock<Option<Arc<dyn Sandbox>>> = OnceLock::new();
    static BUBBLEWRAP: OnceLock<Option<Arc<dyn Sandbox>>> = OnceLock::new();
    let open = || RUNTIME.block_on(sandbox::open(config(backend)));
    match backend {
        Backend::Docker if !engine_answers() => {
            assert!(variable("CI").as_deref() != Some("true"), "no Docker engine answers, and CI must test with one");
            eprintln!("SKIPPED: docker sandbox suite: no engine answers");
            None
        }
        Backend::Docker => DOCKER.get_or_init(|| Some(open().expect("opens the Docker sandbox"))).clone(),
        Backend::Bubblewrap | Backend::Auto => {
            BUBBLEWRAP.get_or_init(|| Some(open().expect("opens the bubblewrap sandbox"))).clone()
        }
    }
}

pub(crate) fn engine_answers() -> bool {
    std::os::unix::net::UnixStream::connect("/var/run/docker.sock").is_ok()
}

pub(crate) fn job(level: IsolationLevel, command: sandbox::Command, files: &[(&str, &str)]) -> Job {
    Job {
        owner: Owner::new("someone"),
        level,
        runtime: "python".into(),
        command,
        files: files.iter().map(|(path, text)| JobFile { path: (*path).into(), content: (*text).into() }).collect(),
        input: sandbox::JobInput::default(),
        limits: Limits::for_level(level, Duration::from_secs(20)),
        live_output: None,
    }
}

pub(crate) fn script_job(level: IsolationLevel, source: &str) -> Job {
    job(level, sandbox::Command::Script { path: "main.py".into() }, &[("main.py", source)])
}

pub(crate) async fn run(sandbox: &dyn Sandbox, job: Job) -> JobResult {
    sandbox.run(job, CancellationToken::new()).await.expect("the job runs to its end")
}

/// Runs a script at the standard level.
pub(crate) async fn script(sandbox: &dyn Sandbox, source: &str) -> JobResult {
    run(sandbox, script_job(IsolationLevel::Standard, source)).await
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the output is UTF-8")
}
