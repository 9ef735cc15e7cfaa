//! Runs untrusted code in a sandbox and reports how it ended.
//!
//! Two backends share one [`Sandbox`] trait, one runner and one frame protocol (crate `runner`): pre-started containers
//! of a Docker engine, and bubblewrap, which needs no service. The crate does not know queues, databases or HTTP; of a
//! job it knows the files, the command and the limits.
//!
//! Start reading at [`Job`], then `session/mod.rs` (the exchange with one runner), then a backend.

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
pub use job::{Command, IsolationLevel, Job, JobFile, JobInput, Limits, Owner};
pub use result::{JobResult, Outcome, SandboxHealth, TestCase, TestOutcome, Usage, signal_text};
pub use runner::protocol::{LeftOut, OUTPUT_DIR, OutputChunk, OutputStream, WORK_DIR};
pub use runtime::{Library, RuntimeLanguage, language_of, languages};

/// A backend that runs jobs, each isolated from the host and from every other job.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// Runs one job to its end.
    ///
    /// A job that fails, is killed or exceeds a limit is an `Ok` with a typed [`Outcome`]; `Err` means that it did not
    /// run. Not idempotent: each call runs the job again. Cancelling the token kills the code and returns
    /// [`Outcome::Cancelled`]; dropping the future kills it as well.
    async fn run(&self, job: Job, cancel: CancellationToken) -> Result<JobResult, SandboxError>;

    /// Returns whether jobs can run now, and which restrictions are in place.
    async fn health(&self) -> SandboxHealth;

    /// Returns the names of the runtimes that jobs may request.
    fn runtimes(&self) -> Vec<String>;

    /// Returns the version of a runtime's interpreter; `None` if its root does not record one.
    fn version(&self, runtime: &str) -> Option<&str>;

    /// Returns the libraries that programs of a runtime can import, as far as its root records them.
    fn libraries(&self, runtime: &str) -> &[Library];

    /// Cancels running jobs, waits for them and removes idle containers. Idempotent; later jobs are rejected.
    async fn shutdown(&self);
}

/// Opens the configured backend; for [`Backend::Auto`] Docker, or bubblewrap if Docker fails.
///
/// The error says what to do if no backend works, a root is missing, or the kernel's Landlock is below
/// `minimum_landlock_abi`. Call it inside a tokio runtime that outlives the sandbox.
pub async fn open(config: SandboxConfig) -> Result<Arc<dyn Sandbox>, SandboxError> {
    config.check()?;
    match config.backend {
        Backend::Docker => Ok(docker::DockerSandbox::open(&config).await?),
        Backend::Bubblewrap => Ok(bubblewrap::BubblewrapSandbox::open(&config).await?),
        Backend::Auto => match docker::DockerSandbox::open(&config).await {
            Ok(sandbox) => Ok(sandbox),
            Err(error) => {
                tracing::warn!(sandbox.backend = "bubblewrap", %error, "Docker is unavailable; using bubblewrap");
                Ok(bubblewrap::BubblewrapSandbox::open(&config).await?)
            }
        },
    }
}
