//! Filling the read model from the log, and comparing the two.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::StreamExt;

use super::store::{ReadModel, ReadModelError, Stored};
use crate::ids::WorkflowId;
use crate::messaging::{ReadError, WorkflowLog};

/// A workflow that stands otherwise in the read model than in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub id: WorkflowId,
    pub log_sequence: u64,
    /// `None` where the read model does not know the workflow.
    pub view_sequence: Option<u64>,
}

/// Why a rebuild did not finish.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error(transparent)]
    View(#[from] ReadModelError),
}

/// Writes every workflow of the log into the view, while both serve; returns how many transitions were read.
///
/// Idempotent; writes compare sequences, so a newer state that another process writes meanwhile stays.
pub async fn rebuild(log: &WorkflowLog, view: &ReadModel) -> Result<u64, RebuildError> {
    let mut entries = pin!(log.scan().await?);
    let mut count = 0;
    while let Some(entry) = entries.next().await {
        match entry {
            Ok(entry) => {
                view.project(entry.sequence, &entry.workflow).await?;
                count += 1;
            }
            // An entry that this build cannot read is left to the newer build that wrote it.
            Err(ReadError::Decode(error)) => tracing::warn!(%error, "a transition was skipped"),
            Err(error @ ReadError::Unavailable(_)) => return Err(error.into()),
        }
    }
    view.mark_complete().await?;
    Ok(count)
}

/// Every workflow that stands otherwise in the view than in the log.
pub async fn compare(log: &WorkflowLog, view: &ReadModel) -> Result<Vec<Difference>, RebuildError> {
    let mut newest: HashMap<WorkflowId, Stored> = HashMap::new();
    let mut entries = pin!(log.scan().await?);
    while let Some(entry) = entries.next().await {
        let entry = entry?;
        let stored = Stored { sequence: entry.sequence, workflow: entry.workflow };
        newest
            .entry(stored.workflow.id)
            .and_modify(|known| {
                if known.sequence < stored.sequence {
                    *known = stored.clone();
                }
            })
            .or_insert_with(|| stored.clone());
    }
    let mut differences = Vec::new();
    for (id, truth) in newest {
        let seen = view.get(id).await?;
        if seen.as_ref() != Some(&truth) {
            let view_sequence = seen.map(|stored| stored.sequence);
            differences.push(Difference { id, log_sequence: truth.sequence, view_sequence });
        }
    }
    differences.sort_by_key(|difference| difference.log_sequence);
    Ok(differences)
}
