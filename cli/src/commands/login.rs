//! `promptcraft login`: a token for the shell.

use std::process::ExitCode;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::out;

/// Sign in and print what the shell needs: eval "$(promptcraft login --user NAME --password WORD)"
#[derive(clap::Args)]
pub struct Login {
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Login {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let tokens = self.connection.sign_in().await?;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if tokens.access.is_empty() || !tokens.access.bytes().all(is_word) {
            // The shell would take what else it holds for commands.
            return Err("the server's token is not one; is it the right address?".into());
        }
        out!("export PROMPTCRAFT_TOKEN={}", tokens.access);
        eprintln!("The token is good for {} minutes.", tokens.expires_in_seconds / 60);
        Ok(ExitCode::SUCCESS)
    }
}
