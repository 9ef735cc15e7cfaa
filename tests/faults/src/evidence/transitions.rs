//! Reads the log: every transition of this round's workflows, and the last one of those of earlier rounds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use domain::Timestamp;
use domain::ids::WorkflowId;
use futures_util::{StreamExt, TryStreamExt};
use messaging::{Entry, ReadError, Retention, WorkflowLog};
use tokio::time::{Instant, sleep};

use crate::checker::{Anomaly, Logs};
use crate::evidence::{CATCH_UP_TIMEOUT, EarlierRounds};

/// The content of the log.
pub(crate) struct Read {
    pub(crate) logs: Logs,
    /// Workflows of earlier rounds whose state changed since.
    pub(crate) lost: Vec<Anomaly>,
}

/// Reads every transition of every workflow that is not `known`, including the `accepted` ones.
pub(crate) async fn read(
    log: &WorkflowLog,
    accepted: &HashSet<WorkflowId>,
    known: &EarlierRounds,
) -> Result<Read, ReadError> {
    // A lagging replica may not list the newest workflows, so those that the client knows are read by id.
    let mut newest_sequences: HashMap<WorkflowId, u64> = HashMap::new();
    {
        let mut newest = pin!(log.scan().await?);
        while let Some(entry) = newest.next().await {
            let entry = entry?;
            newest_sequences.insert(entry.workflow.id, entry.sequence);
        }
    }
    let ids: HashSet<WorkflowId> = newest_sequences.keys().chain(accepted).copied().collect();
    let mut logs = BTreeMap::new();
    for id in ids.into_iter().filter(|id| !known.workflows.contains_key(id)) {
        if let Some(newest) = log.newest_from_leader(id).await? {
            logs.insert(id, history(log, id, newest.sequence).await?);
        }
    }
    let mut lost = Vec::new();
    for (id, (sequence, has_ended)) in &known.workflows {
        if newest_sequences.get(id) == Some(sequence) {
            continue;
        }
        match log.newest_from_leader(*id).await? {
            None => lost.push(Anomaly::of(*id, format!("it was at {sequence} in an earlier round and is missing now"))),
            Some(newest) if newest.sequence < *sequence || (*has_ended && newest.sequence > *sequence) => {
                let what = format!("it was at {sequence} in an earlier round and is at {} now", newest.sequence);
                lost.push(Anomaly::of(*id, what));
            }
            Some(_) => {}
        }
    }
    Ok(Read { logs, lost })
}

/// Reads the broker's time of each transition.
pub(crate) async fn times(retention: &Retention, logs: &Logs) -> Result<HashMap<u64, Timestamp>, ReadError> {
    let Some(first) = logs.values().filter_map(|log| log.first()).map(|entry| entry.sequence).min() else {
        return Ok(HashMap::new());
    };
    retention.messages(first).await?.map_ok(|message| (message.sequence, message.at)).try_collect().await
}

/// Reads every transition of a workflow up to the newest, waiting for lagging replicas.
async fn history(log: &WorkflowLog, id: WorkflowId, newest: u64) -> Result<Vec<Entry>, ReadError> {
    let mut entries: Vec<Entry> = Vec::new();
    let give_up = Instant::now() + CATCH_UP_TIMEOUT;
    loop {
        let last = entries.last().map_or(0, |last| last.sequence);
        if last >= newest {
            return Ok(entries);
        }
        match log.next_after(id, last).await? {
            Some(entry) => entries.push(entry),
            None if Instant::now() > give_up => {
                return Err(ReadError::Unavailable("a replica does not catch up".to_owned()));
            }
            None => sleep(Duration::from_millis(50)).await,
        }
    }
}
