//! Rebuilds the read model from the log, and compares the two.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};

use super::completeness::lists_of;
use super::store::{ReadModel, ReadModelError};
use domain::ids::{Digest, UserName, WorkflowId};
use domain::workflow::{Status, Workflow};
use messaging::{Entry, ReadError, WorkflowLog, encode};

/// Maximum concurrent writes to Redis.
const MAX_CONCURRENT_WRITES: usize = 64;
/// Maximum attempts of a call to Redis, about ten seconds in total.
const MAX_ATTEMPTS: u32 = 20;
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// The sequence of a workflow, and the fields that it is listed by.
struct ListedWorkflow {
    sequence: u64,
    owner: UserName,
    status: Status,
}

impl ListedWorkflow {
    fn of(sequence: u64, workflow: &Workflow) -> Self {
        Self { sequence, owner: workflow.owner.clone(), status: workflow.status() }
    }

    fn lists(&self) -> HashSet<String> {
        lists_of(self.owner.as_str(), self.status)
    }
}

/// A workflow whose entry in the read model differs from the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub id: WorkflowId,
    /// 0 if the workflow is not in the log.
    pub log_sequence: u64,
    /// `None` if the workflow is not in the read model.
    pub view_sequence: Option<u64>,
    /// True if the workflow is in exactly the lists that it belongs in.
    pub is_listed_right: bool,
}

/// The reason for which a rebuild did not finish.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error(transparent)]
    View(#[from] ReadModelError),
    #[error("Redis was emptied during the rebuild; run the rebuild again")]
    Emptied,
}

/// Writes every workflow of the log into the read model, while both serve; returns the number of transitions read.
///
/// Idempotent: writes compare sequences, so newer states by other processes are kept. Entries newer than the log's
/// leader reports, or not in the log, are removed. Fails if Redis is emptied meanwhile.
pub async fn rebuild(log: &WorkflowLog, view: &ReadModel) -> Result<u64, RebuildError> {
    let marker = patiently(|| view.begin_rebuild()).await?;
    let mut newest = HashMap::new();
    let mut written = pin!(log.scan().await?.map(|entry| write(view, entry)).buffered(MAX_CONCURRENT_WRITES));
    let mut count = 0;
    while let Some(place) = written.try_next().await? {
        // In log order, so a later one is newer.
        if let Some((id, place)) = place {
            newest.insert(id, place);
            count += 1;
        }
    }
    correct(log, view, &newest).await?;
    if patiently(|| view.mark_complete(&marker)).await? { Ok(count) } else { Err(RebuildError::Emptied) }
}

/// Writes an entry; `None` if this build cannot read it. The newer build that wrote it will project it.
async fn write(
    view: &ReadModel,
    entry: Result<Entry, ReadError>,
) -> Result<Option<(WorkflowId, ListedWorkflow)>, RebuildError> {
    let entry = match entry {
        Ok(entry) => entry,
        Err(ReadError::Decode(error)) => {
            tracing::warn!(%error, "Skipped unreadable transition");
            return Ok(None);
        }
        Err(error @ ReadError::Unavailable(_)) => return Err(error.into()),
    };
    patiently(|| view.project(entry.sequence, &entry.workflow)).await?;
    Ok(Some((entry.workflow.id, ListedWorkflow::of(entry.sequence, &entry.workflow))))
}

