//! `promptcraft login`: prints an access token for the shell.

use std::process::ExitCode;

use crate::client::ConnectionArgs;
use crate::error::CommandError;
use crate::output::out;

/// Sign in and print a shell command that sets the access token
///
/// Example: eval "$(promptcraft login --user NAME --password WORD)"
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
            // The shell would execute any other characters.
            return Err("the server returned a malformed token; check --url".into());
        }
        out!("export PROMPTCRAFT_TOKEN={}", tokens.access);
        eprintln!("The token expires in {} minutes.", tokens.expires_in_seconds / 60);
        Ok(ExitCode::SUCCESS)
    }
}
