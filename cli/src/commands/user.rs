//! `promptcraft user`: who may sign in.

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use shared::clock::Clock;
use shared::identity::{PasswordHash, Role, Secret, User as Record};
use shared::ids::UserName;
use shared::messaging::{Bucket, BucketError, Buckets};

use super::Failure;
use crate::operator::Installation;
use crate::screen;

/// Add, list and disable users.
#[derive(clap::Subcommand)]
pub enum User {
    Add(Add),
    List(List),
    Disable(Disable),
    Enable(Enable),
}

/// Add a user. The password is read from standard input; at a terminal a fresh one is made and shown.
#[derive(clap::Args)]
pub struct Add {
    name: UserName,
    /// viewer, developer, approver or admin.
    #[arg(long, default_value = "developer")]
    role: Role,
    /// May decide on their own work.
    #[arg(long)]
    self_approval: bool,
    #[command(flatten)]
    installation: Installation,
}

/// List the users.
#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    installation: Installation,
}

/// Shut a user out at once.
#[derive(clap::Args)]
pub struct Disable {
    name: UserName,
    #[command(flatten)]
    installation: Installation,
}

/// Let a disabled user in again.
#[derive(clap::Args)]
pub struct Enable {
    name: UserName,
    #[command(flatten)]
    installation: Installation,
}

impl User {
    pub async fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Add(command) => command.run().await?,
            Self::List(command) => command.run().await?,
            Self::Disable(command) => set_disabled(&command.installation, &command.name, true).await?,
            Self::Enable(command) => set_disabled(&command.installation, &command.name, false).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    async fn run(self) -> Result<(), Failure> {
        let users = users(&self.installation).await?;
        let (password, is_fresh) = password()?;
        let user = Record {
            name: self.name.clone(),
            role: self.role,
            self_approval: self.self_approval,
            disabled: false,
            demo: false,
            bot: false,
            password: Some(PasswordHash::of(password.expose())?),
            created_at: Clock::default().now(),
        };
        match users.create(self.name.as_str(), &user).await {
            Ok(_) => {}
            Err(BucketError::Conflict) => {
                return Err(format!("there is a user {} already; choose another name", self.name).into());
            }
            Err(error) => return Err(error.into()),
        }
        println!("added {} ({})", self.name, self.role.as_str());
        if is_fresh {
            println!("password {}", password.expose());
        }
        Ok(())
    }
}

impl List {
    async fn run(self) -> Result<(), Failure> {
        let users = users(&self.installation).await?.all().await?;
        let rows: Vec<Vec<String>> = users
            .iter()
            .map(|(name, user)| {
                let mut remarks = Vec::new();
                for (holds, remark) in [
                    (user.disabled, "disabled"),
                    (user.bot, "bot"),
                    (user.demo, "demo"),
                    (user.self_approval, "may approve their own"),
                ] {
                    if holds {
                        remarks.push(remark);
                    }
                }
                vec![name.clone(), user.role.as_str().to_owned(), user.created_at.day(), remarks.join(", ")]
            })
            .collect();
        screen::table(&["USER", "ROLE", "SINCE", "REMARKS"], &rows);
        Ok(())
    }
}

async fn set_disabled(installation: &Installation, name: &UserName, disabled: bool) -> Result<(), Failure> {
    let users = users(installation).await?;
    let Some((mut user, revision)) = users.get(name.as_str()).await? else {
        return Err(format!("there is no user {name}; see `promptcraft user list`").into());
    };
    user.disabled = disabled;
    users.update(name.as_str(), &user, revision).await?;
    println!("{name} is {}", if disabled { "disabled" } else { "enabled" });
    Ok(())
}

async fn users(installation: &Installation) -> Result<Bucket<Record>, Failure> {
    Ok(Buckets::new(&installation.broker().await?).users().await?)
}

fn password() -> Result<(Secret, bool), Failure> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Ok((Secret::fresh(), true));
    }
    let mut line = String::new();
    input.lock().read_line(&mut line)?;
    match line.trim_end_matches(['\r', '\n']) {
        "" => Ok((Secret::fresh(), true)),
        password => Ok((Secret::new(password), false)),
    }
}