/// Retries a call to Redis for about ten seconds, so that a slow moment does not restart a rebuild.
async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> Result<T, ReadModelError>
where
    F: Future<Output = Result<T, ReadModelError>>,
{
    let mut tries = 1;
    loop {
        match ask().await {
            Err(_) if tries < MAX_ATTEMPTS => tries += 1,
            answer => return answer,
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

/// Corrects errors that writes by sequence cannot: entries that are too new or of no workflow, and wrong lists.
async fn correct(
    log: &WorkflowLog,
    view: &ReadModel,
    newest: &HashMap<WorkflowId, ListedWorkflow>,
) -> Result<(), RebuildError> {
    let mut listings = patiently(|| view.listings()).await?;
    for id in patiently(|| view.ids()).await? {
        let lists = listings.remove(&id).unwrap_or_default();
        let Some(standing) = patiently(|| view.sequence_of(id)).await? else { continue };
        if newest.get(&id).is_some_and(|place| place.sequence == standing && place.lists() == lists) {
            continue;
        }
        // The read model was read first, so the leader knows every state that a correct writer wrote there.
        match log.newest_from_leader(id).await {
            Ok(Some(entry)) => {
                let right = ListedWorkflow::of(entry.sequence, &entry.workflow).lists();
                if standing > entry.sequence || lists != right {
                    tracing::warn!(
                        workflow.id = %id,
                        standing,
                        log = entry.sequence,
                        "Corrected read-model entry of workflow {id}"
                    );
                    // Removed from the wrong lists first: writing the entry may add the workflow to one of them again.
                    let wrong = lists.difference(&right).cloned().collect();
                    patiently(|| view.remove_from_lists(id, &wrong)).await?;
                    patiently(|| view.invalidate(id, standing)).await?;
                    patiently(|| view.project(entry.sequence, &entry.workflow)).await?;
                }
            }
            Ok(None) => {
                tracing::warn!(
                    workflow.id = %id,
                    standing,
                    "Removed read-model entry of workflow {id}: not in the log"
                );
                patiently(|| view.remove(id, standing, &lists)).await?;
            }
            Err(ReadError::Decode(_)) => {}
            Err(error @ ReadError::Unavailable(_)) => return Err(error.into()),
        }
    }
    for (id, lists) in listings {
        // Listed a moment before its entry was seen: skipped.
        if patiently(|| view.sequence_of(id)).await?.is_none() {
            patiently(|| view.remove_from_lists(id, &lists)).await?;
        }
    }
    Ok(())
}

/// Returns every workflow whose entry or lists differ from the log, or that is not in the log. Unreadable entries are
/// skipped: their workflows may appear as differences until the approver ends them.
pub async fn compare(log: &WorkflowLog, view: &ReadModel) -> Result<Vec<Difference>, RebuildError> {
    // Keeps only the fields to compare: all states at once would fill the memory.
    let mut newest: HashMap<WorkflowId, (ListedWorkflow, Digest)> = HashMap::new();
    let mut entries = pin!(log.scan().await?);
    while let Some(entry) = entries.next().await {
        let entry = match entry {
            Err(error) if error.is_hopeless() => continue,
            entry => entry?,
        };
        let is_newer = newest.get(&entry.workflow.id).is_none_or(|(known, _)| known.sequence < entry.sequence);
        if is_newer {
            let place = ListedWorkflow::of(entry.sequence, &entry.workflow);
            newest.insert(entry.workflow.id, (place, digest_of(&entry.workflow)));
        }
    }
    let (mut listings, known) = (view.listings().await?, view.ids().await?);
    let mut differences = Vec::new();
    for id in known.into_iter().filter(|id| !newest.contains_key(id)) {
        let view_sequence = view.sequence_of(id).await?;
        differences.push(Difference {
            id,
            log_sequence: 0,
            view_sequence,
            is_listed_right: !listings.contains_key(&id),
        });
        listings.remove(&id);
    }
    for (id, (place, digest)) in newest {
        let seen = view.get(id).await?;
        let is_listed_right = listings.remove(&id) == Some(place.lists());
        let is_right =
            seen.as_ref().is_some_and(|seen| seen.sequence == place.sequence && digest_of(&seen.workflow) == digest);
        if !is_right || !is_listed_right {
            let view_sequence = seen.map(|stored| stored.sequence);
            differences.push(Difference { id, log_sequence: place.sequence, view_sequence, is_listed_right });
        }
    }
    for id in listings.into_keys() {
        differences.push(Difference { id, log_sequence: 0, view_sequence: None, is_listed_right: false });
    }
    differences.sort_by_key(|difference| difference.log_sequence);
    Ok(differences)
}

fn digest_of(workflow: &Workflow) -> Digest {
    Digest::of(&encode(workflow))
}
