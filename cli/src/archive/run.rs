//! Workflows on their way from the log into the archive.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use shared::clock::Timestamp;
use shared::failpoints;
use shared::ids::{Digest, WorkflowId};
use shared::messaging::{Original, ReadError, Retention, StoredMessage};
use shared::read_model::ReadModel;
use tokio::time::Instant;

use super::ArchiveError;
use super::directory::{Locked, Part, read};
use super::format::{Heading, Outline, Record};
use super::histories::{History, Reading, Room};

/// The payloads that are in memory: of a file, and of workflows that do not end in it.
const ROOM: Room = Room { whole: 32 << 20, open: 96 << 20 };
/// Requests to the broker or to Redis at once.
const AT_ONCE: usize = 64;
/// Whoever read a workflow from the log before it was taken out has written it into Redis by then, or given up.
const LAST_WRITERS: Duration = Duration::from_secs(1);
/// So long Redis may take to answer, or to be filled from the log.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run needs.
pub(crate) struct Run {
    pub(crate) retention: Retention,
    pub(crate) view: ReadModel,
    pub(crate) locked: Locked,
}

/// What a run did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) workflows: usize,
    pub(crate) messages: usize,
    pub(crate) files: usize,
    /// Contents of them in whose place another text was found.
    pub(crate) damaged: BTreeSet<Digest>,
    /// Workflows of files that were begun, which the log has in another state: it was restored since.
    pub(crate) left: usize,
}

/// What the log has of a workflow in a pending file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Whole,
    Nothing,
    /// Not what the file holds.
    Other,
}

/// The workflows that ended before `cutoff` by the broker's clock and may be taken, with the places of their ends. Where the effects
/// of an end have not happened yet, its turn comes later.
pub(crate) async fn ended_before(
    retention: &Retention,
    cutoff: Timestamp,
) -> Result<HashMap<WorkflowId, u64>, ArchiveError> {
    let settled = retention.settled_up_to().await?;
    let (mut ended, mut kept) = (HashMap::new(), BTreeSet::new());
    let mut ends = pin!(retention.ends().await?);
    while let Some(end) = ends.next().await {
        match end {
            Ok(end) if end.sequence <= settled && end.at < cutoff => {
                ended.insert(end.workflow_id, end.sequence);
            }
            Ok(end) => {
                kept.insert(end.workflow_id);
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
        let mut next = Some(1);
        while let Some(from) = next
            && !ended.is_empty()
        {
            let (histories, then) = self.read_histories(&mut ended, from).await?;
            next = then;
            if let Some(pending) = self.write(histories, &heading, day, &mut taken.damaged).await? {
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
        let mut reading = Reading::new(ROOM, ended);
        let mut messages = pin!(self.retention.messages(from).await?);
        while let Some(message) = messages.try_next().await? {
            let next = message.sequence + 1;
            reading.add(message);
            if reading.is_full() {
                return Ok(reading.stop(next));
            }
        }
        Ok(reading.end())
    }

    /// Writes what may be taken into a file; `None` where nothing may. Contents are kept before the workflow that names them.
    async fn write(
        &self,
        histories: Vec<History>,
        heading: &Heading,
        day: &str,
        damaged: &mut BTreeSet<Digest>,
    ) -> Result<Option<PathBuf>, ArchiveError> {
        let mut part: Option<Part> = None;
        let mut records = pin!(stream::iter(histories).map(|history| self.record(history)).buffered(AT_ONCE));
        while let Some(record) = records.try_next().await? {
            let Some(record) = record else { continue };
            damaged.extend(&record.damaged_contents);
            match &mut part {
                Some(part) => part.write(&record)?,
                None => part.insert(self.locked.folder.begin(day, heading)?).write(&record)?,
            }
        }
        failpoints::reach("archive.part").await;
        part.map(Part::commit).transpose()
    }

    /// The line of a workflow; `None` where its end is not the newest that the log's leader has of it.
    async fn record(&self, History(messages): History) -> Result<Option<Record>, ArchiveError> {
        let Some(last) = messages.last() else { return Ok(None) };
        let Some(workflow) = last.to_workflow() else { return Ok(None) };
        let newest = self.retention.newest(workflow.id).await?.map(|(sequence, _)| sequence);
        if !workflow.status().is_terminal() || newest != Some(last.sequence) {
            return Ok(None);
        }
        let mut record = Record::new(&workflow, &messages);
        // Most digests are of texts that lie in the messages themselves.
        let named: BTreeSet<Digest> = messages.iter().flat_map(StoredMessage::digests).collect();
        for digest in named {
            match self.retention.content(digest).await? {
                Some(Original::Whole(text)) => {
                    self.locked.folder.keep(digest, &text)?;
                    record.contents.push(digest);
                }
                Some(Original::Damaged(_)) if self.locked.folder.has_kept(digest) => record.contents.push(digest),
                Some(Original::Damaged(text)) => {
                    self.locked.folder.keep_damaged(digest, &text)?;
                    record.damaged_contents.push(digest);
                }
                None => {}
            }
        }
        Ok(Some(record))
    }

    /// Takes from log and read model what a pending file holds. Idempotent.
    async fn finish(&self, pending: &Path, heading: &Heading, taken: &mut Taken) -> Result<(), ArchiveError> {
        let (found, written) = read(pending)?;
        if found != *heading {
            return Err(ArchiveError::OtherLog { path: pending.display().to_string() });
        }
        let left: Vec<Left> =
            stream::iter(&written).map(|outline| self.left_of(outline)).buffered(AT_ONCE).try_collect().await?;
        let whole = || written.iter().zip(&left).filter(|(_, left)| **left == Left::Whole).map(|(outline, _)| outline);
        let ends: BTreeSet<u64> = whole().map(Outline::end).collect();
        let messages = whole().flat_map(|outline| &outline.messages).map(|place| place.sequence);
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
        let gone: Vec<&Outline> =
            written.iter().zip(&left).filter(|(_, left)| **left != Left::Other).map(|(outline, _)| outline).collect();
        stream::iter(&gone)
            .map(|outline| self.view.forget(outline.workflow_id, outline.end(), &outline.owner, outline.status))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await
            .map_err(|error| ArchiveError::View(error.to_string()))?;
        failpoints::reach("archive.forgotten").await;
        self.locked.folder.complete(pending)?;
        taken.workflows += gone.len();
        taken.left += written.len() - gone.len();
        taken.files += 1;
        Ok(())
    }

    /// Whether what the file holds of a workflow is what the log has of it, by the end: a log that was restored, or copied, keeps its
    /// name, and places mean something else in it. Two logs with a message in common have all before it in common.
    async fn left_of(&self, outline: &Outline) -> Result<Left, ArchiveError> {
        let newest = self.retention.newest(outline.workflow_id).await?;
        let Some((sequence, at)) = newest else { return Ok(Left::Nothing) };
        let is_the_end =
            outline.messages.last().is_some_and(|end| end.sequence == sequence && end.at == at.to_rfc3339());
        Ok(if is_the_end { Left::Whole } else { Left::Other })
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
