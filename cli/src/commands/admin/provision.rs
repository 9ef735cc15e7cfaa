//! `promptcraft provision`: prepare a broker that is not the embedded one.

use std::process::ExitCode;

use shared::messaging::provision;

use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::out;
use crate::stack::{RUNTIMES, RuntimeName};

/// Create or update streams, consumers and buckets on a broker. Idempotent.
#[derive(clap::Args)]
pub struct Provision {
    /// The runtimes that workers offer, divided by commas.
    #[arg(long, default_values = RUNTIMES, value_delimiter = ',')]
    runtimes: Vec<RuntimeName>,
    #[command(flatten)]
    operator: OperatorConnection,
}

impl Provision {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let broker = self.operator.connect().await?;
        let lanes: Vec<String> = self.runtimes.iter().map(RuntimeName::to_string).collect();
        provision(&broker, self.operator.replicas(), &lanes).await?;
        out!("streams, consumers and buckets are as they should be");
        Ok(ExitCode::SUCCESS)
    }
}
