//! `promptcraft inbox`: the approvals that the caller may decide.

use std::process::ExitCode;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::{Style, one_line, out, styled, truncate};
use crate::workflow_display::print_approval;

/// Maximum characters of a goal.
const MAX_GOAL_CHARS: usize = 100;

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
        for (number, approval) in approvals.iter().enumerate() {
            if number > 0 {
                out!("");
            }
            let goal = truncate(approval["workflow"]["goal"].as_str().unwrap_or_default(), MAX_GOAL_CHARS);
            let id = approval["workflow_id"].as_str().unwrap_or_default();
            out!("{} {}", styled(Style::Bold, id), styled(Style::Dim, &one_line(&goal)));
            print_approval(approval);
        }
        if more {
            out!("\nThere are more; decide some of these to see them.");
        }
        out!("\nTo see all of one: promptcraft status WORKFLOW");
        out!("To decide: promptcraft approve WORKFLOW or promptcraft reject WORKFLOW");
        Ok(ExitCode::SUCCESS)
    }
}
