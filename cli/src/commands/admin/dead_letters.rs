//! `promptcraft dead`: messages that were given up.

use std::io::Write as _;
use std::process::ExitCode;

use shared::clock::Clock;
use shared::messaging::{Cause, DeadLetters, KeptLetter, put_back};

use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::{self, out, sanitize};

/// Read so many at once.
const PAGE_SIZE: usize = 100;

/// List, show, put back and drop dead letters: messages that no attempt could serve.
#[derive(clap::Subcommand)]
pub enum DeadLetterCommand {
    List(List),
    Show(Show),
    Retry(Retry),
    Drop(Discard),
}

/// List the dead letters, oldest first.
#[derive(clap::Args)]
pub struct List {
    /// Only those of this cause: unreadable, forged, exhausted or undelivered.
    #[arg(long)]
    cause: Option<Cause>,
    /// At most so many.
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Show one dead letter.
#[derive(clap::Args)]
pub struct Show {
    id: u64,
    /// Write the message itself to standard output and nothing else. It may hold submitted code and results that nobody released.
    #[arg(long)]
    payload: bool,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Put a dead letter back where it came from.
///
/// A step is put back only while its workflow still waits for it. As a rule a workflow has failed by the time its message is a
/// dead letter, and an end is final: nothing is put back then, no new workflow is made, and the goal has to be submitted again.
/// A timer that no process knew fires once more, for instance after an upgrade, and a notification that its receiver never took is
/// sent again. Decisions and analyses cannot be put back.
#[derive(clap::Args)]
pub struct Retry {
    id: u64,
    #[command(flatten)]
    operator: OperatorConnection,
}

/// Take dead letters away for good.
#[derive(clap::Args)]
pub struct Discard {
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
        let mut found: Vec<KeptLetter> = Vec::new();
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

fn row(kept: &KeptLetter) -> Vec<String> {
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
        let kept =
            dead_letters.get(self.id).await?.ok_or("there is no such dead letter; see `promptcraft dead list`")?;
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
        out!("payload   {} bytes; --payload writes them out", letter.payload.len());
        Ok(ExitCode::SUCCESS)
    }
}

impl Retry {
    async fn run(self) -> Result<ExitCode, CommandError> {
        let broker = self.operator.connect().await?;
        let sequence = put_back(&broker, self.id, Clock::system().now()).await?;
        out!("put back at {sequence}");
        Ok(ExitCode::SUCCESS)
    }
}

impl Discard {
    async fn run(self) -> Result<ExitCode, CommandError> {
        let dead_letters = DeadLetters::new(&self.operator.connect().await?);
        let mut missing = 0;
        for id in self.ids {
            let dropped = dead_letters.discard(id).await?;
            out!("{id} {}", if dropped { "is dropped" } else { "is not there" });
            missing += usize::from(!dropped);
        }
        Ok(if missing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
