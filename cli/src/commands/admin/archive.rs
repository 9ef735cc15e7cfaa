//! `promptcraft archive`: ended workflows from the log into files.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use shared::clock::Clock;
use shared::config::{Settings, Span};
use shared::ids::WorkflowId;
use shared::messaging::Retention;

use crate::archive::directory::Folder;
use crate::archive::format::{Message, Record};
use crate::archive::{Run, clear_contents, ended_before};
use crate::error::Failure;
use crate::operator_connection::Installation;
use crate::output::{plain, say};

const DEFAULT_AGE: Duration = Duration::from_secs(30 * 86_400);
/// A submission repeated under its `Idempotency-Key` meets its first for so long after the end.
const LEAST_AGE: Duration = Duration::from_secs(86_400);

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
    place: Place,
    #[command(subcommand)]
    show: Option<Sub>,
}

#[derive(clap::Args)]
struct Place {
    /// Where the files are; the folder archive of the data directory where neither this nor archive.directory says
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    installation: Installation,
}

#[derive(clap::Subcommand)]
enum Sub {
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
    place: Place,
}

impl Archive {
    pub async fn run(self) -> Result<ExitCode, Failure> {
        if let Some(Sub::Show(command)) = self.show {
            return command.run();
        }
        let (directory, age) = settings(&self.place, self.older_than)?;
        let installation = self.place.installation;
        let broker = installation.broker().await?;
        let now = Clock::system().now();
        let cutoff = now.before(age);
        let retention = Retention::new(&broker);
        if self.dry_run {
            let ended = ended_before(&retention, cutoff).await?.len();
            say!("{ended} workflows ended before {} and would be archived", cutoff.to_rfc3339());
            return Ok(ExitCode::SUCCESS);
        }
        let locked = Folder::at(directory.clone()).lock()?;
        let run = Run { retention, view: installation.view()?, locked };
        let taken = run.take(cutoff, &now.day()).await?;
        say!(
            "{} workflows ({} messages) are archived in {} new files of {}",
            taken.workflows,
            taken.messages,
            taken.files,
            directory.display()
        );
        if taken.left > 0 {
            say!(
                "{} workflows of an earlier run stay: the log has them in another state, so it was restored since",
                taken.left
            );
        }
        for digest in &taken.damaged {
            let path = run.locked.folder.damaged_content(*digest);
            say!("a text is lost: another was stored in its place on the broker, and is kept as {}", path.display());
        }
        let cleared = clear_contents(&run.retention, &run.locked.folder, now).await?;
        say!("{} texts that nothing refers to were dropped, {} may be in a day", cleared.dropped, cleared.waiting);
        Ok(ExitCode::SUCCESS)
    }
}

/// Where the archive is, and how long ago a workflow must have ended.
fn settings(place: &Place, older_than: Option<Span>) -> Result<(PathBuf, Duration), Failure> {
    let mut settings = Settings::from_environment();
    let configured = settings.span("archive.older_than", DEFAULT_AGE);
    let directory = settings.optional::<PathBuf>("archive.directory");
    settings.finish()?;
    let age = older_than.map_or(configured, |Span(age)| age);
    if age < LEAST_AGE {
        return Err(
            "a workflow stays in the log for at least 24h after its end: so long a submission may be repeated".into()
        );
    }
    let named = place.directory.clone().or(directory);
    Ok((named.unwrap_or_else(|| place.installation.data.join("archive")), age))
}

impl Show {
    fn run(self) -> Result<ExitCode, Failure> {
        let (directory, _) = settings(&self.place, None)?;
        let id: WorkflowId = self.id.to_ascii_lowercase().parse()?;
        let folder = Folder::at(directory.clone());
        let record = folder.find(&id.to_string())?.ok_or_else(|| {
            format!(
                "{} has no workflow {id}; what has not left the log shows with `promptcraft status`",
                directory.display()
            )
        })?;
        if self.json {
            say!("{}", serde_json::to_string_pretty(&record)?);
        } else {
            describe(&record, &folder);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn describe(record: &Record, folder: &Folder) {
    say!("workflow  {}", record.workflow_id);
    say!("owner     {}", record.owner);
    say!("status    {}", record.status.as_str());
    if let Some(goal) = record.messages.iter().find_map(|message| text(message, "/body/workflow/submission/goal")) {
        say!("goal      {}", plain(goal));
    }
    say!("created   {}", record.created_at);
    say!("ended     {}", record.ended_at);
    for message in &record.messages {
        let happened = text(message, "/body/happened/kind").unwrap_or("a message that no build could read");
        let detail = text(message, "/body/happened/detail").map(|detail| format!(": {detail}")).unwrap_or_default();
        say!("{:>9}  {}  {}{}", message.sequence, message.at, plain(happened), plain(&detail));
    }
    for digest in &record.contents {
        say!("content   {}", folder.content(*digest).display());
    }
    for digest in &record.damaged_contents {
        say!("damaged   {}", folder.damaged_content(*digest).display());
    }
    say!("--json prints all of it");
}

fn text<'a>(message: &'a Message, pointer: &str) -> Option<&'a str> {
    message.body.as_ref()?.pointer(pointer)?.as_str()
}
