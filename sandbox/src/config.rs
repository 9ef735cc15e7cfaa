//! What a worker must decide about its sandbox.

use std::path::PathBuf;

use serde::Deserialize;

use crate::error::SandboxError;
use crate::job::SecurityLevel;
use crate::runtime;

/// Which walls to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Docker where an engine answers, else bubblewrap; a production configuration names one.
    Auto,
    Docker,
    Bubblewrap,
}

/// Settings of one sandbox; nothing is read from the environment.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    pub backend: Backend,
    /// `unix:///path`, `/path` or `http://host:port`; absent: `/var/run/docker.sock`.
    pub docker_host: Option<String>,
    /// The folder that `build-root.sh` filled.
    pub roots_dir: PathBuf,
    /// Names of the runtimes to offer, each a folder of `sandbox/runtimes`; the most used one first.
    pub runtimes: Vec<String>,
    /// Warm containers kept for the first runtime, and at most one for each other; 0 starts each one on demand.
    pub pool_size: usize,
    /// Warm containers hold a started interpreter for scripts of this level, which costs each a few MB; other jobs
    /// start their own.
    pub prestart: Option<SecurityLevel>,
    /// Jobs of one owner that a container serves at level `standard`, wiped in between; 1 uses each once.
    pub jobs_per_container: u32,
    /// The engine's runtime for containers, such as `runsc` for gVisor; absent: the engine's own choice.
    pub docker_runtime: Option<String>,
    /// Jobs that run at once; further ones wait.
    pub concurrency: usize,
    /// The runner to launch bubblewrap with; absent: the one in the runtime's root.
    pub runner_path: Option<PathBuf>,
    /// A kernel with less Landlock refuses every job; 0 accepts one without Landlock.
    pub minimum_landlock_abi: u32,
    /// Names this worker among others that share an engine: letters, digits, `-`, `_`, at most 40.
    pub instance: String,
}

impl SandboxConfig {
    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let invalid = |detail: String| Err(SandboxError::fail("sandbox_config", detail));
        if self.concurrency == 0 {
            return invalid("the sandbox's concurrency must be at least 1".into());
        }
        if self.jobs_per_container == 0 {
            return invalid("a container serves at least 1 job".into());
        }
        if self.runtimes.is_empty() {
            return invalid("name at least one runtime for the sandbox".into());
        }
        if let Some(name) = self.runtimes.iter().find(|name| runtime::find(name).is_none()) {
            let known = runtime::names().collect::<Vec<_>>().join(", ");
            return invalid(format!("there is no sandbox runtime {name:?}; known are: {known}"));
        }
        let plain = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        if self.instance.is_empty() || self.instance.len() > 40 || !self.instance.chars().all(plain) {
            return invalid("the sandbox's instance name must be 1 to 40 letters, digits, `-` or `_`".into());
        }
        Ok(())
    }
}
