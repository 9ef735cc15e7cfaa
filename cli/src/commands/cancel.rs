//! `promptcraft cancel`.

use std::process::ExitCode;

use serde_json::json;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::out;

/// Cancel a workflow and kill its running code
#[derive(clap::Args)]
pub struct Cancel {
    /// Workflow id
    id: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Cancel {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        api.post(&format!("/api/v3/execute/cancel/{}", self.id), &json!({})).await?;
        out!("cancelled {}", self.id);
        Ok(ExitCode::SUCCESS)
    }
}
