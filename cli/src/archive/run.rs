//! A run of the archive: moves ended workflows from the log into files.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use domain::Timestamp;
use domain::ids::{Digest, WorkflowId};
use futures_util::{StreamExt, TryStreamExt, stream};
use messaging::{BlobContent, ReadError, Retention, StoredMessage};
use read_model::ReadModel;
use service::failpoints;
use tokio::time::Instant;

use super::ArchiveError;
use super::directory::{ArchiveWriter, LockedDirectory, read_file};
use super::format::{ArchivedWorkflow, FileHeader, WorkflowIndex};
use super::histories::{History, HistoryCollector, MemoryLimits};

/// Maximum bytes of payloads in memory: of the current file, and of incomplete histories.
const MEMORY_LIMITS: MemoryLimits = MemoryLimits { complete: 32 << 20, open: 96 << 20 };
/// Maximum concurrent requests to the broker or Redis.
const MAX_CONCURRENT_REQUESTS: usize = 64;
/// Time within which a process that read a workflow before its deletion has written it to Redis or failed.
const LATE_WRITE_DELAY: Duration = Duration::from_secs(1);
/// Maximum wait for Redis to be available and complete.
const READ_MODEL_TIMEOUT: Duration = Duration::from_secs(60);

/// The dependencies of a run.
pub(crate) struct ArchiveRun {
    pub(crate) retention: Retention,
    pub(crate) read_model: ReadModel,
    pub(crate) locked: LockedDirectory,
}

/// The result of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ArchiveStats {
    pub(crate) workflows: usize,
    pub(crate) messages: usize,
    pub(crate) files: usize,
    /// Contents that were corrupted in the log.
    pub(crate) corrupted: BTreeSet<Digest>,
    /// Workflows of pending files whose state in the log differs, because it was restored since.
    pub(crate) skipped: usize,
}

/// The state in the log of a workflow in a pending file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogState {
    Complete,
    Removed,
    /// Differs from the file.
    Different,
}

/// Returns the workflows that ended before `cutoff` (broker's clock) with the sequences of their ends. Excludes those
/// whose end has unprocessed effects.
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
            // Written by a newer build, or invalid: stays in the log.
            Err(ReadError::Decode(_)) => {}
            Err(error @ ReadError::Unavailable(_)) => return Err(error.into()),
        }
    }
    ended.retain(|id, _| !kept.contains(id));
    Ok(ended)
}

impl ArchiveRun {
    /// Completes pending files, then moves every workflow that ended before `cutoff` into files of `day`.
    ///
    /// Safe to interrupt: a workflow is deleted from the log only after its file is synced, and the next run completes
    /// pending files.
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

    /// Scans the log from `from` until the histories fill a file; returns them and the start of the next scan.
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

    /// Writes histories to a file; `None` if none may be archived. Contents are stored before their workflow.
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

    /// Creates the record of a workflow; `None` if its end is not its newest entry on the log's leader.
    async fn record(&self, History(messages): History) -> Result<Option<ArchivedWorkflow>, ArchiveError> {
        let Some(last) = messages.last() else { return Ok(None) };
        let Some(workflow) = last.to_workflow() else { return Ok(None) };
        let newest = self.retention.newest(workflow.id).await?.map(|(sequence, _)| sequence);
        if !workflow.status().is_terminal() || newest != Some(last.sequence) {
            return Ok(None);
        }
        let mut record = ArchivedWorkflow::new(&workflow, &messages);
        // Most digests are of texts inside the messages and have no stored content.
        let named: BTreeSet<Digest> = messages.iter().flat_map(StoredMessage::digests).collect();
        for digest in named {
            match self.retention.content(digest).await? {
                Some(BlobContent::Intact(text)) => {
                    self.locked.directory.store_content(digest, &text)?;
                    record.contents.push(digest);
                }
                Some(BlobContent::Corrupted(_)) if self.locked.directory.has_content(digest) => {
                    record.contents.push(digest)
                }
                Some(BlobContent::Corrupted(text)) => {
                    self.locked.directory.store_corrupted(digest, &text)?;
                    record.damaged_contents.push(digest);
                }
                None => {}
            }
        }
        Ok(Some(record))
    }

    /// Deletes the workflows of a pending file from log and read model. Idempotent.
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
        // In disk order, and ends last: a partly deleted workflow keeps its end.
        before.sort_unstable();
        stats.messages += before.len() + ends.len();
        self.delete(before).await?;
        failpoints::reach("archive.halfway").await;
        self.delete(ends.into_iter().collect()).await?;
        failpoints::reach("archive.taken").await;
        tokio::time::sleep(LATE_WRITE_DELAY).await;
        self.wait_for_read_model().await?;
        let removed: Vec<&WorkflowIndex> = written
            .iter()
            .zip(&left)
            .filter(|(_, left)| **left != LogState::Different)
            .map(|(index, _)| index)
            .collect();
        stream::iter(&removed)
            .map(|index| self.read_model.forget(index.workflow_id, index.end(), &index.owner, index.status))
            .buffer_unordered(MAX_CONCURRENT_REQUESTS)
            .try_collect::<()>()
            .await
            .map_err(|error| ArchiveError::ReadModel(error.to_string()))?;
        failpoints::reach("archive.forgotten").await;
        self.locked.directory.complete(pending)?;
        stats.workflows += removed.len();
        stats.skipped += written.len() - removed.len();
        stats.files += 1;
        Ok(())
    }

    /// Compares a workflow with the log, by sequence and time of its end: a restored or copied log keeps its name but
    /// may differ. Logs that share a message share all before it.
    async fn log_state(&self, index: &WorkflowIndex) -> Result<LogState, ArchiveError> {
        let newest = self.retention.newest(index.workflow_id).await?;
        let Some((sequence, at)) = newest else { return Ok(LogState::Removed) };
        let is_the_end = index.messages.last().is_some_and(|end| end.sequence == sequence && end.at == at.to_rfc3339());
        Ok(if is_the_end { LogState::Complete } else { LogState::Different })
    }

    async fn delete(&self, sequences: Vec<u64>) -> Result<(), ArchiveError> {
        let requests = stream::iter(sequences).map(|sequence| self.retention.delete_message(sequence));
        Ok(requests.buffer_unordered(MAX_CONCURRENT_REQUESTS).try_collect::<()>().await?)
    }

    /// Waits until Redis is complete: a running rebuild could write deleted workflows again.
    async fn wait_for_read_model(&self) -> Result<(), ArchiveError> {
        let deadline = Instant::now() + READ_MODEL_TIMEOUT;
        loop {
            let reason = match self.read_model.is_complete().await {
                Ok(true) => return Ok(()),
                Ok(false) => "it has not been rebuilt from the log yet; the API does that".to_owned(),
                Err(error) => error.to_string(),
            };
            if Instant::now() >= deadline {
                return Err(ArchiveError::ReadModel(reason));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}
