//! Runs code that nobody trusts, and says how it ended.
//!
//! Two backends share one [`Sandbox`] trait, one runner and one frame protocol (crate `runner`): containers of a
//! Docker engine, handed out warm, and bubblewrap, which needs no service. This crate knows no queues, no
//! databases and no HTTP of its own; of a job it knows its files, its command and its limits.
//!
//! Start reading at [`Job`], then `session/mod.rs` (what host and runner say to each other), then a backend.

mod background_tasks;
mod bubblewrap;
mod concurrency;
mod config;
mod docker;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod job;
mod result;
mod runtime;
mod session;

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use config::{Backend, SandboxConfig};
pub use error::SandboxError;
pub use job::{Command, Job, JobFile, Limits, Owner, SecurityLevel};
pub use result::{Health, JobResult, Outcome, TestCase, TestOutcome, Usage, signal_text};
pub use runtime::{Language, languages};

/// A place that runs jobs, each walled off from the host and from every other job.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// Runs one job to its end.
    ///
    /// A job that fails, is killed or meets a limit is an `Ok` with a typed [`Outcome`]; `Err` means that it could
    /// not be run. Not idempotent: each call runs the job once more. Cancelling the token kills the running code
    /// and returns [`Outcome::Cancelled`]; dropping the future kills it as well.
    async fn run(&self, job: Job, cancel: CancellationToken) -> Result<JobResult, SandboxError>;

    /// Says whether jobs could run now, and behind which walls.
    async fn health(&self) -> Health;

    /// Names of the runtimes that jobs may ask for.
    fn runtimes(&self) -> Vec<String>;

    /// The version of a runtime's interpreter; `None` where its root does not say.
    fn version(&self, runtime: &str) -> Option<&str>;

    /// Cancels what runs, waits for its end, and removes what was kept warm. Idempotent; later jobs are refused.
    async fn shutdown(&self);
}

/// Opens the configured backend, or for [`Backend::Auto`] the first that works: Docker, then bubblewrap.
///
/// Fails with what to do when no backend works, a runtime's root is missing, or the kernel's walls are weaker than
/// `minimum_landlock_abi` demands. Must be called inside a tokio runtime, which has to outlive the sandbox.
pub async fn open(config: SandboxConfig) -> Result<Arc<dyn Sandbox>, SandboxError> {
    config.check()?;
    match config.backend {
        Backend::Docker => Ok(docker::DockerSandbox::open(&config).await?),
        Backend::Bubblewrap => Ok(bubblewrap::BubblewrapSandbox::open(&config).await?),
        Backend::Auto => match docker::DockerSandbox::open(&config).await {
            Ok(sandbox) => Ok(sandbox),
            Err(error) => {
                tracing::warn!(sandbox.backend = "bubblewrap", %error, "no usable Docker engine, using bubblewrap");
                Ok(bubblewrap::BubblewrapSandbox::open(&config).await?)
            }
        },
    }
}
