//! Evidence from the cluster: the log, the audit log, the dead letters, differences of the read model from the log, and
//! leftovers.

pub(crate) mod leftovers;
mod transitions;
pub(crate) mod webhook_receiver;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use domain::Timestamp;
use domain::ids::WorkflowId;
use messaging::{AuditLog, AuditRecord, Retention, StoredDeadLetter};
use read_model::compare;
use tokio::time::{Instant, sleep};

use crate::checker::{Anomaly, Logs, unaudited, unnotified};
use crate::cluster::Cluster;
use leftovers::remaining;
use transitions::{Read, read, times};
use webhook_receiver::WebhookReceiver;

/// Maximum time for consumers of the log to catch up.
pub(crate) const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum dead letters read in one round.
const MAX_DEAD_LETTERS: usize = 10_000;

/// Outcomes that the faults of this round allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AllowedOutcomes {
    /// A step used up its attempts.
    pub exhausted: bool,
    /// A time limit elapsed.
    pub timeouts: bool,
    /// A decision came after its question had expired.
    pub late_answers: bool,
}

/// The input of the checker.
#[derive(Debug)]
pub struct Evidence {
    pub logs: Logs,
    /// The broker's time of each of these transitions, by sequence.
    pub stored: HashMap<u64, Timestamp>,
    /// Workflows of earlier rounds whose state changed since.
    pub lost: Vec<Anomaly>,
    /// The audit log, or the reason why it cannot be read or its chain is broken.
    pub audit: Result<Vec<AuditRecord>, String>,
    /// Dead letters that were written in this round.
    pub letters: Vec<StoredDeadLetter>,
    /// Remaining differences between the read model and the log.
    pub differences: Vec<Anomaly>,
    pub leftovers: BTreeSet<String>,
    /// Workflows whose notification was received.
    pub notified: HashSet<WorkflowId>,
    /// End of the last fault.
    pub healed: Option<Timestamp>,
    /// Time that new workflows took after the fault; `None` if one did not end in time.
    pub recovery: Option<Duration>,
    pub allowed: AllowedOutcomes,
    /// True if code runs only after approval.
    pub is_gated: bool,
    pub apis: usize,
}

/// The state at the end of earlier rounds.
#[derive(Debug, Default)]
pub(crate) struct EarlierRounds {
    /// The last sequence of each workflow, and whether that was its end.
    pub(crate) workflows: HashMap<WorkflowId, (u64, bool)>,
    pub(crate) last_letter: u64,
}

impl EarlierRounds {
    /// Adds the evidence of a round.
    pub(crate) fn add(&mut self, evidence: &Evidence) {
        let last_states = evidence.logs.iter().filter_map(|(id, log)| {
            let last = log.last()?;
            Some((*id, (last.sequence, last.workflow.status().is_terminal())))
        });
        self.workflows.extend(last_states);
        self.last_letter = evidence.letters.last().map_or(self.last_letter, |last| last.id);
    }
}

/// Repeats `look` until it has no anomalies, at most for [`CATCH_UP_TIMEOUT`], and returns the last anomalies.
async fn retry_until_clean(mut look: impl AsyncFnMut() -> Vec<Anomaly>) -> Vec<Anomaly> {
    let give_up = Instant::now() + CATCH_UP_TIMEOUT;
    loop {
        let anomalies = look().await;
        if anomalies.is_empty() || Instant::now() > give_up {
            return anomalies;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// Retries for at most [`CATCH_UP_TIMEOUT`].
async fn retry_read<T, E: ToString>(mut look: impl AsyncFnMut() -> Result<T, E>) -> Result<T, String> {
    let give_up = Instant::now() + CATCH_UP_TIMEOUT;
    loop {
        match look().await {
            Ok(read) => return Ok(read),
            Err(error) if Instant::now() > give_up => return Err(error.to_string()),
            Err(_) => sleep(Duration::from_millis(500)).await,
        }
    }
}

/// Collects the evidence, waiting for consumers of the log to catch up. Fails if the log itself cannot be read.
pub(crate) async fn gather(
    cluster: &Cluster,
    receiver: &WebhookReceiver,
    accepted: &HashSet<WorkflowId>,
    known: &EarlierRounds,
) -> Result<Evidence, String> {
    let log = cluster.log();
    let Read { logs, lost } = retry_read(async || read(&log, accepted, known).await).await?;
    let retention = Retention::new(cluster.operator());
    let stored = retry_read(async || times(&retention, &logs).await).await?;
    let letters =
        retry_read(async || cluster.dead_letters().list(None, known.last_letter, MAX_DEAD_LETTERS).await).await?;
    let differences = match cluster.view() {
        Err(error) => vec![Anomaly::whole(error)],
        Ok(view) => {
            retry_until_clean(async || match compare(&log, &view).await {
                Ok(found) => found.iter().map(|one| Anomaly::of(one.id, format!("{one:?}"))).collect(),
                Err(error) => vec![Anomaly::whole(error.to_string())],
            })
            .await
        }
    };
    let audit_log = AuditLog::new(cluster.operator());
    let mut audit = Ok(Vec::new());
    retry_until_clean(async || {
        audit = audit_log.read_all().await.map_err(|error| error.to_string());
        match &audit {
            Ok(records) => unaudited(&logs, records),
            Err(error) => vec![Anomaly::whole(error)],
        }
    })
    .await;
    let mut notified = HashSet::new();
    retry_until_clean(async || {
        notified = receiver.notified();
        unnotified(&logs, &notified)
    })
    .await;
    Ok(Evidence {
        logs,
        stored,
        lost,
        audit,
        letters,
        differences,
        leftovers: remaining(cluster).await.into_iter().collect(),
        notified,
        healed: None,
        recovery: None,
        allowed: AllowedOutcomes::default(),
        is_gated: cluster.topology.is_gated,
        apis: cluster.topology.apis,
    })
}
