//! `promptcraft archive`: ended workflows from the log into files.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use shared::clock::Clock;
use shared::config::{Settings, Span};
use shared::ids::WorkflowId;
use shared::messaging::Retention;

use crate::archive::directory::ArchiveDirectory;
use crate::archive::format::{ArchivedMessage, ArchivedWorkflow};
use crate::archive::{ArchiveRun, collect_garbage, ended_before};
use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::{out, sanitize};

const DEFAULT_AGE: Duration = Duration::from_secs(30 * 86_400);
/// A submission repeated under its `Idempotency-Key` meets its first for so long after the end.
const MIN_AGE: Duration = Duration::from_secs(86_400);

/// Move workflows that ended long ago from the log into files, while everything goes on serving.
///
/// Each file holds whole workflows, one a line, and is on the disk before anything of it leaves the log. A run that is killed loses
/// nothing; the next one finishes it. Workflows that have not ended stay, however old. What has left the log answers 404 over HTTP;
/// `promptcraft archive show` prints it. Texts over 8 KiB that no workflow in the log needs any more leave the broker a day later, with
/// the first run after that.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, flatten_help = true)]
pub struct Archive {
    /// How long ago a workflow must have ended, e.g. 30d; at least 24h
    #[arg(long, value_name = "AGE")]
    older_than: Option<Span>,
    /// Only say how many workflows would be moved
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    location: ArchiveLocation,
    #[command(subcommand)]
    show: Option<ArchiveCommand>,
}

#[derive(clap::Args)]
struct ArchiveLocation {
    /// Where the files are; the folder archive of the data directory where neither this nor archive.directory says
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    operator: OperatorConnection,
}

#[derive(clap::Subcommand)]
enum ArchiveCommand {
    Show(Show),
}

/// Print a workflow that has left the log. It may hold submitted code and results that nobody released.
#[derive(clap::Args)]
struct Show {
    id: String,
    /// The line of the archive as it is: every message with the whole state after it.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    location: ArchiveLocation,
}

impl Archive {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        if let Some(ArchiveCommand::Show(command)) = self.show {
            return command.run();
        }
        let (directory, age) = settings(&self.location, self.older_than)?;
        let operator = self.location.operator;
        let broker = operator.connect().await?;
        let now = Clock::system().now();
        let cutoff = now.before(age);
        let retention = Retention::new(&broker);
        if self.dry_run {
            let ended = ended_before(&retention, cutoff).await?.len();
            out!("{ended} workflows ended before {} and would be archived", cutoff.to_rfc3339());
            return Ok(ExitCode::SUCCESS);
        }
        let locked = ArchiveDirectory::at(directory.clone()).lock()?;
        let run = ArchiveRun { retention, read_model: operator.read_model()?, locked };
        let stats = run.run(cutoff, &now.day()).await?;
        out!(
            "{} workflows ({} messages) are archived in {} new files of {}",
            stats.workflows,
            stats.messages,
            stats.files,
            directory.display()
        );
        if stats.skipped > 0 {
            out!(
                "{} workflows of an earlier run stay: the log has them in another state, so it was restored since",
                stats.skipped
            );
        }
        for digest in &stats.corrupted {
            let path = run.locked.directory.corrupted_content(*digest);
            out!("a text is lost: another was stored in its place on the broker, and is kept as {}", path.display());
        }
        let cleared = collect_garbage(&run.retention, &run.locked.directory, now).await?;
        out!("{} texts that nothing refers to were dropped, {} may be in a day", cleared.dropped, cleared.waiting);
        Ok(ExitCode::SUCCESS)
    }
}

/// Where the archive is, and how long ago a workflow must have ended.
fn settings(location: &ArchiveLocation, older_than: Option<Span>) -> Result<(PathBuf, Duration), CommandError> {
    let mut settings = Settings::from_environment();
    let configured = settings.span("archive.older_than", DEFAULT_AGE);
    let directory = settings.optional::<PathBuf>("archive.directory");
    settings.finish()?;
    let age = older_than.map_or(configured, |Span(age)| age);
    if age < MIN_AGE {
        return Err(
            "a workflow stays in the log for at least 24h after its end: so long a submission may be repeated".into()
        );
    }
    let named = location.directory.clone().or(directory);
    Ok((named.unwrap_or_else(|| location.operator.data.join("archive")), age))
}

impl Show {
    fn run(self) -> Result<ExitCode, CommandError> {
        let (directory, _) = settings(&self.location, None)?;
        let id: WorkflowId = self.id.to_ascii_lowercase().parse()?;
        let directory = ArchiveDirectory::at(directory.clone());
        let record = directory.find(&id.to_string())?.ok_or_else(|| {
            format!(
                "{} has no workflow {id}; what has not left the log shows with `promptcraft status`",
                directory.display()
            )
        })?;
        if self.json {
            out!("{}", serde_json::to_string_pretty(&record)?);
        } else {
            print_archived(&record, &directory);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print_archived(record: &ArchivedWorkflow, directory: &ArchiveDirectory) {
    out!("workflow  {}", record.workflow_id);
    out!("owner     {}", record.owner);
    out!("status    {}", record.status.as_str());
    if let Some(goal) = record.messages.iter().find_map(|message| text(message, "/body/workflow/submission/goal")) {
        out!("goal      {}", sanitize(goal));
    }
    out!("created   {}", record.created_at);
    out!("ended     {}", record.ended_at);
    for message in &record.messages {
        let happened = text(message, "/body/happened/kind").unwrap_or("a message that no build could read");
        let detail = text(message, "/body/happened/detail").map(|detail| format!(": {detail}")).unwrap_or_default();
        out!("{:>9}  {}  {}{}", message.sequence, message.at, sanitize(happened), sanitize(&detail));
    }
    for digest in &record.contents {
        out!("content   {}", directory.content(*digest).display());
    }
    for digest in &record.damaged_contents {
        out!("damaged   {}", directory.corrupted_content(*digest).display());
    }
    out!("--json prints all of it");
}

fn text<'a>(message: &'a ArchivedMessage, pointer: &str) -> Option<&'a str> {
    message.body.as_ref()?.pointer(pointer)?.as_str()
}
