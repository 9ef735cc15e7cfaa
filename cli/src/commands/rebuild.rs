//! `promptcraft rebuild`: the read model from the log.

use std::process::ExitCode;

use shared::config::Settings;
use shared::identity::Secret;
use shared::messaging::WorkflowLog;
use shared::read_model::{ReadModel, compare, rebuild};

use super::Failure;
use crate::operator::Installation;
use crate::screen::say;

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
        let view = ReadModel::open(self.redis_url()?.expose())?;
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

    fn redis_url(&self) -> Result<Secret, Failure> {
        if let Some(stack) = self.installation.stack() {
            return Ok(Secret::new(std::fs::read_to_string(stack.redis_url_file)?.trim()));
        }
        let mut settings = Settings::from_environment();
        let url = settings.secret("redis.url", "redis.url_file");
        settings.finish()?;
        url.ok_or_else(|| "redis.url is not set: set PROMPTCRAFT__REDIS__URL or PROMPTCRAFT__REDIS__URL_FILE".into())
    }
}
