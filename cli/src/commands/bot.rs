//! `promptcraft bot`: programs that decide on the broker.

use std::process::ExitCode;

use rustix::process::{Pid, Signal, kill_process};
use shared::clock::Clock;
use shared::identity::{Role, Secret, User};
use shared::messaging::{BucketError, Buckets};

use super::Failure;
use crate::operator::Installation;
use crate::stack::broker_files::{self, BotName};
use crate::stack::{DataDirectory, Manifest};

/// Add approval bots.
#[derive(clap::Subcommand)]
pub enum Bot {
    Add(Add),
}

/// Add a bot: an account on the broker, and the right to decide.
///
/// On a stack of this machine the broker is told at once. Elsewhere the account's configuration is printed, for the broker's
/// administrator to include and reload.
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
            Some(stack) => self.admit(stack)?,
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

    fn admit(&self, mut stack: Manifest) -> Result<(), Failure> {
        let data = DataDirectory::beside(&self.installation.data)?;
        data.bot(self.name.clone())?;
        broker_files::write(&data.nats(), &data.bots()?)?;
        let broker = stack.pids.get("nats").and_then(|pid| Pid::from_raw(*pid)).ok_or("the broker does not run now")?;
        kill_process(broker, Signal::HUP)?;
        let password_file = data.secret_file(&format!("bot-{}", self.name))?;
        stack.remember_bot(self.name.as_str(), &password_file);
        stack.write(data.root())?;
        println!("{} signs in at {} with the password in {}", self.name, stack.nats_url, password_file.display());
        Ok(())
    }

    fn print(&self) -> Result<(), Failure> {
        let bot = broker_files::Bot { name: self.name.clone(), password: Secret::fresh().expose().to_owned() };
        println!("# Save as bots/{}.conf, add its include to bots.conf, then: nats-server --signal reload", bot.name);
        print!("{}", bot.account());
        Ok(())
    }
}
