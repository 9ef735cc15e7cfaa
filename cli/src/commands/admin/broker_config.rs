//! `promptcraft broker-files`: the configuration of brokers that are not the embedded one.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::error::CommandError;
use crate::output::out;
use crate::stack::{RUNTIMES, RuntimeName, broker_config};

/// Write the broker's configuration into a folder, with a lane for each runtime. Idempotent; keeps bots.conf and what it includes.
#[derive(clap::Args)]
pub struct BrokerFiles {
    directory: PathBuf,
    /// The runtimes that workers offer, divided by commas.
    #[arg(long, default_values = RUNTIMES, value_delimiter = ',')]
    runtimes: Vec<RuntimeName>,
}

impl BrokerFiles {
    pub fn run(self) -> Result<ExitCode, CommandError> {
        broker_config::write_for_operator(&self.directory, &self.runtimes)
            .map_err(|error| format!("{} cannot be written: {error}", self.directory.display()))?;
        out!("wrote {}; a broker that runs takes it up when it is started again", self.directory.display());
        Ok(ExitCode::SUCCESS)
    }
}
