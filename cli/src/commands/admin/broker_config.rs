//! `promptcraft admin broker-config`: the configuration of brokers outside `promptcraft up`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::error::CommandError;
use crate::output::out;
use crate::stack::{RUNTIMES, RuntimeName, broker_config};

/// Write the broker's configuration into a directory
///
/// Contains the queues of each runtime. Idempotent; keeps bots.conf and the files that it includes.
#[derive(clap::Args)]
pub struct BrokerConfig {
    /// Directory to write to
    directory: PathBuf,
    /// Comma-separated runtimes that workers offer
    #[arg(long, default_values = RUNTIMES, value_delimiter = ',')]
    runtimes: Vec<RuntimeName>,
}

impl BrokerConfig {
    pub fn run(self) -> Result<ExitCode, CommandError> {
        broker_config::write_for_operator(&self.directory, &self.runtimes)
            .map_err(|error| format!("cannot write {}: {error}", self.directory.display()))?;
        out!("wrote {}; restart running brokers to apply it", self.directory.display());
        Ok(ExitCode::SUCCESS)
    }
}
