//! `promptcraft status`: one workflow.

use std::process::ExitCode;

use crate::client::Connection;
use crate::error::Failure;
use crate::output::say;
use crate::watch::{describe, exit_code, follow};

/// Show a workflow.
#[derive(clap::Args)]
pub struct Status {
    id: String,
    /// Show progress until it ends or waits for a decision. Exits 1 if it or its code fails, 8 if it waits.
    #[arg(long)]
    watch: bool,
    /// The API's answer as it is.
    #[arg(long, conflicts_with = "watch")]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Status {
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let api = self.connection.open().await?;
        if self.watch {
            let state = follow(&api, &self.id).await?;
            describe(&state);
            return Ok(exit_code(&state));
        }
        let path = format!("/api/v3/execute/status/{}", self.id);
        if self.json {
            say!("{:#}", api.get_as_it_is(&path).await?["data"]);
        } else {
            describe(&api.get(&path).await?["data"]);
        }
        Ok(ExitCode::SUCCESS)
    }
}
