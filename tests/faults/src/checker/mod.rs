//! Decides from the client's history and the log whether the invariants held. Pure.

mod audit;
mod client;
mod ends;
mod letters;
mod log;
mod progress;
mod tell;

use std::time::Duration;

use shared::ids::WorkflowId;

use crate::evidence::Evidence;
use crate::history::Story;

pub use audit::unaudited;
pub use letters::exhausted;
pub use tell::tell;

/// Progress must resume so soon after a fault's end.
pub const RECOVERY: Duration = Duration::from_secs(30);

/// What the design promises, as far as it shows from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    EndsOnce,
    NoStaleCommit,
    NothingUnapproved,
    /// What it printed is what is shown.
    RightContent,
    /// The client was answered as the interface says.
    RightAnswers,
    ViewEqualsLog,
    /// A letter for each step that was given up, and no other.
    RightLetters,
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
        Self::RightContent,
        Self::RightAnswers,
        Self::ViewEqualsLog,
        Self::RightLetters,
        Self::NoLeftovers,
        Self::Progress,
        Self::AuditComplete,
        Self::Notified,
    ];

    /// A few words for a table's head.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EndsOnce => "ends once",
            Self::NoStaleCommit => "no stale",
            Self::NothingUnapproved => "approved",
            Self::RightContent => "content",
            Self::RightAnswers => "answers",
            Self::ViewEqualsLog => "view=log",
            Self::RightLetters => "letters",
            Self::NoLeftovers => "no litter",
            Self::Progress => "progress",
            Self::AuditComplete => "audited",
            Self::Notified => "notified",
        }
    }
}

/// What is wrong, and with which workflow where it is one's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    pub workflow: Option<WorkflowId>,
    pub what: String,
}

impl Complaint {
    /// About one workflow.
    pub fn of(id: WorkflowId, what: impl Into<String>) -> Self {
        Self { workflow: Some(id), what: what.into() }
    }

    /// About no workflow in particular.
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

/// Every violation, the workflows' own first.
pub fn check(stories: &[Story], evidence: &Evidence) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut book = |invariant, complaints: Vec<Complaint>| {
        let violation = |Complaint { workflow, what }| Violation { invariant, workflow, what };
        found.extend(complaints.into_iter().map(violation));
    };
    for (id, log) in &evidence.logs {
        let of = |complaint: Option<String>| complaint.map(|what| Complaint::of(*id, what)).into_iter().collect();
        book(Invariant::EndsOnce, of(log::ends(log)));
        book(Invariant::EndsOnce, of(ends::unexplained(log, evidence)));
        book(Invariant::NoStaleCommit, of(log::goes_on(log)));
        book(Invariant::NothingUnapproved, of(log::is_approved(log)));
        if evidence.is_gated {
            book(Invariant::NothingUnapproved, of(log::ran_with_leave(log)));
        }
    }
    for story in stories {
        let log = story.id.and_then(|id| evidence.logs.get(&id)).map(Vec::as_slice).unwrap_or_default();
        let of = |complaint: Option<String>| {
            complaint.map(|what| Complaint { workflow: story.id, what }).into_iter().collect::<Vec<_>>()
        };
        book(Invariant::EndsOnce, of(client::was_kept(story, log)));
        book(Invariant::EndsOnce, of(ends::unwished(story, log, evidence)));
        book(Invariant::EndsOnce, of(client::was_shown(story, log, evidence.apis)));
        book(Invariant::NothingUnapproved, of(client::was_obeyed(story, log)));
        book(Invariant::RightContent, of(client::has_content(story, log)));
        book(Invariant::RightAnswers, of(client::was_answered(story)));
        if let Ok(records) = &evidence.audit {
            book(Invariant::AuditComplete, of(audit::was_refused(story, records)));
        }
    }
    book(Invariant::EndsOnce, evidence.lost.clone());
    book(Invariant::ViewEqualsLog, evidence.differences.clone());
    book(Invariant::RightLetters, letters::wrong(&evidence.logs, &evidence.letters, evidence.explained));
    book(Invariant::NoLeftovers, evidence.leftovers.iter().map(Complaint::whole).collect());
    book(Invariant::Notified, unnotified(&evidence.logs, &evidence.notified));
    book(Invariant::Progress, progress::late(evidence.recovery).into_iter().collect());
    if let Some(healed) = evidence.healed {
        book(Invariant::Progress, progress::stuck(stories, evidence, healed));
    }
    match &evidence.audit {
        Ok(records) => {
            book(Invariant::AuditComplete, unaudited(&evidence.logs, records));
            book(Invariant::AuditComplete, audit::wrong(&evidence.logs, records));
        }
        Err(reason) => book(Invariant::AuditComplete, vec![Complaint::whole(reason)]),
    }
    found
}

/// Ended workflows whose caller wanted to hear of it and did not.
pub fn unnotified(logs: &Logs, notified: &std::collections::HashSet<WorkflowId>) -> Vec<Complaint> {
    let ended = logs.iter().filter(|(_, log)| log.last().is_some_and(log::is_end));
    let wanted = ended.filter(|(_, log)| log[0].workflow.submission.options.notification_webhook.is_some());
    wanted
        .filter(|(id, _)| !notified.contains(id))
        .map(|(id, _)| Complaint::of(*id, "nobody was told of its end"))
        .collect()
}

/// Every transition of each workflow, in the log's order.
pub type Logs = std::collections::BTreeMap<WorkflowId, Vec<shared::messaging::Entry>>;
