//! Checks the invariants against the client's history and the log. Pure.

mod audit;
mod client;
mod describe;
mod ends;
mod letters;
mod log;
mod progress;

use std::time::Duration;

use domain::ids::WorkflowId;

use crate::client::history::WorkflowHistory;
use crate::evidence::Evidence;

pub use audit::unaudited;
pub use describe::describe;
pub use letters::exhausted;

/// Maximum time after a fault until work progresses again.
pub const MAX_RECOVERY: Duration = Duration::from_secs(30);

/// The promises of the design that are visible from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    EndsOnce,
    NoStaleCommit,
    NothingUnapproved,
    /// The shown output is the output of the code.
    CorrectContent,
    /// Each response is one that the contract lists.
    CorrectResponses,
    ViewEqualsLog,
    /// One dead letter for each abandoned step, and no other.
    CorrectDeadLetters,
    NoLeftovers,
    Progress,
    AuditComplete,
    Notified,
}

impl Invariant {
    /// Every invariant.
    pub const ALL: [Self; 11] = [
        Self::EndsOnce,
        Self::NoStaleCommit,
        Self::NothingUnapproved,
        Self::CorrectContent,
        Self::CorrectResponses,
        Self::ViewEqualsLog,
        Self::CorrectDeadLetters,
        Self::NoLeftovers,
        Self::Progress,
        Self::AuditComplete,
        Self::Notified,
    ];

    /// Returns the column title of the report, at most 10 characters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EndsOnce => "ends once",
            Self::NoStaleCommit => "no stale",
            Self::NothingUnapproved => "approved",
            Self::CorrectContent => "content",
            Self::CorrectResponses => "responses",
            Self::ViewEqualsLog => "view=log",
            Self::CorrectDeadLetters => "letters",
            Self::NoLeftovers => "leftovers",
            Self::Progress => "progress",
            Self::AuditComplete => "audited",
            Self::Notified => "notified",
        }
    }
}

/// A problem, and its workflow if it concerns one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    pub workflow: Option<WorkflowId>,
    pub what: String,
}

impl Anomaly {
    /// Returns an anomaly about one workflow.
    pub fn of(id: WorkflowId, what: impl Into<String>) -> Self {
        Self { workflow: Some(id), what: what.into() }
    }

    /// Returns an anomaly about the whole round.
    pub fn whole(what: impl Into<String>) -> Self {
        Self { workflow: None, what: what.into() }
    }
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub invariant: Invariant,
    pub workflow: Option<WorkflowId>,
    pub what: String,
}

impl Violation {
    /// Returns whether it is about the recovery of the whole cluster.
    pub fn is_late_recovery(&self) -> bool {
        self.invariant == Invariant::Progress && self.workflow.is_none()
    }
}

/// Returns every violation, those of workflows first.
pub fn check(histories: &[WorkflowHistory], evidence: &Evidence) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut book = |invariant, anomalies: Vec<Anomaly>| {
        let violation = |Anomaly { workflow, what }| Violation { invariant, workflow, what };
        found.extend(anomalies.into_iter().map(violation));
    };
    for (id, log) in &evidence.logs {
        let of = |anomaly: Option<String>| anomaly.map(|what| Anomaly::of(*id, what)).into_iter().collect();
        book(Invariant::EndsOnce, of(log::ends(log)));
        book(Invariant::EndsOnce, of(ends::unexplained(log, evidence)));
        book(Invariant::NoStaleCommit, of(log::continues(log)));
        book(Invariant::NothingUnapproved, of(log::is_approved(log)));
        if evidence.is_gated {
            book(Invariant::NothingUnapproved, of(log::ran_after_approval(log)));
        }
    }
    for history in histories {
        let log = history.id.and_then(|id| evidence.logs.get(&id)).map(Vec::as_slice).unwrap_or_default();
        let of = |anomaly: Option<String>| {
            anomaly.map(|what| Anomaly { workflow: history.id, what }).into_iter().collect::<Vec<_>>()
        };
        book(Invariant::EndsOnce, of(client::was_kept(history, log)));
        book(Invariant::EndsOnce, of(ends::unintended_end(history, log, evidence)));
        book(Invariant::EndsOnce, of(client::was_shown(history, log, evidence.apis)));
        book(Invariant::NothingUnapproved, of(client::was_applied(history, log)));
        book(Invariant::CorrectContent, of(client::has_content(history, log)));
        book(Invariant::CorrectResponses, of(client::was_answered(history)));
        if let Ok(records) = &evidence.audit {
            book(Invariant::AuditComplete, of(audit::was_refused(history, records)));
        }
    }
    book(Invariant::EndsOnce, evidence.lost.clone());
    book(Invariant::ViewEqualsLog, evidence.differences.clone());
    book(Invariant::CorrectDeadLetters, letters::wrong(&evidence.logs, &evidence.letters, evidence.allowed));
    book(Invariant::NoLeftovers, evidence.leftovers.iter().map(Anomaly::whole).collect());
    book(Invariant::Notified, unnotified(&evidence.logs, &evidence.notified));
    book(Invariant::Progress, progress::late(evidence.recovery).into_iter().collect());
    if let Some(healed) = evidence.healed {
        book(Invariant::Progress, progress::stuck(histories, evidence, healed));
    }
    match &evidence.audit {
        Ok(records) => {
            book(Invariant::AuditComplete, unaudited(&evidence.logs, records));
            book(Invariant::AuditComplete, audit::wrong(&evidence.logs, records));
        }
        Err(reason) => book(Invariant::AuditComplete, vec![Anomaly::whole(reason)]),
    }
    found
}

/// Returns ended workflows whose notification was requested and not received.
pub fn unnotified(logs: &Logs, notified: &std::collections::HashSet<WorkflowId>) -> Vec<Anomaly> {
    let ended = logs.iter().filter(|(_, log)| log.last().is_some_and(log::is_end));
    let wanted = ended.filter(|(_, log)| log[0].workflow.submission.options.notification_webhook.is_some());
    wanted
        .filter(|(id, _)| !notified.contains(id))
        .map(|(id, _)| Anomaly::of(*id, "no notification of its end was received"))
        .collect()
}

/// Every transition of each workflow, in the log's order.
pub type Logs = std::collections::BTreeMap<WorkflowId, Vec<messaging::Entry>>;
