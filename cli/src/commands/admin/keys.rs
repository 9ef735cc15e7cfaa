//! `promptcraft admin keys`: the keys that sign tokens.

use std::process::ExitCode;

use domain::identity::{KeyState, SigningKey};
use messaging::Buckets;
use service::clock::Clock;

use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::{self, out};

/// List and rotate the keys that sign tokens
#[derive(clap::Subcommand)]
pub enum Keys {
    List(List),
    Rotate(Rotate),
}

/// List the keys, without their secrets
#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Create a new signing key; existing tokens stay valid until they expire
#[derive(clap::Args)]
pub struct Rotate {
    /// Delete the older keys: all existing tokens become invalid immediately
    #[arg(long)]
    revoke: bool,
    #[command(flatten)]
    operator: OperatorConnection,
}

impl Keys {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        match self {
            Self::List(command) => command.run().await?,
            Self::Rotate(command) => command.run().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn run(self) -> Result<(), CommandError> {
        let keys = Buckets::new(&self.operator.connect().await?).signing_keys().await?.all().await?;
        let rows: Vec<Vec<String>> = keys
            .into_iter()
            .map(|(kid, key)| {
                let state = match key.state {
                    KeyState::Active => "active",
                    KeyState::VerifyOnly => "verify only",
                };
                vec![kid, state.to_owned(), key.created_at.to_rfc3339()]
            })
            .collect();
        output::table(&["KEY", "STATE", "CREATED"], &rows);
        Ok(())
    }
}

impl Rotate {
    async fn run(self) -> Result<(), CommandError> {
        let keys = Buckets::new(&self.operator.connect().await?).signing_keys().await?;
        let older = keys.all().await?;
        // Created first, so that there always is an active key.
        let now = Clock::default().now();
        let fresh = SigningKey::fresh(false, now);
        keys.create(&fresh.kid, &fresh).await?;
        for (kid, key) in older {
            if self.revoke {
                keys.delete(&kid).await?;
            } else if key.state == KeyState::Active {
                keys.put(&kid, &key.retired(now)).await?;
            }
        }
        out!("{} is the signing key now", fresh.kid);
        Ok(())
    }
}
