//! `promptcraft keys`: what signs the tokens.

use std::process::ExitCode;

use shared::clock::Clock;
use shared::identity::{KeyState, SigningKey};
use shared::messaging::Buckets;

use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::{self, out};

/// List and rotate the keys that sign tokens.
#[derive(clap::Subcommand)]
pub enum Keys {
    List(List),
    Rotate(Rotate),
}

/// List the keys, without their secrets.
#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Sign with a fresh key from now on; tokens of the older ones stay good until they expire.
#[derive(clap::Args)]
pub struct Rotate {
    /// Take the older keys away instead: every token stops working now.
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
                    KeyState::VerifyOnly => "verifies only",
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
        // The fresh key first: at no moment is there none.
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
        out!("{} signs now", fresh.kid);
        Ok(())
    }
}
