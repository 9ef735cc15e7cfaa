//! `promptcraft admin rebuild`: rebuilds the read model from the log.

use std::process::ExitCode;

use messaging::WorkflowLog;
use read_model::{compare, rebuild};

use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::out;

/// Rebuild Redis from the log and compare both; exits with 1 if they differ
///
/// The services keep running.
#[derive(clap::Args)]
pub struct Rebuild {
    /// Only compare
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    operator: OperatorConnection,
}

impl Rebuild {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let log = WorkflowLog::new(&self.operator.connect().await?);
        let view = self.operator.read_model()?;
        if !self.check {
            out!("read {} transitions", rebuild(&log, &view).await?);
        }
        let differences = compare(&log, &view).await?;
        for difference in &differences {
            let seen = difference.view_sequence.map_or("absent".to_owned(), |sequence| format!("at {sequence}"));
            let truth = match difference.log_sequence {
                0 => "not in the log".to_owned(),
                sequence => format!("at {sequence} in the log"),
            };
            let lists = if difference.is_listed_right { "" } else { ", with wrong list entries" };
            out!("{} is {seen}, {truth}{lists}", difference.id);
        }
        if differences.is_empty() {
            out!("Redis agrees with the log");
            return Ok(ExitCode::SUCCESS);
        }
        out!(
            "{} workflows differ; some may have changed during the comparison: run again with --check",
            differences.len()
        );
        Ok(ExitCode::FAILURE)
    }
}
