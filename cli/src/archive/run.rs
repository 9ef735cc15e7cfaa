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
use super::directory::{ArchiveWriter, LockedDirectory, read_file};
use super::format::{ArchivedWorkflow, FileHeader, WorkflowIndex};
use super::histories::{History, HistoryCollector, MemoryLimits};

/// The payloads that are in memory: of a file, and of workflows that do not end in it.
const MEMORY_LIMITS: MemoryLimits = MemoryLimits { complete: 32 << 20, open: 96 << 20 };
/// Requests to the broker or to Redis at once.
const MAX_CONCURRENT_REQUESTS: usize = 64;
/// Whoever read a workflow from the log before it was taken out has written it into Redis by then, or given up.
const LATE_WRITE_DELAY: Duration = Duration::from_secs(1);
/// So long Redis may take to answer, or to be filled from the log.
const READ_MODEL_TIMEOUT: Duration = Duration::from_secs(60);

/// What a run needs.
pub(crate) struct ArchiveRun {
    pub(crate) retention: Retention,
    pub(crate) read_model: ReadModel,
    pub(crate) locked: LockedDirectory,
}

/// What a run did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ArchiveStats {
    pub(crate) workflows: usize,
    pub(crate) messages: usize,
    pub(crate) files: usize,
    /// Contents of them in whose place another text was found.
    pub(crate) corrupted: BTreeSet<Digest>,
    /// Workflows of files that were begun, which the log has in another state: it was restored since.
    pub(crate) skipped: usize,
}

/// What the log has of a workflow in a pending file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogState {
    Complete,
    Removed,
    /// Not what the file holds.
    Different,
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

impl ArchiveRun {
    /// Takes every workflow that ended before `cutoff` from the log into files of this `day`; first of all what an earlier run began.
    ///
    /// Dying anywhere is safe: a workflow leaves the log only after the file with all of it is on the disk, and files that were not
    /// finished are finished by the next run.
    pub(crate) async fn run(&self, cutoff: Timestamp, day: &str) -> Result<ArchiveStats, ArchiveError> {
        self.wait_for_read_model().await?;
        let header = FileHeader::new(&self.retention.name_of_log().await?);
        let mut stats = ArchiveStats::default();
        for pending in self.locked.directory.pending()? {
            self.finish_file(&pending, &header, &mut stats).await?;
        }
        let mut ended = ended_before(&self.retention, cutoff).await?;
        let mut next = Some(1);
        while let Some(from) = next
            && !ended.is_empty()
        {
            let (histories, then) = self.read_histories(&mut ended, from).await?;
            next = then;
            if let Some(pending) = self.write_file(histories, &header, day, &mut stats.corrupted).await? {
                failpoints::reach("archive.pending").await;
                self.finish_file(&pending, &header, &mut stats).await?;
            }
        }
        Ok(stats)
    }

    /// Reads the log from `from` on until a file's worth of workflows has come to its end, and where to go on after that.
    async fn read_histories(
        &self,
        ended: &mut HashMap<WorkflowId, u64>,
        from: u64,
    ) -> Result<(Vec<History>, Option<u64>), ArchiveError> {
        let mut collector = HistoryCollector::new(MEMORY_LIMITS, ended);
        let mut messages = pin!(self.retention.messages(from).await?);
        while let Some(message) = messages.try_next().await? {
            let next = message.sequence + 1;
            collector.add(message);
            if collector.is_full() {
                return Ok(collector.stop(next));
            }
        }
        Ok(collector.end())
    }

    /// Writes what may be taken into a file; `None` where nothing may. Contents are kept before the workflow that names them.
    async fn write_file(
        &self,
        histories: Vec<History>,
        header: &FileHeader,
        day: &str,
        corrupted: &mut BTreeSet<Digest>,
    ) -> Result<Option<PathBuf>, ArchiveError> {
        let mut writer: Option<ArchiveWriter> = None;
        let mut records =
            pin!(stream::iter(histories).map(|history| self.record(history)).buffered(MAX_CONCURRENT_REQUESTS));
        while let Some(record) = records.try_next().await? {
            let Some(record) = record else { continue };
            corrupted.extend(&record.damaged_contents);
            match &mut writer {
                Some(writer) => writer.write(&record)?,
                None => writer.insert(self.locked.directory.begin(day, header)?).write(&record)?,
            }
        }
        failpoints::reach("archive.part").await;
        writer.map(ArchiveWriter::commit).transpose()
    }

