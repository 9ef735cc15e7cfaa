//! Reads the newest state of workflows: from Redis while it is fresh, else from the log.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use domain::ids::WorkflowId;
use domain::workflow::Workflow;
use futures_util::StreamExt;
use messaging::{Entry, Queue, ReadError, WorkflowLog};
use read_model::{ListPosition, ListQuery, Page, ReadModel, ReadModelError, VersionedWorkflow};
use service::lifecycle::Lifecycle;
use tokio::time::Instant;

use crate::http::problem::Problem;
use crate::workflows::sequence_tracker::SequenceTracker;
use crate::workflows::singleflight::Singleflight;
use crate::workflows::unavailable::log_unavailable;

/// Lifetime of a cached scan, unless a newer entry is observed.
const SCAN_TTL: Duration = Duration::from_secs(1);

/// Maximum workflows of a list that is read from the log, to bound memory and time.
const MAX_SCANNED_WORKFLOWS: usize = 50_000;

/// Maximum pages read if every item of a page was filtered out.
const MAX_PAGES: usize = 20;

/// Reads workflows. A result is never older than what this process observed of the workflow before.
pub(crate) struct WorkflowReader {
    log: WorkflowLog,
    view: ReadModel,
    sequences: SequenceTracker,
    /// The sequences that this process wrote into the view.
    written: SequenceTracker,
    scans: Singleflight<(), Result<Arc<Vec<VersionedWorkflow>>, Problem>>,
    scanned: Mutex<Option<Scan>>,
}

/// A snapshot of the log.
struct Scan {
    began: Instant,
    /// The newest sequence observed before the scan.
    latest: u64,
    workflows: Arc<Vec<VersionedWorkflow>>,
}

impl WorkflowReader {
    pub(crate) fn new(log: WorkflowLog, view: ReadModel) -> Self {
        Self {
            log,
            view,
            sequences: SequenceTracker::default(),
            written: SequenceTracker::default(),
            scans: Singleflight::default(),
            scanned: Mutex::default(),
        }
    }

    /// Records that transitions may be missed from now on.
    pub(crate) fn mark_feed_lost(&self) {
        self.sequences.set_missed_up_to(u64::MAX);
    }

    /// Records that every transition after `sequence` will be observed.
    pub(crate) fn set_feed_start(&self, sequence: u64) {
        self.sequences.set_missed_up_to(sequence);
    }

    /// Checks whether the view contains the transitions that this process missed. Until it does, the view is used only
    /// where the log was observed.
    pub(crate) async fn check_projection_lag(&self, is_complete: bool, projector: &Queue) {
        let missed = self.sequences.missed();
        self.sequences.set_view_complete(is_complete);
        if is_complete
            && missed < u64::MAX
            && !self.sequences.view_covers(missed)
            && matches!(projector.is_settled_up_to(missed).await, Ok(true))
        {
            self.sequences.set_view_covers(missed);
        }
    }

    /// Records the sequence, so that no later result is older.
    pub(crate) fn observe(&self, id: WorkflowId, sequence: u64) {
        self.sequences.note(id, sequence);
    }

    /// Returns whether this process observed a transition of the workflow after `sequence`.
    pub(crate) fn knows_newer(&self, id: WorkflowId, sequence: u64) -> bool {
        !self.sequences.is_newest(id, sequence)
    }

