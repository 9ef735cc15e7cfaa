//! `promptcraft admin`: the commands of operators, one file each.

mod archive;
mod bot;
mod broker_config;
mod dead_letters;
mod keys;
mod provision;
mod rebuild;
mod secrets;
mod user;

use std::process::ExitCode;

use crate::error::CommandError;

/// Administer an installation: broker, users, bots, signing keys, read model, archive
#[derive(clap::Subcommand)]
pub enum Admin {
    Provision(provision::Provision),
    BrokerConfig(broker_config::BrokerConfig),
    Secrets(secrets::Secrets),
    #[command(subcommand)]
    User(user::UserCommand),
    #[command(subcommand)]
    Bot(bot::BotCommand),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLetterCommand),
    Archive(archive::Archive),
    Rebuild(rebuild::Rebuild),
}

/// Former top-level spellings of [`Admin`] commands, hidden from the help (`cli/tests/it/admin_commands.rs`).
#[derive(clap::Subcommand)]
pub enum FormerSpelling {
    #[command(hide = true)]
    Provision(provision::Provision),
    #[command(hide = true)]
    BrokerFiles(broker_config::BrokerConfig),
    #[command(subcommand, hide = true)]
    User(user::UserCommand),
    #[command(subcommand, hide = true)]
    Bot(bot::BotCommand),
    #[command(subcommand, hide = true)]
    Keys(keys::Keys),
    #[command(subcommand, hide = true)]
    Dead(dead_letters::DeadLetterCommand),
    #[command(hide = true)]
    Archive(archive::Archive),
    #[command(hide = true)]
    Rebuild(rebuild::Rebuild),
}

impl Admin {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        match self {
            Self::Provision(command) => command.run().await,
            Self::BrokerConfig(command) => command.run(),
            Self::Secrets(command) => command.run(),
            Self::User(command) => command.run().await,
            Self::Bot(command) => command.run().await,
            Self::Keys(command) => command.run().await,
            Self::DeadLetters(command) => command.run().await,
            Self::Archive(command) => command.run().await,
            Self::Rebuild(command) => command.run().await,
        }
    }
}

impl From<FormerSpelling> for Admin {
    fn from(former: FormerSpelling) -> Self {
        match former {
            FormerSpelling::Provision(command) => Self::Provision(command),
            FormerSpelling::BrokerFiles(command) => Self::BrokerConfig(command),
            FormerSpelling::User(command) => Self::User(command),
            FormerSpelling::Bot(command) => Self::Bot(command),
            FormerSpelling::Keys(command) => Self::Keys(command),
            FormerSpelling::Dead(command) => Self::DeadLetters(command),
            FormerSpelling::Archive(command) => Self::Archive(command),
            FormerSpelling::Rebuild(command) => Self::Rebuild(command),
        }
    }
}
