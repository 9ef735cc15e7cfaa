//! `promptcraft cancel`: end a workflow.

use std::process::ExitCode;

use serde_json::json;

use crate::client::Connection;
use crate::error::Failure;
use crate::output::say;

/// Cancel a workflow; running code is killed at once.
#[derive(clap::Args)]
pub struct Cancel {
    id: String,
    #[command(flatten)]
    connection: Connection,
}

impl Cancel {
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let api = self.connection.open().await?;
        api.post(&format!("/api/v3/execute/cancel/{}", self.id), &json!({})).await?;
        say!("cancelled {}", self.id);
        Ok(ExitCode::SUCCESS)
    }
}