    /// Returns the workflow; `None` if it does not exist. Restores it in Redis if it is missing there.
    pub(crate) async fn get(&self, id: WorkflowId) -> Result<Option<VersionedWorkflow>, Problem> {
        match self.view.get(id).await {
            // Redis may be ahead of the observed log, behind, or wrong; the log is authoritative.
            Ok(Some(stored)) if self.sequences.is_fresh(id, stored.sequence) => return Ok(Some(stored)),
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "Read model unavailable; reading from the log"),
        }
        // A replica of the log may be behind what another API has shown before.
        self.get_from_leader(id).await
    }

    /// Returns the newest state from the log's leader, and restores it in the view.
    pub(crate) async fn get_from_leader(&self, id: WorkflowId) -> Result<Option<VersionedWorkflow>, Problem> {
        let newest = self.newest_from_leader(id).await?;
        if let Some(newest) = &newest {
            self.upsert(newest.sequence, &newest.workflow).await;
        }
        Ok(newest)
    }

    /// Returns the newest state from the log's leader, without a write into the view.
    pub(crate) async fn newest_from_leader(&self, id: WorkflowId) -> Result<Option<VersionedWorkflow>, Problem> {
        let newest = self.log.newest_from_leader(id).await.map_err(|error| log_unavailable(&error))?;
        Ok(newest.map(|Entry { sequence, workflow, .. }| {
            self.observe(id, sequence);
            VersionedWorkflow { sequence, workflow }
        }))
    }

    /// Records a state and writes it into the view. Best effort: the projector writes it as well.
    pub(crate) async fn upsert(&self, sequence: u64, workflow: &Workflow) {
        self.observe(workflow.id, sequence);
        if let Err(error) = self.write(sequence, workflow).await {
            tracing::debug!(%error, workflow.id = %workflow.id, "Read-model update failed; projector will retry");
        }
    }

    /// As [`WorkflowReader::upsert`], without waiting for the view. Lists of this process that begin later find the
    /// workflow nevertheless: their calls go through the same connection, after this one.
    pub(crate) async fn upsert_in_background(self: &Arc<Self>, sequence: u64, workflow: Workflow, tasks: &Lifecycle) {
        self.observe(workflow.id, sequence);
        let reader = self.clone();
        let mut write = Box::pin(async move { reader.upsert(sequence, &workflow).await });
        // The first poll puts the call into the connection.
        if poll_fn(|context| Poll::Ready(write.as_mut().poll(context))).await.is_pending() {
            tasks.spawn(write);
        }
    }

    /// Writes a transition into the view, unless this process wrote the same one last. If the view has lost it since, a
    /// rebuild restores it.
    pub(crate) async fn project(&self, sequence: u64, workflow: &Workflow) -> Result<(), ReadModelError> {
        if self.written.is_at(workflow.id, sequence) { Ok(()) } else { self.write(sequence, workflow).await }
    }

    async fn write(&self, sequence: u64, workflow: &Workflow) -> Result<(), ReadModelError> {
        self.view.project(sequence, workflow).await?;
        self.written.note(workflow.id, sequence);
        Ok(())
    }

    /// Returns one page of a list, newest first; from the log while the view is unavailable or incomplete.
    ///
    /// The page may be empty with a cursor if many items in a row were filtered out.
    pub(crate) async fn list(&self, query: &ListQuery) -> Result<Page, Problem> {
        let mut query = query.clone();
        let mut page = self.list_once(&query).await?;
        for _ in 1..MAX_PAGES {
            if !page.items.is_empty() || page.next.is_none() {
                break;
            }
            query.before = page.next;
            page = self.list_once(&query).await?;
        }
        Ok(page)
    }

    async fn list_once(&self, query: &ListQuery) -> Result<Page, Problem> {
        if matches!(self.view.is_complete().await, Ok(true))
            && let Ok(mut page) = self.view.list(query).await
        {
            self.refresh(query, &mut page).await?;
            // The cached scan is obsolete once the view serves again.
            self.scanned.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Ok(page);
        }
        Ok(page_of(&self.scan().await?, query))
    }

    /// Rereads items that are stale in the view, or newer than the observed log.
    async fn refresh(&self, query: &ListQuery, page: &mut Page) -> Result<(), Problem> {
        for item in &mut page.items {
            if !self.sequences.is_fresh(item.workflow.id, item.sequence)
                && let Some(newer) = self.get(item.workflow.id).await?
            {
                *item = newer;
            }
        }
        page.items.retain(|item| query.status.is_none_or(|status| item.workflow.status() == status));
        Ok(())
    }

    /// Returns every workflow's newest state from the log, read after the call began; concurrent callers share a scan.
    pub(crate) async fn scan(&self) -> Result<Arc<Vec<VersionedWorkflow>>, Problem> {
        if let Some(scan) = self.scanned.lock().unwrap_or_else(PoisonError::into_inner).as_ref()
            && scan.latest == self.sequences.latest()
            && scan.began.elapsed() < SCAN_TTL
        {
            return Ok(scan.workflows.clone());
        }
        self.scans.run(&(), self.scan_log()).await
    }

    async fn scan_log(&self) -> Result<Arc<Vec<VersionedWorkflow>>, Problem> {
        let (began, latest) = (Instant::now(), self.sequences.latest());
        let workflows = Arc::new(read_all(&self.log).await?);
        let scan = Scan { began, latest, workflows: workflows.clone() };
        *self.scanned.lock().unwrap_or_else(PoisonError::into_inner) = Some(scan);
        Ok(workflows)
    }
}

async fn read_all(log: &WorkflowLog) -> Result<Vec<VersionedWorkflow>, Problem> {
    let mut newest: HashMap<WorkflowId, VersionedWorkflow> = HashMap::new();
    let mut entries = pin!(log.scan().await.map_err(|error| log_unavailable(&error))?);
    while let Some(entry) = entries.next().await {
        match entry {
            // Entries are in log order: a later one is newer.
            Ok(Entry { sequence, workflow, .. }) => {
                newest.insert(workflow.id, VersionedWorkflow { sequence, workflow });
                if newest.len() > MAX_SCANNED_WORKFLOWS {
                    let detail = "Lists are unavailable while Redis is down or being rebuilt; try again. \
                                  The status of each workflow remains readable.";
                    return Err(Problem::unavailable(detail, Duration::from_secs(10)));
                }
            }
            Err(ReadError::Decode(error)) => tracing::warn!(%error, "Skipped an unreadable log entry"),
            Err(error @ ReadError::Unavailable(_)) => return Err(log_unavailable(&error)),
        }
    }
    Ok(newest.into_values().collect())
}

/// Returns the page that the view would return.
fn page_of(all: &[VersionedWorkflow], query: &ListQuery) -> Page {
    let mut items: Vec<&VersionedWorkflow> = all
        .iter()
        .filter(|stored| query.owner.as_ref().is_none_or(|owner| stored.workflow.owner == *owner))
        .filter(|stored| query.status.is_none_or(|status| stored.workflow.status() == status))
        .filter(|stored| query.before.is_none_or(|before| ListPosition::of(stored) < before))
        .collect();
    items.sort_by_key(|stored| std::cmp::Reverse(ListPosition::of(stored)));
    let more = items.len() > query.limit;
    items.truncate(query.limit);
    let next = items.last().filter(|_| more).map(|last| ListPosition::of(last));
    Page { items: items.into_iter().cloned().collect(), next }
}
