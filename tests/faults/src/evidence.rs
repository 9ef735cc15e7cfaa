//! What the cluster itself says: the log, the audit log, the read model's differences from the log, and what is left behind.

use std::collections::{BTreeMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use shared::ids::WorkflowId;
use shared::messaging::{AuditLog, AuditRecord, Entry, ReadError, WorkflowLog};
use shared::read_model::compare;
use tokio::time::{Instant, sleep};

use crate::cluster::{Cluster, jobs_of};
use crate::receiver::Receiver;

/// How long what follows the log may take to catch up.
const CATCHING_UP: Duration = Duration::from_secs(30);

/// What there is to be judged.
#[derive(Debug)]
pub struct Evidence {
    /// Every transition of each workflow, in the log's order.
    pub logs: BTreeMap<WorkflowId, Vec<Entry>>,
    /// The audit log, or why it could not be read or does not hold.
    pub audit: Result<Vec<AuditRecord>, String>,
    /// Where the read model still differs from the log, in words.
    pub differences: Vec<String>,
    pub leftovers: Vec<String>,
    /// Workflows whose end was told to their caller.
    pub notified: HashSet<WorkflowId>,
    /// How long a fresh workflow took after the fault; `None` where it did not end in time.
    pub recovery: Option<Duration>,
}

/// Looks again and again until `look` finds nothing to complain about, at most as long as catching up may take; returns the
/// last complaint.
async fn until_quiet(mut look: impl AsyncFnMut() -> Vec<String>) -> Vec<String> {
    let give_up = Instant::now() + CATCHING_UP;
    loop {
        let complaints = look().await;
        if complaints.is_empty() || Instant::now() > give_up {
            return complaints;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// Every transition of every workflow but the `known` ones, the `told` ones among them.
async fn logs(
    log: &WorkflowLog,
    told: &HashSet<WorkflowId>,
    known: &HashSet<WorkflowId>,
) -> Result<BTreeMap<WorkflowId, Vec<Entry>>, ReadError> {
    // A replica that lags does not show the newest workflows: those that the client knows are asked for by name.
    let mut ids = told.clone();
    {
        let mut newest = pin!(log.scan().await?);
        while let Some(entry) = newest.next().await {
            ids.insert(entry?.workflow.id);
        }
    }
    let mut all = BTreeMap::new();
    for id in ids.difference(known) {
        if let Some(newest) = log.newest_from_leader(*id).await? {
            all.insert(*id, history(log, *id, newest.sequence).await?);
        }
    }
    Ok(all)
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

/// Gathers it, with patience for what follows the log.
pub(crate) async fn gather(
    cluster: &Cluster,
    receiver: &Receiver,
    told: &HashSet<WorkflowId>,
    known: &HashSet<WorkflowId>,
) -> Result<Evidence, String> {
    let log = cluster.log();
    let give_up = Instant::now() + CATCHING_UP;
    let logs = loop {
        match logs(&log, told, known).await {
            Ok(logs) => break logs,
            Err(error) if Instant::now() > give_up => return Err(error.to_string()),
            Err(_) => sleep(Duration::from_millis(500)).await,
        }
    };
    let differences = match cluster.view() {
        Err(error) => vec![error],
        Ok(view) => {
            until_quiet(async || match compare(&log, &view).await {
                Ok(differences) => differences.iter().map(|difference| format!("{difference:?}")).collect(),
                Err(error) => vec![error.to_string()],
            })
            .await
        }
    };
    let audit_log = AuditLog::new(cluster.operator());
    let mut audit = Ok(Vec::new());
    until_quiet(async || {
        audit = audit_log.read_all().await;
        match &audit {
            Ok(records) => crate::checker::unaudited(&logs, records),
            Err(error) => vec![error.clone()],
        }
    })
    .await;
    let mut notified = HashSet::new();
    until_quiet(async || {
        notified = receiver.told();
        crate::checker::unnotified(&logs, &notified)
    })
    .await;
    let dead = cluster.dead_workers();
    let leftovers = until_quiet(async || jobs_of(&dead)).await;
    Ok(Evidence { logs, audit, differences, leftovers, notified, recovery: None })
}
