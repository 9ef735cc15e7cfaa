//! `promptcraft admin dead-letters`: messages whose processing failed permanently.

use std::io::Write as _;
use std::process::ExitCode;

use messaging::{Cause, DeadLetters, StoredDeadLetter, redrive};
use service::clock::Clock;

use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::{self, out, sanitize};

/// Dead letters per request.
const PAGE_SIZE: usize = 100;

/// List, show, retry and drop dead letters: messages whose processing failed permanently
#[derive(clap::Subcommand)]
pub enum DeadLetterCommand {
    List(List),
    Show(Show),
    Retry(Retry),
    Drop(Discard),
}

/// List dead letters, oldest first
#[derive(clap::Args)]
pub struct List {
    /// Show only this cause: unreadable, forged, exhausted or undelivered
    #[arg(long)]
    cause: Option<Cause>,
    /// Maximum number of dead letters
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Show a dead letter
#[derive(clap::Args)]
pub struct Show {
    /// Id of the dead letter
    id: u64,
    /// Write only the message itself to stdout; may contain submitted code and unreleased results
    #[arg(long)]
    payload: bool,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Put a dead letter back into its queue
///
/// A step is retried only while its workflow still waits for it. Usually the workflow has already failed, which is
/// final: then nothing is retried and the goal has to be submitted again. An unknown timer fires once more, for
/// instance after an upgrade; an undelivered notification is sent again. Decisions and analyses cannot be retried.
#[derive(clap::Args)]
pub struct Retry {
    /// Id of the dead letter
    id: u64,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Delete dead letters permanently
#[derive(clap::Args)]
pub struct Discard {
    /// Ids of the dead letters
    #[arg(required = true)]
    ids: Vec<u64>,
    #[command(flatten)]
    operator: OperatorConnection,
}

impl DeadLetterCommand {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        match self {
            Self::List(command) => command.run().await,
            Self::Show(command) => command.run().await,
            Self::Retry(command) => command.run().await,
            Self::Drop(command) => command.run().await,
        }
    }
}

impl List {
    async fn run(self) -> Result<ExitCode, CommandError> {
        let dead_letters = DeadLetters::new(&self.operator.connect().await?);
        let mut found: Vec<StoredDeadLetter> = Vec::new();
        while found.len() < self.limit {
            let after = found.last().map_or(0, |kept| kept.id);
            let page = dead_letters.list(self.cause, after, PAGE_SIZE.min(self.limit - found.len())).await?;
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        if found.is_empty() {
            out!("No dead letters.");
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<Vec<String>> = found.iter().map(row).collect();
        output::table(&["ID", "SINCE", "CAUSE", "ATTEMPTS", "SUBJECT", "REASON"], &rows);
        Ok(ExitCode::SUCCESS)
    }
}

fn row(kept: &StoredDeadLetter) -> Vec<String> {
    let letter = &kept.letter;
    vec![
        kept.id.to_string(),
        kept.at.to_rfc3339(),
        letter.cause.as_str().to_owned(),
        letter.attempts.to_string(),
        sanitize(&letter.subject),
        sanitize(&letter.reason),
    ]
}

impl Show {
    async fn run(self) -> Result<ExitCode, CommandError> {
        let dead_letters = DeadLetters::new(&self.operator.connect().await?);
        let kept = dead_letters
            .get(self.id)
            .await?
            .ok_or("dead letter not found; see `promptcraft admin dead-letters list`")?;
        let letter = &kept.letter;
        if self.payload {
            std::io::stdout().write_all(&letter.payload)?;
            return Ok(ExitCode::SUCCESS);
        }
        out!("since     {}", kept.at.to_rfc3339());
        out!("cause     {}: {}", letter.cause.as_str(), sanitize(&letter.reason));
        out!("attempts  {}", letter.attempts);
        out!("from      {} {}, {}", sanitize(&letter.stream), letter.sequence, sanitize(&letter.subject));
        if let Some(id) = letter.workflow_id() {
            out!("workflow  {id}");
        }
        for (name, value) in &letter.headers {
            out!("header    {}: {}", sanitize(name), sanitize(value));
        }
        out!("payload   {} bytes (print with --payload)", letter.payload.len());
        Ok(ExitCode::SUCCESS)
    }
}

impl Retry {
    async fn run(self) -> Result<ExitCode, CommandError> {
        let broker = self.operator.connect().await?;
        let sequence = redrive(&broker, self.id, Clock::system().now()).await?;
        out!("retried at sequence {sequence}");
        Ok(ExitCode::SUCCESS)
    }
}

impl Discard {
    async fn run(self) -> Result<ExitCode, CommandError> {
        let dead_letters = DeadLetters::new(&self.operator.connect().await?);
        let mut missing = 0;
        for id in self.ids {
            let dropped = dead_letters.discard(id).await?;
            out!("{id}: {}", if dropped { "dropped" } else { "not found" });
            missing += usize::from(!dropped);
        }
        Ok(if missing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
