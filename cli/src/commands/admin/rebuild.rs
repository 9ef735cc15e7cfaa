//! `promptcraft rebuild`: the read model from the log.

use std::process::ExitCode;

use shared::messaging::WorkflowLog;
use shared::read_model::{compare, rebuild};

use crate::error::Failure;
use crate::operator_connection::Installation;
use crate::output::say;

/// Fill Redis from the log and compare the two; fails if they differ. Everything goes on serving meanwhile.
#[derive(clap::Args)]
pub struct Rebuild {
    /// Compare only.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    installation: Installation,
}

impl Rebuild {
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let log = WorkflowLog::new(&self.installation.broker().await?);
        let view = self.installation.view()?;
        if !self.check {
            say!("{} transitions read", rebuild(&log, &view).await?);
        }
        let differences = compare(&log, &view).await?;
        for difference in &differences {
            let seen = difference.view_sequence.map_or("absent".to_owned(), |sequence| format!("at {sequence}"));
            let truth = match difference.log_sequence {
                0 => "not in the log".to_owned(),
                sequence => format!("at {sequence} in the log"),
            };
            let lists = if difference.is_listed_right { "" } else { ", and listed wrongly" };
            say!("{} is {seen}, {truth}{lists}", difference.id);
        }
        if differences.is_empty() {
            say!("Redis agrees with the log");
            return Ok(ExitCode::SUCCESS);
        }
        say!("{} differ; a workflow that just moves may be among them: look again with --check", differences.len());
        Ok(ExitCode::FAILURE)
    }
}
