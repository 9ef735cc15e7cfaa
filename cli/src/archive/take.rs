//! Workflows on their way from the log into the archive.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use shared::clock::Timestamp;
use shared::failpoints;
use shared::ids::{Digest, WorkflowId};
use shared::messaging::{ReadError, Retention, StoredMessage, WorkflowLog};
use shared::read_model::ReadModel;
use tokio::time::Instant;

use super::ArchiveError;
use super::folder::{Locked, Part, read};
use super::record::{Heading, Outline, Record};

/// Payloads of a file at most, but for the last workflow: they are in memory while it is written.
const FILE_BYTES: usize = 32 << 20;
/// Requests to the broker or to Redis at once.
const AT_ONCE: usize = 64;
/// Whoever read a workflow from the log before it was taken out has written it into Redis by then, or given up.
const LAST_WRITERS: Duration = Duration::from_secs(1);
/// So long Redis may take to answer, or to be filled from the log.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run needs.
pub(crate) struct Run {
    pub(crate) retention: Retention,
    pub(crate) log: WorkflowLog,
    pub(crate) view: ReadModel,
    pub(crate) locked: Locked,
}

/// What a run did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) workflows: usize,
    pub(crate) messages: usize,
    pub(crate) files: usize,
}

/// A workflow's messages, the last of which is its end.
struct History(Vec<StoredMessage>);

/// The workflows that ended before `cutoff` and may be taken, with the places of their ends. Where the effects of an end have not
/// happened yet, its turn comes later.
pub(crate) async fn ended_before(
    retention: &Retention,
    cutoff: Timestamp,
) -> Result<HashMap<WorkflowId, u64>, ArchiveError> {
    let settled = retention.settled_up_to().await?;
    let (mut ended, mut kept) = (HashMap::new(), BTreeSet::new());
    let mut ends = pin!(retention.ends().await?);
    while let Some(end) = ends.next().await {
        match end {
            Ok(end) if end.sequence <= settled && end.workflow.updated_at < cutoff => {
                ended.insert(end.workflow.id, end.sequence);
            }
            Ok(end) => {
                kept.insert(end.workflow.id);
            }
            // A newer build's, or nobody's: it stays.
            Err(ReadError::Decode(_)) => {}
            Err(error @ ReadError::Unavailable(_)) => return Err(error.into()),
        }
    }
    ended.retain(|id, _| !kept.contains(id));
    Ok(ended)
}

impl Run {
    /// Takes every workflow that ended before `cutoff` from the log into files of this `day`; first of all what an earlier run began.
    ///
    /// Dying anywhere is safe: a workflow leaves the log only after the file with all of it is on the disk, and files that were not
    /// finished are finished by the next run.
    pub(crate) async fn take(&self, cutoff: Timestamp, day: &str) -> Result<Taken, ArchiveError> {
        self.wait_for_view().await?;
        let heading = Heading::new(&self.retention.name_of_log().await?);
        let mut taken = Taken::default();
        for pending in self.locked.folder.pending()? {
            self.finish(&pending, &heading, &mut taken).await?;
        }
        let mut ended = ended_before(&self.retention, cutoff).await?;
        let contents: BTreeSet<Digest> = self.retention.contents().await?.into_keys().collect();
        let mut next = Some(1);
        while let Some(from) = next
            && !ended.is_empty()
        {
            let (histories, then) = self.read_histories(&mut ended, from).await?;
            next = then;
            if let Some(pending) = self.write(histories, &contents, &heading, day).await? {
                failpoints::reach("archive.pending").await;
                self.finish(&pending, &heading, &mut taken).await?;
            }
        }
        Ok(taken)
    }

    /// Reads the log from `from` on until a file's worth of workflows has come to its end, and where to go on after that.
    async fn read_histories(
        &self,
        ended: &mut HashMap<WorkflowId, u64>,
        from: u64,
    ) -> Result<(Vec<History>, Option<u64>), ArchiveError> {
        let mut open: HashMap<WorkflowId, Vec<StoredMessage>> = HashMap::new();
        let (mut whole, mut bytes) = (Vec::new(), 0);
        let mut messages = pin!(self.retention.messages(from).await?);
        while let Some(message) = messages.try_next().await? {
            let (id, sequence) = (message.workflow_id, message.sequence);
            let Some(end) = ended.get(&id).copied() else { continue };
            let messages = open.entry(id).or_default();
            messages.push(message);
            if sequence < end {
                continue;
            }
            let messages = open.remove(&id).unwrap_or_default();
            ended.remove(&id);
            bytes += messages.iter().map(|message| message.payload.len()).sum::<usize>();
            whole.push(History(messages));
            if bytes >= FILE_BYTES {
                let begun = open.values().filter_map(|messages| messages.first()).map(|message| message.sequence);
                return Ok((whole, Some(begun.min().unwrap_or(sequence + 1))));
            }
        }
        Ok((whole, None))
    }

