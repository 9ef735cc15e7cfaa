//! `promptcraft admin bot`: accounts of programs that decide over the broker.

use std::process::ExitCode;
use std::time::Duration;

use domain::identity::{Role, Secret, User};
use messaging::{BucketError, Buckets};
use service::clock::Clock;
use tokio::time::Instant;

use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::out;
use crate::stack::broker_config::{self, BotName};
use crate::stack::{DataDirectory, Manifest, RuntimeName};

const RESTART_TIMEOUT: Duration = Duration::from_secs(20);

/// Add and remove approval bots
#[derive(clap::Subcommand)]
pub enum BotCommand {
    Add(Add),
    Remove(Remove),
}

/// Remove a bot; its decisions are invalid immediately
///
/// On a stack of this machine its broker account is removed as well, which restarts the broker.
#[derive(clap::Args)]
pub struct Remove {
    /// Name of the bot
    name: BotName,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Add a bot: a broker account and the right to decide
///
/// On a stack of this machine the broker is restarted, which interrupts it for about a second. Elsewhere the
/// account's configuration is printed for the administrator of the broker.
#[derive(clap::Args)]
pub struct Add {
    /// Name of the bot
    name: BotName,
    #[command(flatten)]
    operator: OperatorConnection,
}

impl BotCommand {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        match self {
            Self::Add(command) => command.run().await,
            Self::Remove(command) => command.run().await,
        }
    }
}

impl Add {
    async fn run(self) -> Result<ExitCode, CommandError> {
        self.create_user().await?;
        match self.operator.running_stack() {
            Some(stack) => self.create_account(stack).await?,
            None => self.print_account()?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Creates the bot's user entry, unless it exists.
    async fn create_user(&self) -> Result<(), CommandError> {
        let users = Buckets::new(&self.operator.connect().await?).users().await?;
        let name = self.name.as_str().parse().map_err(|error| format!("{}: {error}", self.name))?;
        let user = User { bot: true, ..User::new(name, Role::Approver, Clock::default().now()) };
        match users.create(self.name.as_str(), &user).await {
            Ok(_) => Ok(()),
            Err(BucketError::Conflict) => match users.get(self.name.as_str()).await? {
                Some((user, _)) if user.bot => Ok(()),
                _ => Err(format!("{} is already the name of a person; choose another name", self.name).into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the bot's account and restarts the broker: a reload would add the account without its imports.
    async fn create_account(&self, stack: Manifest) -> Result<(), CommandError> {
        let data = DataDirectory::open_unlocked(&self.operator.data)?;
        data.bot(self.name.clone())?;
        let mut stack = restart_broker(&self.operator, &data, &stack).await?;
        let password_file = data.secret_file(&format!("bot-{}", self.name))?;
        stack.add_bot(self.name.as_str(), &password_file);
        stack.write(data.root())?;
        out!("{} signs in at {} with the password in {}", self.name, stack.nats_url, password_file.display());
        Ok(())
    }

    fn print_account(&self) -> Result<(), CommandError> {
        let bot = broker_config::BotAccount { name: self.name.clone(), password: Secret::fresh().expose().to_owned() };
        out!("# Save as bots/{}.conf, include it in bots.conf, then restart the server", bot.name);
        out!("{}", bot.account().trim_end());
        Ok(())
    }
}

impl Remove {
    async fn run(self) -> Result<ExitCode, CommandError> {
        let users = Buckets::new(&self.operator.connect().await?).users().await?;
        match users.get(self.name.as_str()).await? {
            Some((user, _)) if user.bot => users.delete(self.name.as_str()).await?,
            Some(_) => return Err(format!("{} is a person; see `promptcraft admin user remove`", self.name).into()),
            None => return Err(format!("bot {} not found; see `promptcraft admin user list`", self.name).into()),
        }
        match self.operator.running_stack() {
            Some(stack) => {
                let data = DataDirectory::open_unlocked(&self.operator.data)?;
                std::fs::remove_file(data.secret_file(&format!("bot-{}", self.name))?)?;
                let mut stack = restart_broker(&self.operator, &data, &stack).await?;
                stack.bots.retain(|bot| bot.name != self.name.as_str());
                stack.write(data.root())?;
                out!("removed {}", self.name);
            }
            None => out!(
                "removed {0}; also remove bots/{0}.conf and its include from the configuration of the broker",
                self.name
            ),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the bots' accounts and restarts the broker of the stack; returns when it is ready.
async fn restart_broker(
    operator: &OperatorConnection,
    data: &DataDirectory,
    stack: &Manifest,
) -> Result<Manifest, CommandError> {
    broker_config::write(&data.nats(), &data.bots()?, &RuntimeName::all())?;
    let old = *stack.pids.get("nats").ok_or("the broker is not running; try again")?;
    stack.terminate("nats", "nats-server")?;
    let deadline = Instant::now() + RESTART_TIMEOUT;
    while Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let stack = operator.running_stack().filter(|stack| stack.pids.get("nats").is_some_and(|pid| *pid != old));
        if let Some(stack) = stack
            && operator.connect().await.is_ok()
        {
            return Ok(stack);
        }
    }
    Err("the broker did not restart; see its log and run `promptcraft doctor`".into())
}
