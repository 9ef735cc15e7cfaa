//! `promptcraft inbox`: what the caller may decide now.

use std::process::ExitCode;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::{self, out};

/// List what waits for your decision.
#[derive(clap::Args)]
pub struct Inbox {
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Inbox {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        let (approvals, more) = api.first_page("/api/v3/approvals?", "approvals").await?;
        if approvals.is_empty() {
            out!("Nothing waits for you.");
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<Vec<String>> = approvals
            .iter()
            .map(|approval| {
                let text = |name: &str| approval[name].as_str().unwrap_or_default().to_owned();
                vec![text("workflow_id"), text("risk_level"), text("expires_at"), text("description")]
            })
            .collect();
        output::table(&["WORKFLOW", "RISK", "UNTIL", "QUESTION"], &rows);
        if more {
            out!("\nMore wait behind these; they are shown once some of these are decided.");
        }
        out!("\nDecide with: promptcraft approve WORKFLOW, or promptcraft reject WORKFLOW");
        Ok(ExitCode::SUCCESS)
    }
}
