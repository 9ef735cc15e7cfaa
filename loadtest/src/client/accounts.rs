//! The users of a run: given, of the demo stack, or created for it and removed after it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use uuid::Uuid;

/// Name and password of a user.
#[derive(Debug, Clone)]
pub struct Account {
    pub name: String,
    pub password: String,
}

/// The users of a run.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// Users who submit.
    pub submitters: Vec<Account>,
    /// The user who decides; `None` if submitters approve their own work.
    pub approver: Option<Account>,
}

/// The origin of the users.
#[derive(Debug, Clone)]
pub enum AccountSource {
    Given(Accounts),
    /// Created and removed by `promptcraft admin user` with these arguments.
    Created {
        program: PathBuf,
        arguments: Vec<String>,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("cannot run {program}: {source}. Build it, or pass --demo-users or --user NAME:PASSWORD")]
    Program { program: PathBuf, source: std::io::Error },
    #[error(
        "`promptcraft admin user {action}` failed: {reason}. Pass --data of the stack, --demo-users or --user NAME:PASSWORD"
    )]
    Refused { action: &'static str, reason: String },
}

impl Accounts {
    /// Returns the users of the demo stack.
    pub fn of_demo() -> Self {
        let account = |name: &str, password: &str| Account { name: name.to_owned(), password: password.to_owned() };
        Self {
            submitters: vec![account("test_user", "test_pass"), account("stress_user", "stress_pass")],
            approver: Some(account("approver", "approver_pass")),
        }
    }
}

impl AccountSource {
    /// Returns the users, `count` submitters and an approver if they are created here.
    ///
    /// After an error no created user is left.
    pub async fn acquire(&self, count: usize) -> Result<Accounts, AccountError> {
        let Self::Created { program, arguments } = self else {
            return Ok(self.given());
        };
        let run = &Uuid::new_v4().simple().to_string()[..8];
        let mut created = Accounts { submitters: Vec::new(), approver: None };
        for number in 0..=count {
            let is_approver = number == count;
            let name = if is_approver { format!("load-{run}-approver") } else { format!("load-{run}-{number}") };
            let account = Account { name, password: Uuid::new_v4().to_string() };
            let role = if is_approver { "approver" } else { "developer" };
            let words = ["add", &account.name, "--role", role];
            if let Err(error) = admin_user(program, arguments, &words, &account.password).await {
                self.release(&created).await;
                return Err(error);
            }
            if is_approver {
                created.approver = Some(account);
            } else {
                created.submitters.push(account);
            }
        }
        Ok(created)
    }

    fn given(&self) -> Accounts {
        match self {
            Self::Given(accounts) => accounts.clone(),
            Self::Created { .. } => Accounts { submitters: Vec::new(), approver: None },
        }
    }

    /// Removes the users that were created here; reports each that could not be removed on stderr.
    pub async fn release(&self, accounts: &Accounts) {
        let Self::Created { program, arguments } = self else { return };
        for account in accounts.submitters.iter().chain(&accounts.approver) {
            if let Err(error) = admin_user(program, arguments, &["remove", &account.name], "").await {
                eprintln!("user {} was not removed: {error}", account.name);
            }
        }
    }
}

/// Runs `promptcraft admin user` with these words and this standard input.
async fn admin_user(program: &Path, arguments: &[String], words: &[&str], input: &str) -> Result<(), AccountError> {
    let failed = |source| AccountError::Program { program: program.to_owned(), source };
    let mut command = Command::new(program);
    command.args(["admin", "user"]).args(words).args(arguments);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = piped.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that refuses its arguments may have ended already; its status says so.
        drop(stdin.write_all(input.as_bytes()).await);
    }
    let output = child.wait_with_output().await.map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let action = if words.first() == Some(&"add") { "add" } else { "remove" };
    Err(AccountError::Refused { action, reason: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}
