//! Reads the log: every transition of this round's workflows, and where those of earlier rounds stand.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use shared::clock::Timestamp;
use shared::ids::WorkflowId;
use shared::messaging::{Entry, ReadError, Retention, WorkflowLog};
use tokio::time::{Instant, sleep};

use crate::checker::{Complaint, Logs};
use crate::evidence::{CATCHING_UP, Known};

/// What the log shows.
pub(crate) struct Read {
    pub(crate) logs: Logs,
    /// Workflows of earlier rounds that stand otherwise than they did.
    pub(crate) lost: Vec<Complaint>,
}

/// Every transition of every workflow but the `known` ones, the `told` ones among them.
pub(crate) async fn read(log: &WorkflowLog, told: &HashSet<WorkflowId>, known: &Known) -> Result<Read, ReadError> {
    // A replica that lags does not show the newest workflows: those that the client knows are asked for by name.
    let mut standing: HashMap<WorkflowId, u64> = HashMap::new();
    {
        let mut newest = pin!(log.scan().await?);
        while let Some(entry) = newest.next().await {
            let entry = entry?;
            standing.insert(entry.workflow.id, entry.sequence);
        }
    }
    let ids: HashSet<WorkflowId> = standing.keys().chain(told).copied().collect();
    let mut logs = BTreeMap::new();
    for id in ids.into_iter().filter(|id| !known.workflows.contains_key(id)) {
        if let Some(newest) = log.newest_from_leader(id).await? {
            logs.insert(id, history(log, id, newest.sequence).await?);
        }
    }
    let mut lost = Vec::new();
    for (id, (sequence, has_ended)) in &known.workflows {
        if standing.get(id) == Some(sequence) {
            continue;
        }
        match log.newest_from_leader(*id).await? {
            None => lost.push(Complaint::of(*id, format!("it stood at {sequence} in an earlier round, and is gone"))),
            Some(newest) if newest.sequence < *sequence || (*has_ended && newest.sequence > *sequence) => {
                let what = format!("it stood at {sequence} in an earlier round, and stands at {} now", newest.sequence);
                lost.push(Complaint::of(*id, what));
            }
            Some(_) => {}
        }
    }
    Ok(Read { logs, lost })
}

/// When the broker stored each of these.
pub(crate) async fn times(retention: &Retention, logs: &Logs) -> Result<HashMap<u64, Timestamp>, ReadError> {
    let Some(first) = logs.values().filter_map(|log| log.first()).map(|entry| entry.sequence).min() else {
        return Ok(HashMap::new());
    };
    retention.messages(first).await?.map_ok(|message| (message.sequence, message.at)).try_collect().await
}

/// Every transition of a workflow up to the newest; a replica that lags is waited for.
async fn history(log: &WorkflowLog, id: WorkflowId, newest: u64) -> Result<Vec<Entry>, ReadError> {
    let mut entries: Vec<Entry> = Vec::new();
    let give_up = Instant::now() + CATCHING_UP;
    loop {
        let last = entries.last().map_or(0, |last| last.sequence);
        if last >= newest {
            return Ok(entries);
        }
        match log.next_after(id, last).await? {
            Some(entry) => entries.push(entry),
            None if Instant::now() > give_up => {
                return Err(ReadError::Unavailable("a replica lags for ever".to_owned()));
            }
            None => sleep(Duration::from_millis(50)).await,
        }
    }
}