    /// The line of a workflow; `None` where its end is not the newest that the log's leader has of it.
    async fn record(&self, History(messages): History) -> Result<Option<ArchivedWorkflow>, ArchiveError> {
        let Some(last) = messages.last() else { return Ok(None) };
        let Some(workflow) = last.to_workflow() else { return Ok(None) };
        let newest = self.retention.newest(workflow.id).await?.map(|(sequence, _)| sequence);
        if !workflow.status().is_terminal() || newest != Some(last.sequence) {
            return Ok(None);
        }
        let mut record = ArchivedWorkflow::new(&workflow, &messages);
        // Most digests are of texts that lie in the messages themselves.
        let named: BTreeSet<Digest> = messages.iter().flat_map(StoredMessage::digests).collect();
        for digest in named {
            match self.retention.content(digest).await? {
                Some(Original::Whole(text)) => {
                    self.locked.directory.store_content(digest, &text)?;
                    record.contents.push(digest);
                }
                Some(Original::Damaged(_)) if self.locked.directory.has_content(digest) => record.contents.push(digest),
                Some(Original::Damaged(text)) => {
                    self.locked.directory.store_corrupted(digest, &text)?;
                    record.damaged_contents.push(digest);
                }
                None => {}
            }
        }
        Ok(Some(record))
    }

    /// Takes from log and read model what a pending file holds. Idempotent.
    async fn finish_file(
        &self,
        pending: &Path,
        header: &FileHeader,
        stats: &mut ArchiveStats,
    ) -> Result<(), ArchiveError> {
        let (found, written) = read_file(pending)?;
        if found != *header {
            return Err(ArchiveError::OtherLog { path: pending.display().to_string() });
        }
        let left: Vec<LogState> = stream::iter(&written)
            .map(|index| self.log_state(index))
            .buffered(MAX_CONCURRENT_REQUESTS)
            .try_collect()
            .await?;
        let whole =
            || written.iter().zip(&left).filter(|(_, left)| **left == LogState::Complete).map(|(index, _)| index);
        let ends: BTreeSet<u64> = whole().map(WorkflowIndex::end).collect();
        let messages = whole().flat_map(|index| &index.messages).map(|place| place.sequence);
        let mut before: Vec<u64> = messages.filter(|sequence| !ends.contains(sequence)).collect();
        // In the order in which they lie on the broker's disk. What has lost a part still ends as it ended.
        before.sort_unstable();
        stats.messages += before.len() + ends.len();
        self.delete(before).await?;
        failpoints::reach("archive.halfway").await;
        self.delete(ends.into_iter().collect()).await?;
        failpoints::reach("archive.taken").await;
        tokio::time::sleep(LATE_WRITE_DELAY).await;
        self.wait_for_read_model().await?;
        let gone: Vec<&WorkflowIndex> = written
            .iter()
            .zip(&left)
            .filter(|(_, left)| **left != LogState::Different)
            .map(|(index, _)| index)
            .collect();
        stream::iter(&gone)
            .map(|index| self.read_model.forget(index.workflow_id, index.end(), &index.owner, index.status))
            .buffer_unordered(MAX_CONCURRENT_REQUESTS)
            .try_collect::<()>()
            .await
            .map_err(|error| ArchiveError::View(error.to_string()))?;
        failpoints::reach("archive.forgotten").await;
        self.locked.directory.complete(pending)?;
        stats.workflows += gone.len();
        stats.skipped += written.len() - gone.len();
        stats.files += 1;
        Ok(())
    }

    /// Whether what the file holds of a workflow is what the log has of it, by the end: a log that was restored, or copied, keeps its
    /// name, and places mean something else in it. Two logs with a message in common have all before it in common.
    async fn log_state(&self, index: &WorkflowIndex) -> Result<LogState, ArchiveError> {
        let newest = self.retention.newest(index.workflow_id).await?;
        let Some((sequence, at)) = newest else { return Ok(LogState::Removed) };
        let is_the_end = index.messages.last().is_some_and(|end| end.sequence == sequence && end.at == at.to_rfc3339());
        Ok(if is_the_end { LogState::Complete } else { LogState::Different })
    }

    async fn delete(&self, sequences: Vec<u64>) -> Result<(), ArchiveError> {
        let requests = stream::iter(sequences).map(|sequence| self.retention.take_out(sequence));
        Ok(requests.buffer_unordered(MAX_CONCURRENT_REQUESTS).try_collect::<()>().await?)
    }

    /// Waits until Redis is whole: while it is filled from the log, what is taken out could be put back.
    async fn wait_for_read_model(&self) -> Result<(), ArchiveError> {
        let give_up = Instant::now() + READ_MODEL_TIMEOUT;
        loop {
            let why = match self.read_model.is_complete().await {
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
