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
mod recipes;
mod run;
mod status;
mod up;

use std::path::Path;
use std::process::ExitCode;

use self::admin::{archive, bot, broker_config, dead_letters, keys, provision, rebuild, user};
use crate::error::CommandError;

/// The text of a file of code.
fn read_code(path: &Path) -> Result<String, CommandError> {
    std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()).into())
}

#[derive(clap::Subcommand)]
pub enum Command {
    Up(up::Up),
    Doctor(doctor::Doctor),
    Run(run::Run),
    Status(status::Status),
    List(list::List),
    Inbox(inbox::Inbox),
    Approve(approve::Approve),
    Reject(approve::Reject),
    Cancel(cancel::Cancel),
    Analyze(analyze::Analyze),
    #[command(subcommand)]
    Recipes(recipes::Recipes),
    Login(login::Login),
    #[command(subcommand)]
    User(user::User),
    #[command(subcommand)]
    Bot(bot::Bot),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    Dead(dead_letters::DeadLetterCommand),
    Archive(archive::Archive),
    BrokerFiles(broker_config::BrokerFiles),
    Provision(provision::Provision),
    Rebuild(rebuild::Rebuild),
    #[command(hide = true)]
    Guard(guard::Guard),
}

impl Command {
    /// Runs the command to its end.
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        match self {
            Self::Up(command) => command.run().await,
            Self::Doctor(command) => command.run(),
            Self::Run(command) => command.run().await,
            Self::Status(command) => command.run().await,
            Self::List(command) => command.run().await,
            Self::Inbox(command) => command.run().await,
            Self::Approve(command) => command.run().await,
            Self::Reject(command) => command.run().await,
            Self::Cancel(command) => command.run().await,
            Self::Analyze(command) => command.run().await,
            Self::Recipes(command) => command.run().await,
            Self::Login(command) => command.run().await,
            Self::User(command) => command.run().await,
            Self::Bot(command) => command.run().await,
            Self::Keys(command) => command.run().await,
            Self::Dead(command) => command.run().await,
            Self::Archive(command) => command.run().await,
            Self::BrokerFiles(command) => command.run(),
            Self::Provision(command) => command.run().await,
            Self::Rebuild(command) => command.run().await,
            Self::Guard(command) => Err(command.run().into()),
        }
    }
}
