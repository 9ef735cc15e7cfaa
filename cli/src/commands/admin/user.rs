//! `promptcraft admin user`: the users who may sign in.

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use domain::Timestamp;
use domain::identity::{Role, Secret, User};
use domain::ids::UserName;
use messaging::{Bucket, BucketError, Buckets};
use service::clock::Clock;

use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::{self, out};

/// Add, list, change, disable and remove users
#[derive(clap::Subcommand)]
pub enum UserCommand {
    Add(Add),
    List(List),
    Disable(Disable),
    Enable(Enable),
    Role(SetRole),
    Password(SetPassword),
    Remove(Remove),
}

/// Add a user
///
/// The password is read from standard input; on a terminal, or without input, one is generated and printed.
#[derive(clap::Args)]
pub struct Add {
    /// User name
    name: UserName,
    /// Role: viewer, developer, approver or admin
    #[arg(long, default_value = "developer")]
    role: Role,
    /// Allow the user to approve their own work
    #[arg(long)]
    self_approval: bool,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// List users
#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Disable a user and end their sessions immediately
///
/// Existing tokens stay invalid when the user is enabled again.
#[derive(clap::Args)]
pub struct Disable {
    /// User name
    name: UserName,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Enable a disabled user
#[derive(clap::Args)]
pub struct Enable {
    /// User name
    name: UserName,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Change the role of a user, effective immediately
///
/// Existing sessions get the new role. A lower role ends the votes of the user on open approvals.
#[derive(clap::Args)]
pub struct SetRole {
    /// User name
    name: UserName,
    /// Role: viewer, developer, approver or admin
    role: Role,
    /// Allow or forbid the user to approve their own work [default: unchanged]; always forbidden for a viewer
    #[arg(long, value_name = "true|false")]
    self_approval: Option<bool>,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Change the password of a user and end their sessions
///
/// The password is read from standard input; on a terminal, or without input, one is generated and printed.
#[derive(clap::Args)]
pub struct SetPassword {
    /// User name
    name: UserName,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Remove a user
///
/// The workflows of the user stay; a later user of the same name owns them.
#[derive(clap::Args)]
pub struct Remove {
    /// User name
    name: UserName,
    #[command(flatten)]
    operator: OperatorConnection,
}

impl UserCommand {
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
        let user = User {
            self_approval: self.self_approval,
            password: Some(service::password::hash(password.expose())?),
            tokens_from: Some(now),
            ..User::new(self.name.clone(), self.role, now)
        };
        match users.create(self.name.as_str(), &user).await {
            Ok(_) => {}
            Err(BucketError::Conflict) => {
                return Err(format!("user {} already exists; choose another name", self.name).into());
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
                    (user.self_approval, "may approve own work"),
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
        out!("{} now has the role {}{remark}", self.name, self.role.as_str());
        Ok(())
    }
}

/// Sets the role and self-approval. Returns a remark if the user has, had or was to get self-approval.
fn set_role(user: &mut User, role: Role, self_approval: Option<bool>, now: Timestamp) -> &'static str {
    // A viewer's stored self-approval is not in effect; a higher role must not activate it.
    let had = user.self_approval && may_self_approve(user.role);
    let has = may_self_approve(role) && self_approval.unwrap_or(had);
    if role < user.role || (had && !has) {
        user.votes_from = Some(now);
    }
    let was_held = user.self_approval;
    (user.role, user.self_approval) = (role, has);
    match (has, was_held || self_approval.is_some()) {
        (true, _) => "; self-approval is on",
        (false, true) => "; self-approval is off",
        (false, false) => "",
    }
}

/// Returns whether the role may submit, which self-approval requires.
fn may_self_approve(role: Role) -> bool {
    role >= Role::Developer
}

fn check_self_approval(role: Role, self_approval: bool) -> Result<(), CommandError> {
    if self_approval && !may_self_approve(role) {
        return Err(format!("the role {} cannot have self-approval; omit --self-approval", role.as_str()).into());
    }
    Ok(())
}

impl SetPassword {
    async fn run(self) -> Result<(), CommandError> {
        let (password, is_fresh) = password()?;
        let hash = service::password::hash(password.expose())?;
        change(&self.operator, &self.name, |user| {
            user.password = Some(hash);
            user.demo = false;
            user.tokens_from = Some(Clock::default().now());
        })
        .await?;
        out!("changed the password of {}", self.name);
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
            Some(_) => return Err(format!("{} is a bot; see `promptcraft admin bot remove`", self.name).into()),
            None => return Err(format!("user {} not found; see `promptcraft admin user list`", self.name).into()),
        }
        out!("removed {}", self.name);
        Ok(())
    }
}

/// Changes the entry of a person; bots are changed by `promptcraft admin bot`.
async fn change(
    operator: &OperatorConnection,
    name: &UserName,
    change: impl FnOnce(&mut User),
) -> Result<(), CommandError> {
    let users = users(operator).await?;
    let Some((mut user, revision)) = users.get(name.as_str()).await? else {
        return Err(format!("user {name} not found; see `promptcraft admin user list`").into());
    };
    let was_disabled = user.disabled;
    change(&mut user);
    if user.bot && user.disabled == was_disabled {
        return Err(format!("{name} is a bot; see `promptcraft admin bot`").into());
    }
    users.update(name.as_str(), &user, revision).await?;
    Ok(())
}

/// Opens the bucket of users.
async fn users(operator: &OperatorConnection) -> Result<Bucket<User>, CommandError> {
    Ok(Buckets::new(&operator.connect().await?).users().await?)
}

/// Reads the password from standard input, or generates one; the flag says whether it was generated.
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
    fn self_approval_requires_a_role_and_is_not_restored() {
        const MAY: &str = "; self-approval is on";
        const MAY_NOT: &str = "; self-approval is off";
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
            let mut changed =
                User { self_approval: leave, ..User::new("ann".parse().unwrap(), role, Timestamp::from_millis(0)) };
            let remark = set_role(&mut changed, new, asked, later);
            let found = (changed.self_approval, changed.votes_from, remark);
            assert_eq!((changed.role, found), (new, expected), "{role:?} to {new:?}");
        }
    }
}
