//! `promptcraft provision`: prepare a broker that is not the embedded one.

use std::process::ExitCode;

use shared::messaging::provision;

use crate::error::Failure;
use crate::operator_connection::Installation;
use crate::output::say;
use crate::stack::{Lane, RUNTIMES};

/// Create or update streams, consumers and buckets on a broker. Idempotent.
#[derive(clap::Args)]
pub struct Provision {
    /// The runtimes that workers offer, divided by commas.
    #[arg(long, default_values = RUNTIMES, value_delimiter = ',')]
    runtimes: Vec<Lane>,
    #[command(flatten)]
    installation: Installation,
}

impl Provision {
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let broker = self.installation.broker().await?;
        let lanes: Vec<String> = self.runtimes.iter().map(Lane::to_string).collect();
        provision(&broker, self.installation.replicas(), &lanes).await?;
        say!("streams, consumers and buckets are as they should be");
        Ok(ExitCode::SUCCESS)
    }
}
