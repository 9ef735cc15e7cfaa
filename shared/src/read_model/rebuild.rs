//! Filling the read model from the log, and comparing the two.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};

use super::store::{ReadModel, ReadModelError};
use super::whole::lists_of;
use crate::ids::{Digest, UserName, WorkflowId};
use crate::messaging::{Entry, ReadError, WorkflowLog, encode};
use crate::workflow::{Status, Workflow};

/// Writes on their way to Redis at once.
const WRITES: usize = 64;
/// A write is given up after so many tries, some ten seconds in all.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// How new a workflow is, and what it is listed by.
struct Place {
    sequence: u64,
    owner: UserName,
    status: Status,
}

impl Place {
    fn of(sequence: u64, workflow: &Workflow) -> Self {
        Self { sequence, owner: workflow.owner.clone(), status: workflow.status() }
    }

    fn lists(&self) -> HashSet<String> {
        lists_of(self.owner.as_str(), self.status)
    }
}

/// A workflow that stands otherwise in the read model than in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub id: WorkflowId,
    /// 0 where the log does not know the workflow.
    pub log_sequence: u64,
    /// `None` where the read model does not know the workflow.
    pub view_sequence: Option<u64>,
    /// Whether it is in the lists that it belongs in, and in no other.
    pub is_listed_right: bool,
}

/// Why a rebuild did not finish.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error(transparent)]
    View(#[from] ReadModelError),
    #[error("Redis lost its memory while it was filled; fill it again")]
    Emptied,
}

/// Writes every workflow of the log into the view, while both serve; returns how many transitions were read.
///
/// Idempotent; writes compare sequences, so a newer state that another process writes meanwhile stays. What claims to be newer
/// than the log's leader says, and what the log does not know, goes. Fails where Redis was emptied meanwhile.
pub async fn rebuild(log: &WorkflowLog, view: &ReadModel) -> Result<u64, RebuildError> {
    let filling = patiently(|| view.begin_filling()).await?;
    let mut newest = HashMap::new();
    let mut written = pin!(log.scan().await?.map(|entry| write(view, entry)).buffered(WRITES));
    let mut count = 0;
    while let Some(place) = written.try_next().await? {
        // In log order, so a later one is newer.
        if let Some((id, place)) = place {
            newest.insert(id, place);
            count += 1;
        }
    }
    correct(log, view, &newest).await?;
    if patiently(|| view.mark_complete(&filling)).await? { Ok(count) } else { Err(RebuildError::Emptied) }
}

/// Writes an entry; `None` where this build cannot read it, which leaves it to the newer build that wrote it.
async fn write(view: &ReadModel, entry: Result<Entry, ReadError>) -> Result<Option<(WorkflowId, Place)>, RebuildError> {
    let entry = match entry {
        Ok(entry) => entry,
        Err(ReadError::Decode(error)) => {
            tracing::warn!(%error, "a transition was skipped");
            return Ok(None);
        }
        Err(error @ ReadError::Unavailable(_)) => return Err(error.into()),
    };
    patiently(|| view.project(entry.sequence, &entry.workflow)).await?;
    Ok(Some((entry.workflow.id, Place::of(entry.sequence, &entry.workflow))))
}

/// Asks Redis again and again, some ten seconds in all: one that is slow for a moment costs a filling that moment, and not all that was
/// done before.
async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> Result<T, ReadModelError>
where
    F: Future<Output = Result<T, ReadModelError>>,
{
    let mut tries = 1;
    loop {
        match ask().await {
            Err(_) if tries < TRIES => tries += 1,
            answer => return answer,
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
}

/// Puts right what writes that compare sequences cannot: entries that are too new or of no workflow, and wrong lists.
async fn correct(log: &WorkflowLog, view: &ReadModel, newest: &HashMap<WorkflowId, Place>) -> Result<(), RebuildError> {
    let mut listings = patiently(|| view.listings()).await?;
    for id in patiently(|| view.ids()).await? {
        let lists = listings.remove(&id).unwrap_or_default();
        let Some(standing) = patiently(|| view.sequence_of(id)).await? else { continue };
        if newest.get(&id).is_some_and(|place| place.sequence == standing && place.lists() == lists) {
            continue;
        }
        // The view was read first: what an honest writer wrote there, the leader knows.
        match log.newest_from_leader(id).await {
            Ok(Some(entry)) => {
                let right = Place::of(entry.sequence, &entry.workflow).lists();
                if standing > entry.sequence || lists != right {
                    tracing::warn!(workflow.id = %id, standing, log = entry.sequence, "an entry of the view is put right");
                    // Out of the wrong lists first: writing the entry may put the workflow into one of them again.
                    let wrong = lists.difference(&right).cloned().collect();
                    patiently(|| view.unlist(id, &wrong)).await?;
                    patiently(|| view.disown(id, standing)).await?;
                    patiently(|| view.project(entry.sequence, &entry.workflow)).await?;
                }
            }
            Ok(None) => {
                tracing::warn!(workflow.id = %id, standing, "an entry of the view that the log does not know is taken out");
                patiently(|| view.remove(id, standing, &lists)).await?;
            }
            Err(ReadError::Decode(_)) => {}
            Err(error @ ReadError::Unavailable(_)) => return Err(error.into()),
        }
    }
    for (id, lists) in listings {
        // Listed a moment before its entry was seen: left alone.
        if patiently(|| view.sequence_of(id)).await?.is_none() {
            patiently(|| view.unlist(id, &lists)).await?;
        }
    }
    Ok(())
}

/// Every workflow that stands otherwise in the view than in the log, is listed otherwise, or is not in the log at all. What nobody can
/// read is passed over: until the approver has ended its workflow, that may show as a difference.
pub async fn compare(log: &WorkflowLog, view: &ReadModel) -> Result<Vec<Difference>, RebuildError> {
    // Of each only what it takes: all states at once would fill the memory.
    let mut newest: HashMap<WorkflowId, (Place, Digest)> = HashMap::new();
    let mut entries = pin!(log.scan().await?);
    while let Some(entry) = entries.next().await {
        let entry = match entry {
            Err(error) if error.is_hopeless() => continue,
            entry => entry?,
        };
        let is_newer = newest.get(&entry.workflow.id).is_none_or(|(known, _)| known.sequence < entry.sequence);
        if is_newer {
            let place = Place::of(entry.sequence, &entry.workflow);
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
