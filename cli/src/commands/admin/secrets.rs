//! `promptcraft admin secrets`: the files of an installation whose processes run apart.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::error::CommandError;
use crate::output::out;
use crate::stack::broker_config::BotName;
use crate::stack::installation::{self, Servers};

/// Write the secrets of an installation and the configuration of its broker and Redis
///
/// One folder for each process, e.g. to be mounted into its container: operator, nats, redis, api, approver, worker.
/// Secrets and bots of earlier calls are kept in the folder operator, and all other folders are written again.
#[derive(clap::Args)]
pub struct Secrets {
    /// Directory to write to
    directory: PathBuf,
    /// Name of an approval bot that gets a broker account; may be repeated
    #[arg(long = "bot", value_name = "NAME")]
    bots: Vec<BotName>,
    /// Address of Redis for the processes
    #[arg(long, value_name = "HOST:PORT", default_value = "redis:6379")]
    redis: String,
    /// Folder in which Redis keeps its data
    #[arg(long, value_name = "DIR", default_value = "/data")]
    redis_directory: PathBuf,
}

impl Secrets {
    pub fn run(self) -> Result<ExitCode, CommandError> {
        let servers = Servers { redis: &self.redis, redis_directory: &self.redis_directory };
        installation::write(&self.directory, &self.bots, &servers)
            .map_err(|error| format!("cannot write {}: {error}", self.directory.display()))?;
        out!("wrote {}; restart running servers to apply changes", self.directory.display());
        Ok(ExitCode::SUCCESS)
    }
}
