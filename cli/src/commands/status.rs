//! `promptcraft status`: shows a workflow.

use std::process::ExitCode;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::out;
use crate::watch::{exit_code, print_workflow, watch};

/// Show a workflow
#[derive(clap::Args)]
pub struct Status {
    /// Workflow id
    id: String,
    /// Show progress until the workflow ends (exit code 1 if it or its code fails) or awaits a decision (8)
    #[arg(long)]
    watch: bool,
    /// Print the API's response as JSON
    #[arg(long, conflicts_with = "watch")]
    json: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Status {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        if self.watch {
            let state = watch(&api, &self.id).await?;
            print_workflow(&state);
            return Ok(exit_code(&state));
        }
        let path = format!("/api/v3/execute/status/{}", self.id);
        if self.json {
            out!("{:#}", api.get_raw(&path).await?["data"]);
        } else {
            print_workflow(&api.get(&path).await?["data"]);
        }
        Ok(ExitCode::SUCCESS)
    }
}
