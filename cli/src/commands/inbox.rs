//! `promptcraft inbox`: the approvals that the caller may decide.

use std::process::ExitCode;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::{self, out};

/// List the approvals that await your decision
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
            out!("No pending approvals.");
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<Vec<String>> = approvals
            .iter()
            .map(|approval| {
                let text = |name: &str| approval[name].as_str().unwrap_or_default().to_owned();
                vec![text("workflow_id"), text("risk_level"), text("expires_at"), text("description")]
            })
            .collect();
        output::table(&["WORKFLOW", "RISK", "EXPIRES", "APPROVAL"], &rows);
        if more {
            out!("\nThere are more; decide some of these to see them.");
        }
        out!("\nTo decide: promptcraft approve WORKFLOW or promptcraft reject WORKFLOW");
        Ok(ExitCode::SUCCESS)
    }
}
