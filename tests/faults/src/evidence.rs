//! What the cluster itself says: the log, the audit log, the dead letters, the read model's differences from the log, and what is left
//! behind.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use shared::clock::Timestamp;
use shared::ids::WorkflowId;
use shared::messaging::{AuditLog, AuditRecord, KeptLetter, Retention};
use shared::read_model::compare;
use tokio::time::{Instant, sleep};

use crate::checker::{Complaint, Logs, unaudited, unnotified};
use crate::cluster::Cluster;
use crate::litter::left_behind;
use crate::receiver::Receiver;
use crate::transitions::{Read, read, times};

/// How long what follows the log may take to catch up.
pub(crate) const CATCHING_UP: Duration = Duration::from_secs(30);
/// More letters than this are not looked at in one round.
const LETTERS: usize = 10_000;

/// What the round's faults explain and others do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Explained {
    /// That a step had all its attempts.
    pub exhausted: bool,
    /// That a time limit was over.
    pub timeouts: bool,
    /// That an answer came when its question had expired.
    pub late_answers: bool,
}

/// What there is to be judged.
#[derive(Debug)]
pub struct Evidence {
    pub logs: Logs,
    /// When the broker stored each of these transitions, by its sequence.
    pub stored: HashMap<u64, Timestamp>,
    /// Workflows of earlier rounds that do not stand any more as they stood then.
    pub lost: Vec<Complaint>,
    /// The audit log, or why it could not be read or does not hold.
    pub audit: Result<Vec<AuditRecord>, String>,
    /// Dead letters that were written in this round.
    pub letters: Vec<KeptLetter>,
    /// Where the read model still differs from the log.
    pub differences: Vec<Complaint>,
    pub leftovers: BTreeSet<String>,
    /// Workflows whose end was told to their caller.
    pub notified: HashSet<WorkflowId>,
    /// When the last fault had ended.
    pub healed: Option<Timestamp>,
    /// How long fresh workflows took after the fault; `None` where one did not end in time.
    pub recovery: Option<Duration>,
    pub explained: Explained,
    /// Whether no code runs before a human agreed.
    pub is_gated: bool,
    pub apis: usize,
}

/// What is known from earlier rounds.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Where each workflow stood, and whether that was its end.
    pub(crate) workflows: HashMap<WorkflowId, (u64, bool)>,
    pub(crate) last_letter: u64,
}

impl Known {
    /// Remembers what was judged.
    pub(crate) fn add(&mut self, evidence: &Evidence) {
        let stands = evidence.logs.iter().filter_map(|(id, log)| {
            let last = log.last()?;
            Some((*id, (last.sequence, last.workflow.status().is_terminal())))
        });
        self.workflows.extend(stands);
        self.last_letter = evidence.letters.last().map_or(self.last_letter, |last| last.id);
    }
}

/// Looks again and again until `look` finds nothing to complain about, at most as long as catching up may take; returns the
/// last complaints.
async fn until_quiet(mut look: impl AsyncFnMut() -> Vec<Complaint>) -> Vec<Complaint> {
    let give_up = Instant::now() + CATCHING_UP;
    loop {
        let complaints = look().await;
        if complaints.is_empty() || Instant::now() > give_up {
            return complaints;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// Tries again and again, at most as long as catching up may take.
async fn until_read<T, E: ToString>(mut look: impl AsyncFnMut() -> Result<T, E>) -> Result<T, String> {
    let give_up = Instant::now() + CATCHING_UP;
    loop {
        match look().await {
            Ok(read) => return Ok(read),
            Err(error) if Instant::now() > give_up => return Err(error.to_string()),
            Err(_) => sleep(Duration::from_millis(500)).await,
        }
    }
}

/// Gathers it, with patience for what follows the log; an error where the log itself cannot be read.
pub(crate) async fn gather(
    cluster: &Cluster,
    receiver: &Receiver,
    told: &HashSet<WorkflowId>,
    known: &Known,
) -> Result<Evidence, String> {
    let log = cluster.log();
    let Read { logs, lost } = until_read(async || read(&log, told, known).await).await?;
    let retention = Retention::new(cluster.operator());
    let stored = until_read(async || times(&retention, &logs).await).await?;
    let letters = until_read(async || cluster.letters().list(None, known.last_letter, LETTERS).await).await?;
    let differences = match cluster.view() {
        Err(error) => vec![Complaint::whole(error)],
        Ok(view) => {
            until_quiet(async || match compare(&log, &view).await {
                Ok(found) => found.iter().map(|one| Complaint::of(one.id, format!("{one:?}"))).collect(),
                Err(error) => vec![Complaint::whole(error.to_string())],
            })
            .await
        }
    };
    let audit_log = AuditLog::new(cluster.operator());
    let mut audit = Ok(Vec::new());
    until_quiet(async || {
        audit = audit_log.read_all().await;
        match &audit {
            Ok(records) => unaudited(&logs, records),
            Err(error) => vec![Complaint::whole(error)],
        }
    })
    .await;
    let mut notified = HashSet::new();
    until_quiet(async || {
        notified = receiver.told();
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
        leftovers: left_behind(cluster).await.into_iter().collect(),
        notified,
        healed: None,
        recovery: None,
        explained: Explained::default(),
        is_gated: cluster.shape.is_gated,
        apis: cluster.shape.apis,
    })
}
