//! The commands, one file each.

mod admin;
mod analyze;
mod approve;
mod cancel;
mod doctor;
mod guard;
mod inbox;
mod list;
mod login;
mod outputs;
mod recipes;
mod run;
mod run_files;
mod runtimes;
mod status;
mod up;

use std::path::Path;
use std::process::ExitCode;

use crate::error::CommandError;

/// Reads a file that is to be sent.
fn read_text(path: &Path) -> Result<String, CommandError> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    utf8_text(bytes, &path.display().to_string())
}

/// Returns the content of the file `name` as text.
fn utf8_text(bytes: Vec<u8>, name: &str) -> Result<String, CommandError> {
    let advice = "only UTF-8 text can be sent. Convert it, or send data as base64 text that the program decodes";
    String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8 text; {advice}").into())
}

#[derive(clap::Subcommand)]
pub enum Commands {
    Run(run::Run),
    Status(status::StatusCommand),
    Outputs(outputs::Outputs),
    List(list::List),
    Inbox(inbox::Inbox),
    Approve(approve::Approve),
    Reject(approve::Reject),
    Cancel(cancel::Cancel),
    Analyze(analyze::Analyze),
    #[command(subcommand)]
    Recipes(recipes::Recipes),
    Runtimes(runtimes::Runtimes),
    Login(login::Login),
    Up(up::Up),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Admin(admin::Admin),
    #[command(flatten)]
    FormerSpelling(admin::FormerSpelling),
    #[command(hide = true)]
    Guard(guard::Guard),
}

impl Commands {
    /// Runs the command to its end.
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        match self {
            Self::Run(command) => command.run().await,
            Self::Status(command) => command.run().await,
            Self::Outputs(command) => command.run().await,
            Self::List(command) => command.run().await,
            Self::Inbox(command) => command.run().await,
            Self::Approve(command) => command.run().await,
            Self::Reject(command) => command.run().await,
            Self::Cancel(command) => command.run().await,
            Self::Analyze(command) => command.run().await,
            Self::Recipes(command) => command.run().await,
            Self::Runtimes(command) => command.run().await,
            Self::Login(command) => command.run().await,
            Self::Up(command) => command.run().await,
            Self::Doctor(command) => command.run(),
            Self::Admin(command) => command.run().await,
            Self::FormerSpelling(command) => admin::Admin::from(command).run().await,
            Self::Guard(command) => Err(command.run().into()),
        }
    }
}
