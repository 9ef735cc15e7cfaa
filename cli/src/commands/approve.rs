//! `promptcraft approve` and `promptcraft reject`: decisions on pending approvals.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::read_text;
use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::out;
use crate::workflow_display::{NEEDS_INPUT, print_approval};

/// Approve the pending approval of a workflow
#[derive(clap::Args)]
pub struct Approve {
    /// File with the code to use, for a workflow that needs input
    #[arg(long)]
    file: Option<PathBuf>,
    /// Recipe to use, for a workflow that needs input
    #[arg(long, conflicts_with = "file")]
    recipe: Option<String>,
    #[command(flatten)]
    decision: DecisionArguments,
}

/// Reject the pending approval of a workflow
#[derive(clap::Args)]
pub struct Reject {
    /// Request another round with the comment instead of ending the workflow
    #[arg(long)]
    request_changes: bool,
    #[command(flatten)]
    decision: DecisionArguments,
}

#[derive(clap::Args)]
struct DecisionArguments {
    /// Workflow id
    id: String,
    /// Comment to record with the decision
    #[arg(long)]
    comment: Option<String>,
    /// Decide only if the pending approval has this digest; does not ask for confirmation
    #[arg(long)]
    digest: Option<String>,
    /// Do not ask for confirmation; without a terminal, this or --digest is required
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Approve {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let input = match (self.file, self.recipe) {
            (Some(path), _) => Some(("code", read_text(&path)?)),
            (None, Some(name)) => Some(("recipe", name)),
            (None, None) => None,
        };
        self.decision.make("approved", input).await
    }
}

impl Reject {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let verdict = if self.request_changes { "changes_requested" } else { "rejected" };
        self.decision.make(verdict, None).await
    }
}

impl DecisionArguments {
    /// Decides on the digest shown now; the API rejects the decision if it has changed.
    async fn make(self, verdict: &str, input: Option<(&str, String)>) -> Result<ExitCode, CommandError> {
        let api = self.connection.connect().await?;
        let answer = api.get(&format!("/api/v3/execute/status/{}", self.id)).await?;
        let approval = &answer["data"]["pending_approvals"][0];
        let Some(approval_id) = approval["approval_id"].as_str() else {
            let status = answer["data"]["status"].as_str().unwrap_or("unknown");
            return Err(format!("workflow {} has no pending approval; its status is {status}", self.id).into());
        };
        let needs_input = verdict == "approved" && approval["approval_type"] == NEEDS_INPUT;
        if needs_input && input.is_none() {
            return Err("this approval needs code or a recipe: pass --file CODE or --recipe NAME, or reject it".into());
        }
        self.confirm(approval, verdict)?;
        let mut body = json!({
            "workflow_id": self.id,
            "approval_id": approval_id,
            "decision": verdict,
            "digest": self.digest.as_deref().or(approval["digest"].as_str()),
        });
        if let Some(comment) = &self.comment {
            body["comment"] = comment.as_str().into();
        }
        if let Some((member, content)) = input {
            body[member] = content.into();
        }
        let answer = api.post(&format!("/api/v3/execute/approve/{}", self.id), &body).await?;
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        out!("{} ({})", text("message"), text("workflow_status"));
        Ok(ExitCode::SUCCESS)
    }

    /// Shows the approval and asks for confirmation; without a terminal an option has to confirm.
    fn confirm(&self, approval: &Value, verdict: &str) -> Result<(), CommandError> {
        let text = |name: &str| approval[name].as_str().unwrap_or_default();
        print_approval(approval);
        out!("  digest:  {}", text("digest"));
        if self.yes || self.digest.is_some() {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err("no terminal to confirm on: pass --digest DIGEST or --yes".into());
        }
        let mut terminal = std::io::stdout();
        let question = match verdict {
            "approved" => "Approve",
            "rejected" => "Reject",
            _ => "Request changes",
        };
        write!(terminal, "{question}? [y/N] ")?;
        terminal.flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err("cancelled; no decision was sent".into()) }
    }
}
