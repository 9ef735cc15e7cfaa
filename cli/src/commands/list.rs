//! `promptcraft list`: the caller's workflows.

use std::process::ExitCode;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::example_goals::first_command;
use crate::output::{self, out, truncate};

/// Maximum characters of a goal in a table row.
const GOAL_WIDTH: usize = 60;

/// List your workflows, newest first
#[derive(clap::Args)]
pub struct List {
    /// Show only workflows with this status
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Maximum number of workflows, up to 100
    #[arg(long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl List {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        let filter = self.status.map(|status| format!("&status={status}")).unwrap_or_default();
        let path = format!("/api/v3/execute?limit={}{filter}&", self.limit);
        let (workflows, more) = api.first_page(&path, "workflows").await?;
        if workflows.is_empty() {
            out!("No workflows. Start one: {}", first_command());
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<Vec<String>> = workflows
            .iter()
            .map(|workflow| {
                let text = |name: &str| workflow[name].as_str().unwrap_or_default().to_owned();
                vec![text("workflow_id"), text("status"), text("created_at"), truncate(&text("goal"), GOAL_WIDTH)]
            })
            .collect();
        output::table(&["WORKFLOW", "STATUS", "CREATED", "GOAL"], &rows);
        if more {
            out!("\nThere are older workflows: raise --limit (up to 100) or filter with --status");
        }
        Ok(ExitCode::SUCCESS)
    }
}
