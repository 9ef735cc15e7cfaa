//! `promptcraft admin archive`: moves ended workflows from the log into files.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use domain::ids::WorkflowId;
use messaging::Retention;
use service::clock::Clock;
use service::config::{HumanDuration, Settings};

use crate::archive::directory::ArchiveDirectory;
use crate::archive::format::{ArchivedMessage, ArchivedWorkflow};
use crate::archive::{ArchiveRun, collect_garbage, ended_before};
use crate::error::CommandError;
use crate::operator_connection::OperatorConnection;
use crate::output::{out, sanitize};
/// A repeated `Idempotency-Key` finds its workflow for this long after the end.
const MIN_AGE: Duration = Duration::from_secs(86_400);

/// Move ended workflows from the log into files
///
/// The services keep running. Each file holds whole workflows, one a line, and is synced to disk before
/// anything is removed from the log. An interrupted run loses nothing; the next run completes it. Workflows that
/// have not ended stay in the log. Archived workflows return 404 over HTTP; `promptcraft admin archive show`
/// prints them. Texts over 8 KiB that the log no longer references are removed by the first run that finds them
/// unreferenced for a day.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Archive {
    /// Minimum time since the end of a workflow, e.g. 30d; at least 24h [default: archive.older_than, 30d]
    #[arg(long, value_name = "AGE")]
    older_than: Option<HumanDuration>,
    /// Only count the workflows that would be archived
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    location: ArchiveLocation,
    #[command(subcommand)]
    show: Option<ArchiveCommand>,
}

#[derive(clap::Args)]
struct ArchiveLocation {
    /// Archive directory [default: archive.directory, else the directory `archive` in --data]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    operator: OperatorConnection,
}

#[derive(clap::Subcommand)]
enum ArchiveCommand {
    Show(Show),
}

/// Print an archived workflow; may contain submitted code and unreleased results
#[derive(clap::Args)]
struct Show {
    /// Workflow id
    id: String,
    /// Print the archived record as JSON: every message with the full state after it
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
            "archived {} workflows ({} messages) in {} new files in {}",
            stats.workflows,
            stats.messages,
            stats.files,
            directory.display()
        );
        if stats.skipped > 0 {
            out!(
                "skipped {} workflows of an earlier run: their state in the log differs, so the log was restored since",
                stats.skipped
            );
        }
        for digest in &stats.corrupted {
            let path = run.locked.directory.corrupted_content(*digest);
            out!("a text is corrupted on the broker and lost; the content found there is kept as {}", path.display());
        }
        let cleared = collect_garbage(&run.retention, &run.locked.directory, now).await?;
        out!("removed {} unreferenced texts; {} more become removable within a day", cleared.dropped, cleared.waiting);
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns the archive directory and the minimum age of an ended workflow.
fn settings(
    location: &ArchiveLocation,
    older_than: Option<HumanDuration>,
) -> Result<(PathBuf, Duration), CommandError> {
    let mut settings = Settings::from_environment();
    let configured = settings.span("archive.older_than");
    let directory = settings.optional::<PathBuf>("archive.directory");
    settings.finish()?;
    let age = older_than.map_or(configured, |HumanDuration(age)| age);
    if age < MIN_AGE {
        return Err(
            "--older-than (setting archive.older_than) must be at least 24h: that long a submission may be repeated"
                .into(),
        );
    }
    let named = location.directory.clone().or(directory);
    Ok((named.unwrap_or_else(|| location.operator.data.join("archive")), age))
}

impl Show {
    fn run(self) -> Result<ExitCode, CommandError> {
        let (path, _) = settings(&self.location, None)?;
        let id: WorkflowId = self.id.to_ascii_lowercase().parse()?;
        let directory = ArchiveDirectory::at(path.clone());
        let record = directory.find(&id.to_string())?.ok_or_else(|| {
            format!("workflow {id} not found in {}; if it is not archived, see `promptcraft status`", path.display())
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
        let happened = text(message, "/body/happened/kind").unwrap_or("unreadable message");
        let detail = text(message, "/body/happened/detail").map(|detail| format!(": {detail}")).unwrap_or_default();
        out!("{:>9}  {}  {}{}", message.sequence, message.at, sanitize(happened), sanitize(&detail));
    }
    for digest in &record.contents {
        out!("content   {}", directory.content(*digest).display());
    }
    for digest in &record.damaged_contents {
        out!("damaged   {}", directory.corrupted_content(*digest).display());
    }
    out!("Use --json for the full record.");
}

fn text<'a>(message: &'a ArchivedMessage, pointer: &str) -> Option<&'a str> {
    message.body.as_ref()?.pointer(pointer)?.as_str()
}
