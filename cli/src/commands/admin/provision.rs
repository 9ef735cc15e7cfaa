//! `promptcraft admin provision`: prepares a broker outside `promptcraft up`.

use std::process::ExitCode;

use messaging::provision;

use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::out;
use crate::stack::seed::seed;
use crate::stack::{DEFAULT_RUNTIMES, RuntimeName};

/// Create or update streams, consumers and buckets on the broker (idempotent)
#[derive(clap::Args)]
pub struct Provision {
    /// Comma-separated runtimes that workers offer; each gets a queue
    #[arg(long, default_values = DEFAULT_RUNTIMES, value_delimiter = ',')]
    runtimes: Vec<RuntimeName>,
    /// Create the demo users, the demo bot and, unless there is one, a signing key
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    operator: OperatorConnection,
}

impl Provision {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let broker = self.operator.connect().await?;
        let lanes: Vec<String> = self.runtimes.iter().map(RuntimeName::to_string).collect();
        if self.demo {
            seed(&broker, self.operator.replicas(), &lanes, true).await?;
        } else {
            provision(&broker, self.operator.replicas(), &lanes).await?;
        }
        out!("streams, consumers and buckets are up to date");
        Ok(ExitCode::SUCCESS)
    }
}
