//! `promptcraft bot`: programs that decide on the broker.

use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use shared::clock::Clock;
use shared::identity::{Role, Secret, User};
use shared::messaging::{BucketError, Buckets};
use tokio::time::Instant;

use super::Failure;
use crate::operator::Installation;
use crate::stack::broker_files::{self, BotName};
use crate::stack::{DataDirectory, Manifest};

const RESTART_LIMIT: Duration = Duration::from_secs(20);

/// Add approval bots.
#[derive(clap::Subcommand)]
pub enum Bot {
    Add(Add),
}

/// Add a bot: an account on the broker, and the right to decide.
///
/// On a stack of this machine the broker is started again, which interrupts nothing for longer than a second. Elsewhere the
/// account's configuration is printed, for the broker's administrator.
#[derive(clap::Args)]
pub struct Add {
    name: BotName,
    #[command(flatten)]
    installation: Installation,
}

impl Bot {
    pub async fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Add(command) => command.run().await,
        }
    }
}

impl Add {
    async fn run(self) -> Result<ExitCode, Failure> {
        self.entitle().await?;
        match self.installation.stack() {
            Some(stack) => self.admit(stack).await?,
            None => self.print()?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Lets the approver know the bot; a bot that was there keeps its entry.
    async fn entitle(&self) -> Result<(), Failure> {
        let users = Buckets::new(&self.installation.broker().await?).users().await?;
        let name = self.name.as_str().parse().map_err(|error| format!("{}: {error}", self.name))?;
        let user = User {
            name,
            role: Role::Approver,
            self_approval: false,
            disabled: false,
            demo: false,
            bot: true,
            password: None,
            created_at: Clock::default().now(),
        };
        match users.create(self.name.as_str(), &user).await {
            Ok(_) => Ok(()),
            Err(BucketError::Conflict) => match users.get(self.name.as_str()).await? {
                Some((user, _)) if user.bot => Ok(()),
                _ => Err(format!("{} is a person's name already; give the bot another one", self.name).into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the bot's account and has the stack start its broker again: a reload adds the account without its imports.
    async fn admit(&self, stack: Manifest) -> Result<(), Failure> {
        let data = DataDirectory::beside(&self.installation.data)?;
        data.bot(self.name.clone())?;
        broker_files::write(&data.nats(), &data.bots()?)?;
        let old = *stack.pids.get("nats").ok_or("the broker does not run now; try again")?;
        kill_process(Pid::from_raw(old).ok_or("stack.json names no process of the broker")?, Signal::TERM)?;
        let mut stack = self.restarted(old).await?;
        let password_file = data.secret_file(&format!("bot-{}", self.name))?;
        stack.remember_bot(self.name.as_str(), &password_file);
        stack.write(data.root())?;
        println!("{} signs in at {} with the password in {}", self.name, stack.nats_url, password_file.display());
        Ok(())
    }

    /// Waits until the broker runs again and serves.
    async fn restarted(&self, old: i32) -> Result<Manifest, Failure> {
        let deadline = Instant::now() + RESTART_LIMIT;
        while Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let stack = self.installation.stack().filter(|stack| stack.pids.get("nats").is_some_and(|pid| *pid != old));
            if let Some(stack) = stack
                && self.installation.broker().await.is_ok()
            {
                return Ok(stack);
            }
        }
        Err("the broker was ended and did not start again; see its log and `promptcraft doctor`".into())
    }

    fn print(&self) -> Result<(), Failure> {
        let bot = broker_files::Bot { name: self.name.clone(), password: Secret::fresh().expose().to_owned() };
        println!("# Save as bots/{}.conf, add its include to bots.conf, then restart the server", bot.name);
        print!("{}", bot.account());
        Ok(())
    }
}
