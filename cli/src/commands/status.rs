//! `promptcraft status`: shows a workflow.

use std::process::ExitCode;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::out;
use crate::progress_view::Progress;
use crate::watch::{exit_code, watch};
use crate::workflow_display::print_workflow;
use crate::workflow_state::WorkflowState;

/// Show a workflow
#[derive(clap::Args)]
pub struct StatusCommand {
    /// Workflow id
    id: String,
    /// Show progress until the workflow ends (exit code 1 if it or its code fails) or awaits a decision (8)
    #[arg(long)]
    watch: bool,
    /// Print all of the output and of the failed tests, also of code that was generated
    #[arg(long)]
    full: bool,
    /// Print the API's response as JSON
    #[arg(long, conflicts_with_all = ["watch", "full"])]
    json: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl StatusCommand {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        if self.watch {
            let state = watch(&api, &self.id, Progress::Shown).await?;
            print_workflow(&state, self.full);
            return Ok(exit_code(&state));
        }
        let path = format!("/api/v3/execute/status/{}", self.id);
        if self.json {
            out!("{:#}", api.get_raw(&path).await?["data"]);
        } else {
            print_workflow(&WorkflowState::new(api.get_raw(&path).await?), self.full);
        }
        Ok(ExitCode::SUCCESS)
    }
}
