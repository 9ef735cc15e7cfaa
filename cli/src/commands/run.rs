//! `promptcraft run`: submits a goal.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::read_code;
use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::example_goals::example_commands;
use crate::output::out;
use crate::watch::{exit_code, print_workflow, watch};

const MODES: [&str; 8] = ["auto", "run", "test", "write_tests", "change", "document", "explain", "generate"];

/// Submit a goal: generate code for it, or work on a file
#[derive(clap::Args)]
#[command(after_help = example_commands())]
pub struct Run {
    /// Goal, 3 to 10,000 characters
    goal: String,
    /// File with code to work on; it runs only if the goal or --mode asks for it
    #[arg(long)]
    file: Option<PathBuf>,
    /// Language of the file, if its name does not show it
    #[arg(long)]
    language: Option<String>,
    /// Kind of work [default: derived from the goal]
    #[arg(long, value_parser = MODES)]
    mode: Option<String>,
    /// Recipe to use, whatever the goal says; see `promptcraft recipes list`
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    recipe: Option<String>,
    /// Seconds that one run of the code may take, 1 to 7200 [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=7200))]
    timeout: Option<u32>,
    /// Release the result without an approval
    #[arg(long)]
    no_approval: bool,
    /// Show progress until the workflow ends (exit code 1 if it or its code fails) or awaits a decision (8)
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Run {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let body = self.body()?;
        let api = self.connection.connect().await?;
        let answer = api.post("/api/v3/execute", &body).await?;
        let id = answer["data"]["workflow_id"].as_str().unwrap_or_default().to_owned();
        if !self.watch {
            out!("{id}");
            return Ok(ExitCode::SUCCESS);
        }
        out!("accepted {id}");
        let state = watch(&api, &id).await?;
        print_workflow(&state);
        Ok(exit_code(&state))
    }

    fn body(&self) -> Result<Value, CommandError> {
        let mut project = json!({});
        if let Some(path) = &self.file {
            project["file_content"] = read_code(path)?.into();
            project["current_file"] = path.display().to_string().into();
        }
        if let Some(language) = &self.language {
            project["language"] = language.as_str().into();
        }
        let mut preferences = json!({ "require_approval": !self.no_approval });
        if let Some(mode) = &self.mode {
            preferences["mode"] = mode.as_str().into();
        }
        if let Some(seconds) = self.timeout {
            preferences["timeout_seconds"] = seconds.into();
        }
        if let Some(recipe) = &self.recipe {
            preferences["recipe"] = recipe.as_str().into();
        }
        Ok(json!({
            "goal": self.goal,
            "context": { "project_context": project, "execution_preferences": preferences },
        }))
    }
}
