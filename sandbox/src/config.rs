//! Settings of a sandbox.

use std::path::PathBuf;

use serde::Deserialize;

use crate::error::SandboxError;
use crate::job::IsolationLevel;
use crate::runtime;

/// The isolation backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Docker if an engine responds, else bubblewrap; a production configuration names one.
    Auto,
    Docker,
    Bubblewrap,
}

/// Settings of one sandbox. The crate does not read the environment.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    pub backend: Backend,
    /// `unix:///path`, `/path` or `http://host:port`; default `/var/run/docker.sock`.
    pub docker_host: Option<String>,
    /// Output folder of `build-root.sh`.
    pub roots_dir: PathBuf,
    /// Names of the offered runtimes, each a folder of `sandbox/runtimes`; the most used one first.
    pub runtimes: Vec<String>,
    /// Warm containers of the first runtime, and at most one of each other runtime; with 0 each container is started on
    /// demand.
    pub pool_size: usize,
    /// Isolation level whose scripts find a started interpreter in a warm container (a few MB each); other jobs start
    /// their own.
    pub prestart: Option<IsolationLevel>,
    /// Maximum jobs of one owner in one container at level `standard`, with a wipe in between; 1 uses each container
    /// once.
    pub jobs_per_container: u32,
    /// OCI runtime of the engine, such as `runsc` for gVisor; `None` uses the engine's default.
    pub docker_runtime: Option<String>,
    /// Maximum concurrent jobs; further jobs wait.
    pub concurrency: usize,
    /// Runner that launches bubblewrap; `None` uses the runner in the runtime's root.
    pub runner_path: Option<PathBuf>,
    /// Minimum Landlock ABI of the kernel; below it every job is rejected. 0 accepts a kernel without Landlock.
    pub minimum_landlock_abi: u32,
    /// Name of this worker among those that share an engine: 1 to 40 letters, digits, `-` or `_`.
    pub instance: String,
}

impl SandboxConfig {
    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let invalid = |detail: String| Err(SandboxError::fail("sandbox_config", detail));
        if self.concurrency == 0 {
            return invalid("sandbox.concurrency must be at least 1".into());
        }
        if self.jobs_per_container == 0 {
            return invalid("sandbox.jobs_per_container must be at least 1".into());
        }
        if self.runtimes.is_empty() {
            return invalid("sandbox.runtimes must name at least one runtime".into());
        }
        if let Some(name) = self.runtimes.iter().find(|name| runtime::find(name).is_none()) {
            let known = runtime::names().collect::<Vec<_>>().join(", ");
            return invalid(format!("unknown sandbox runtime {name:?}; use one of: {known}"));
        }
        let plain = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        if self.instance.is_empty() || self.instance.len() > 40 || !self.instance.chars().all(plain) {
            return invalid("the sandbox's instance name must be 1 to 40 letters, digits, `-` or `_`".into());
        }
        Ok(())
    }
}
