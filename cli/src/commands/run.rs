//! `promptcraft run`: submits a goal.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::outputs::save_output_files;
use super::run_files::project_of;
use super::{read_text, utf8_text};
use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::example_goals::example_commands;
use crate::output::{self, out};
use crate::progress_view::Progress;
use crate::watch::{exit_code, has_succeeded, watch};
use crate::workflow_display::print_workflow;

const MODES: [&str; 8] = ["auto", "run", "test", "write_tests", "change", "document", "explain", "generate"];

/// Submit a goal: generate code for it, or work on a file
#[derive(clap::Args)]
#[command(after_help = example_commands())]
pub struct Run {
    /// Goal, 3 to 10,000 characters, and files with code to work on. Without a goal the first file is run
    #[arg(required = true, value_name = "GOAL|FILE")]
    words: Vec<String>,
    /// File with code to work on; it runs only if the goal or --mode asks for it
    #[arg(long)]
    file: Option<PathBuf>,
    /// The file to run, of several: its path as given, or as the program sees it
    #[arg(long, value_name = "FILE")]
    entry: Option<PathBuf>,
    /// File that the code reads as its stdin; - for the stdin of this command
    #[arg(long, value_name = "FILE")]
    stdin: Option<PathBuf>,
    /// Argument for the code; may be repeated
    #[arg(long = "arg", value_name = "WORD", allow_hyphen_values = true)]
    args: Vec<String>,
    /// Variable for the code; may be repeated
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
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
    /// Wait like --watch, without the progress
    #[arg(long, conflicts_with = "watch")]
    wait: bool,
    /// Folder to save the files in that the code leaves in its folder outputs; waits like --wait. Existing files are
    /// kept: the code chooses the names, so choose an empty folder
    #[arg(long, value_name = "FOLDER")]
    outputs: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Run {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let body = self.body()?;
        let api = self.connection.connect().await?;
        let answer = api.post_with_retry("/api/v3/execute", &body, notify_rate_limit).await?;
        let id = answer["data"]["workflow_id"].as_str().unwrap_or_default();
        let progress = match (self.watch, self.wait || self.outputs.is_some()) {
            (true, _) => Progress::Shown,
            (false, true) => Progress::Hidden,
            (false, false) => {
                out!("{id}");
                return Ok(ExitCode::SUCCESS);
            }
        };
        if self.watch {
            out!("accepted {id}");
        }
        let state = watch(&api, id, progress).await?;
        print_workflow(&state, false);
        if let Some(folder) = &self.outputs {
            let is_saved = save_output_files(&api, id, folder).await;
            let remark = if has_succeeded(&state) { ". The run itself succeeded" } else { "" };
            is_saved.map_err(|error| format!("{error}{remark}"))?;
        }
        Ok(exit_code(&state))
    }

    /// Returns the goal, if one is given, and the files.
    fn goal_and_files(&self) -> Result<(Option<&str>, Vec<PathBuf>), CommandError> {
        let (goal, files) = match self.words.as_slice() {
            [first, rest @ ..] if !Path::new(first).exists() => (Some(first.as_str()), rest),
            words => (None, words),
        };
        if let Some(goal) = goal.filter(|goal| is_path_like(goal)) {
            return Err(format!("file not found: {goal}").into());
        }
        Ok((goal, files.iter().map(PathBuf::from).chain(self.file.clone()).collect()))
    }

    fn body(&self) -> Result<Value, CommandError> {
        let (goal, files) = self.goal_and_files()?;
        // In other modes, such as test, the first file is not preferred to the others.
        let runs = goal.is_none() && matches!(self.mode.as_deref(), None | Some("run"));
        let first = files.first().filter(|_| runs && files.len() > 1);
        let entry = self.entry.as_ref().or(first).map(PathBuf::as_path);
        let mut project = if files.is_empty() { json!({}) } else { project_of(&files, entry)? };
        if let Some(language) = &self.language {
            project["language"] = language.as_str().into();
        }
        let mut preferences = json!({ "require_approval": !self.no_approval });
        if let Some(mode) = self.mode.as_deref().or(goal.is_none().then_some("run")) {
            preferences["mode"] = mode.into();
        }
        self.add_input(&mut preferences)?;
        if let Some(seconds) = self.timeout {
            preferences["timeout_seconds"] = seconds.into();
        }
        if let Some(recipe) = &self.recipe {
            preferences["recipe"] = recipe.as_str().into();
        }
        Ok(json!({
            "goal": goal.unwrap_or("Run this program"),
            "context": { "project_context": project, "execution_preferences": preferences },
        }))
    }

    fn add_input(&self, preferences: &mut Value) -> Result<(), CommandError> {
        if let Some(path) = &self.stdin {
            preferences["stdin"] = match path.to_str() {
                Some("-") => {
                    let mut bytes = Vec::new();
                    let read = std::io::stdin().read_to_end(&mut bytes);
                    read.map_err(|error| format!("cannot read stdin: {error}"))?;
                    utf8_text(bytes, "stdin")?
                }
                _ => read_text(path)?,
            }
            .into();
        }
        if !self.args.is_empty() {
            preferences["args"] = json!(self.args);
        }
        if !self.env.is_empty() {
            preferences["env"] = self.env.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        }
        Ok(())
    }
}

fn notify_rate_limit(delay: Duration) {
    eprintln!("The rate limit is reached; trying again in {}.", output::format_duration(delay));
}

/// Returns whether a word is meant as a file: one word with an extension or a folder.
fn is_path_like(word: &str) -> bool {
    let extension = Path::new(word).extension().is_some_and(|extension| (1..=5).contains(&extension.len()));
    !word.contains(char::is_whitespace) && (extension || word.contains('/'))
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_file_is_not_taken_for_a_goal() {
        for (word, expected) in [
            ("mian.py", true),
            ("src/main", true),
            ("Write an LRU cache with tests.", false),
            ("fizzbuzz", false),
            ("Fix app.py", false),
        ] {
            assert_eq!(is_path_like(word), expected, "{word}");
        }
        assert_eq!(variable("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
        assert!(variable("A").is_err());
    }
}
