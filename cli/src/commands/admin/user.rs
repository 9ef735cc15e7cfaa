//! `promptcraft user`: who may sign in.

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use shared::clock::{Clock, Timestamp};
use shared::identity::{PasswordHash, Role, Secret, User as UserRecord};
use shared::ids::UserName;
use shared::messaging::{Bucket, BucketError, Buckets};

use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::{self, out};

/// Add, list, change, disable and remove users.
#[derive(clap::Subcommand)]
pub enum User {
    Add(Add),
    List(List),
    Disable(Disable),
    Enable(Enable),
    Role(SetRole),
    Password(SetPassword),
    Remove(Remove),
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
    operator: OperatorConnection,
}

/// List the users.
#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Shut a user out at once; whoever is signed in stays out when the user is enabled again.
#[derive(clap::Args)]
pub struct Disable {
    name: UserName,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Let a disabled user in again.
#[derive(clap::Args)]
pub struct Enable {
    name: UserName,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Give a user another role; it counts at once, also for those who are signed in. A lower one ends their votes on what is open.
#[derive(clap::Args)]
pub struct SetRole {
    name: UserName,
    /// viewer, developer, approver or admin.
    role: Role,
    /// True if they may decide on their own work; left out, it stays as it is. A viewer never may.
    #[arg(long, value_name = "true|false")]
    self_approval: Option<bool>,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Give a user another password, as in `add`. Who is signed in has to sign in again.
#[derive(clap::Args)]
pub struct SetPassword {
    name: UserName,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Remove a user. Their workflows stay; a user of the same name would own them.
#[derive(clap::Args)]
pub struct Remove {
    name: UserName,
    #[command(flatten)]
    operator: OperatorConnection,
}

impl User {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        match self {
            Self::Add(command) => command.run().await?,
            Self::List(command) => command.run().await?,
            Self::Disable(command) => {
                change(&command.operator, &command.name, |user| {
                    user.disabled = true;
                    user.tokens_from = Some(Clock::default().now());
                })
                .await?;
                out!("{} is disabled", command.name);
            }
            Self::Enable(command) => {
                change(&command.operator, &command.name, |user| {
                    if std::mem::take(&mut user.disabled) {
                        user.votes_from = Some(Clock::default().now());
                    }
                })
                .await?;
                out!("{} is enabled", command.name);
            }
            Self::Role(command) => command.run().await?,
            Self::Password(command) => command.run().await?,
            Self::Remove(command) => command.run().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    async fn run(self) -> Result<(), CommandError> {
        check_self_approval(self.role, self.self_approval)?;
        let users = users(&self.operator).await?;
        let (password, is_fresh) = password()?;
        let now = Clock::default().now();
        let user = UserRecord {
            self_approval: self.self_approval,
            password: Some(PasswordHash::of(password.expose())?),
            tokens_from: Some(now),
            ..UserRecord::new(self.name.clone(), self.role, now)
        };
        match users.create(self.name.as_str(), &user).await {
            Ok(_) => {}
            Err(BucketError::Conflict) => {
                return Err(format!("there is a user {} already; choose another name", self.name).into());
            }
            Err(error) => return Err(error.into()),
        }
        out!("added {} ({})", self.name, self.role.as_str());
        if is_fresh {
            out!("password {}", password.expose());
        }
        Ok(())
    }
}

impl List {
    async fn run(self) -> Result<(), CommandError> {
        let users = users(&self.operator).await?.all().await?;
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
        output::table(&["USER", "ROLE", "SINCE", "REMARKS"], &rows);
        Ok(())
    }
}

impl SetRole {
    async fn run(self) -> Result<(), CommandError> {
        check_self_approval(self.role, self.self_approval == Some(true))?;
        let mut remark = "";
        change(&self.operator, &self.name, |user| {
            remark = set_role(user, self.role, self.self_approval, Clock::default().now());
        })
        .await?;
        out!("{} is {} now{remark}", self.name, self.role.as_str());
        Ok(())
    }
}

/// Sets role and leave, and returns a remark on the leave where they hold it, held it, or were to hold it.
fn set_role(user: &mut UserRecord, role: Role, self_approval: Option<bool>, now: Timestamp) -> &'static str {
    // A viewer's record may claim leave that did not count: a higher role does not revive it.
    let had = user.self_approval && may_self_approve(user.role);
    let has = may_self_approve(role) && self_approval.unwrap_or(had);
    if role < user.role || (had && !has) {
        user.votes_from = Some(now);
    }
    let was_held = user.self_approval;
    (user.role, user.self_approval) = (role, has);
    match (has, was_held || self_approval.is_some()) {
        (true, _) => "; they may decide on their own work",
        (false, true) => "; they may not decide on their own work",
        (false, false) => "",
    }
}

/// Leave to decide on one's own work goes with the roles that may submit.
fn may_self_approve(role: Role) -> bool {
    role >= Role::Developer
}

fn check_self_approval(role: Role, self_approval: bool) -> Result<(), CommandError> {
    if self_approval && !may_self_approve(role) {
        return Err(format!("a {} has no work to decide on; leave --self-approval out", role.as_str()).into());
    }
    Ok(())
}

impl SetPassword {
    async fn run(self) -> Result<(), CommandError> {
        let (password, is_fresh) = password()?;
        let hash = PasswordHash::of(password.expose())?;
        change(&self.operator, &self.name, |user| {
            user.password = Some(hash);
            user.demo = false;
            user.tokens_from = Some(Clock::default().now());
        })
        .await?;
        out!("{} has another password", self.name);
        if is_fresh {
            out!("password {}", password.expose());
        }
        Ok(())
    }
}

impl Remove {
    async fn run(self) -> Result<(), CommandError> {
        let users = users(&self.operator).await?;
        match users.get(self.name.as_str()).await? {
            Some((user, _)) if !user.bot => users.delete(self.name.as_str()).await?,
            Some(_) => return Err(format!("{} is a bot; see `promptcraft bot remove`", self.name).into()),
            None => return Err(format!("there is no user {}; see `promptcraft user list`", self.name).into()),
        }
        out!("removed {}", self.name);
        Ok(())
    }
}

/// Changes a person's entry; bots are added and removed with `promptcraft bot`.
async fn change(
    operator: &OperatorConnection,
    name: &UserName,
    change: impl FnOnce(&mut UserRecord),
) -> Result<(), CommandError> {
    let users = users(operator).await?;
    let Some((mut user, revision)) = users.get(name.as_str()).await? else {
        return Err(format!("there is no user {name}; see `promptcraft user list`").into());
    };
    let was_disabled = user.disabled;
    change(&mut user);
    if user.bot && user.disabled == was_disabled {
        return Err(format!("{name} is a bot; see `promptcraft bot`").into());
    }
    users.update(name.as_str(), &user, revision).await?;
    Ok(())
}

async fn users(operator: &OperatorConnection) -> Result<Bucket<UserRecord>, CommandError> {
    Ok(Buckets::new(&operator.connect().await?).users().await?)
}

fn password() -> Result<(Secret, bool), CommandError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leave_goes_with_the_role_and_is_not_revived() {
        const MAY: &str = "; they may decide on their own work";
        const MAY_NOT: &str = "; they may not decide on their own work";
        let later = Timestamp::from_millis(1);
        use Role::{Admin, Approver, Developer, Viewer};
        for (role, leave, new, asked, expected) in [
            (Viewer, true, Developer, None, (false, None, MAY_NOT)),
            (Viewer, true, Developer, Some(true), (true, None, MAY)),
            (Developer, true, Approver, None, (true, None, MAY)),
            (Developer, true, Viewer, None, (false, Some(later), MAY_NOT)),
            (Approver, true, Approver, Some(false), (false, Some(later), MAY_NOT)),
            (Approver, true, Developer, None, (true, Some(later), MAY)),
            (Admin, false, Approver, None, (false, Some(later), "")),
            (Developer, false, Approver, None, (false, None, "")),
        ] {
            let mut changed = UserRecord {
                self_approval: leave,
                ..UserRecord::new("ann".parse().unwrap(), role, Timestamp::from_millis(0))
            };
            let remark = set_role(&mut changed, new, asked, later);
            let found = (changed.self_approval, changed.votes_from, remark);
            assert_eq!((changed.role, found), (new, expected), "{role:?} to {new:?}");
        }
    }
}