    /// Writes what may be taken into a file; `None` where nothing may. Contents are kept before the workflow that names them.
    async fn write(
        &self,
        histories: Vec<History>,
        contents: &BTreeSet<Digest>,
        heading: &Heading,
        day: &str,
    ) -> Result<Option<PathBuf>, ArchiveError> {
        let mut part: Option<Part> = None;
        let mut records = pin!(stream::iter(histories).map(|history| self.record(history, contents)).buffered(AT_ONCE));
        while let Some(record) = records.try_next().await? {
            let Some(record) = record else { continue };
            match &mut part {
                Some(part) => part.write(&record)?,
                None => part.insert(self.locked.folder.begin(day, heading)?).write(&record)?,
            }
        }
        failpoints::reach("archive.part").await;
        part.map(Part::commit).transpose()
    }

    /// The line of a workflow; `None` where its end is not the newest that the log's leader has of it.
    async fn record(
        &self,
        History(messages): History,
        contents: &BTreeSet<Digest>,
    ) -> Result<Option<Record>, ArchiveError> {
        let Some(workflow) = messages.last().and_then(StoredMessage::to_workflow) else { return Ok(None) };
        let newest = match self.log.newest_from_leader(workflow.id).await {
            Err(ReadError::Decode(_)) => None,
            newest => newest?.map(|newest| newest.sequence),
        };
        if !workflow.status().is_terminal() || newest != messages.last().map(|message| message.sequence) {
            return Ok(None);
        }
        let mut named: BTreeSet<Digest> = messages.iter().flat_map(StoredMessage::digests).collect();
        named.retain(|digest| contents.contains(digest));
        for digest in &named {
            let content = self.retention.content(*digest).await?;
            self.locked.folder.keep(*digest, &content)?;
        }
        Ok(Some(Record::new(&workflow, &messages, named.into_iter().collect())))
    }

    /// Takes from log and read model what a pending file holds. Idempotent.
    async fn finish(&self, pending: &Path, heading: &Heading, taken: &mut Taken) -> Result<(), ArchiveError> {
        let (found, written) = read(pending)?;
        if found != *heading {
            return Err(ArchiveError::OtherLog { path: pending.display().to_string() });
        }
        let ends: BTreeSet<u64> = written.iter().map(Outline::end).collect();
        let messages = written.iter().flat_map(|outline| &outline.messages).map(|place| place.sequence);
        let mut before: Vec<u64> = messages.filter(|sequence| !ends.contains(sequence)).collect();
        // In the order in which they lie on the broker's disk. What has lost a part still ends as it ended.
        before.sort_unstable();
        taken.messages += before.len() + ends.len();
        self.take_out(before).await?;
        failpoints::reach("archive.halfway").await;
        self.take_out(ends.into_iter().collect()).await?;
        failpoints::reach("archive.taken").await;
        tokio::time::sleep(LAST_WRITERS).await;
        self.wait_for_view().await?;
        stream::iter(&written)
            .map(|outline| self.view.forget(outline.workflow_id, outline.end(), &outline.owner, outline.status))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await
            .map_err(|error| ArchiveError::View(error.to_string()))?;
        failpoints::reach("archive.forgotten").await;
        self.locked.folder.complete(pending)?;
        taken.workflows += written.len();
        taken.files += 1;
        Ok(())
    }

    async fn take_out(&self, sequences: Vec<u64>) -> Result<(), ArchiveError> {
        let requests = stream::iter(sequences).map(|sequence| self.retention.take_out(sequence));
        Ok(requests.buffer_unordered(AT_ONCE).try_collect::<()>().await?)
    }

    /// Waits until Redis is whole: while it is filled from the log, what is taken out could be put back.
    async fn wait_for_view(&self) -> Result<(), ArchiveError> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let why = match self.view.is_complete().await {
                Ok(true) => return Ok(()),
                Ok(false) => "it has not been filled from the log; the API does so".to_owned(),
                Err(error) => error.to_string(),
            };
            if Instant::now() >= give_up {
                return Err(ArchiveError::View(why));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}
