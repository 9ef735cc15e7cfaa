//! Events of a workflow. Names are past tense; each event is one append to the log.

use serde::{Deserialize, Serialize};

use super::Workflow;
use super::artifacts::{Artifacts, Content, Ran, TestSummary};
use super::metrics::StepUsage;
use super::phase::{Failure, Feedback, PhaseKind};
use crate::Timestamp;
use crate::approval::{Actor, Decision, OnExpiry, Park};
use crate::ids::{EventId, UserName};

/// The verdict on a finished run: release, repair or fail.
#[derive(Debug, Clone, PartialEq)]
pub enum TestVerdict {
    /// The result is sufficient; continue to release.
    Passed,
    /// Another round with this feedback may pass.
    Repairable(Feedback),
    /// The run did not pass, and another round would yield the same.
    Unrepairable,
}

/// An event of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A worker planned the work.
    Planned { usage: StepUsage },
    /// A worker produced files. Only the code fields of `artifacts` are used.
    Generated { artifacts: Box<Artifacts>, usage: StepUsage },
    /// No generator can serve the goal. The workflow fails with `failure` unless a human may be asked, who may name one
    /// of the recipes.
    NoGenerator { failure: Failure, recipes: Vec<String>, usage: StepUsage },
    /// A worker analysed the files.
    Analyzed { report: Content, issues: u32, usage: StepUsage },
    /// A worker ran the files.
    Executed { results: Content, tests: TestSummary, ran: Box<Ran>, rerun: TestVerdict, usage: StepUsage },
    /// A step cannot succeed, or an operator's rule forbids continuing.
    StepFailed { failure: Failure, cost: f64 },
    /// The approver found that policy requires no human.
    GateReleased { reason: String },
    /// The approver opened a question to humans.
    Parked { park: Park },
    /// An entitled user decided. `lapsed` names earlier voters who lost that right: their votes do not count.
    Decided { decision: Decision, lapsed: Vec<UserName> },
    /// The park's deadline passed; `Park::on_expiry` decides the result.
    Expired,
    /// The time limit passed.
    TimedOut,
    /// An entitled user cancelled.
    Cancelled { by: Actor },
}

/// An event without its data, as in history and event streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    Submitted,
    Planned,
    Generated,
    NoGenerator,
    Analyzed,
    Executed,
    StepFailed,
    GateReleased,
    Parked,
    Decided,
    Expired,
    TimedOut,
    Cancelled,
    /// An operator redrove a step from the dead letters.
    Retried,
}

impl EventKind {
    /// Returns the kind's name in streams and audit records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Planned => "planned",
            Self::Generated => "generated",
            Self::NoGenerator => "no_generator",
            Self::Analyzed => "analyzed",
            Self::Executed => "executed",
            Self::StepFailed => "step_failed",
            Self::GateReleased => "gate_released",
            Self::Parked => "parked",
            Self::Decided => "decided",
            Self::Expired => "expired",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Retried => "retried",
        }
    }
}

impl Event {
    /// Returns the event without its data.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Planned { .. } => EventKind::Planned,
            Self::Generated { .. } => EventKind::Generated,
            Self::NoGenerator { .. } => EventKind::NoGenerator,
            Self::Analyzed { .. } => EventKind::Analyzed,
            Self::Executed { .. } => EventKind::Executed,
            Self::StepFailed { .. } => EventKind::StepFailed,
            Self::GateReleased { .. } => EventKind::GateReleased,
            Self::Parked { .. } => EventKind::Parked,
            Self::Decided { .. } => EventKind::Decided,
            Self::Expired => EventKind::Expired,
            Self::TimedOut => EventKind::TimedOut,
            Self::Cancelled { .. } => EventKind::Cancelled,
        }
    }

    /// Returns a failure without cost.
    pub const fn failed(failure: Failure) -> Self {
        Self::StepFailed { failure, cost: 0.0 }
    }

    /// Returns the detail for the event's history record, without submitted text. `workflow` is the state before it.
    pub fn detail(&self, workflow: &Workflow) -> Option<String> {
        match self {
            Self::StepFailed { failure, .. } | Self::NoGenerator { failure, .. } => Some(failure.code.clone()),
            Self::Generated { artifacts, .. } => artifacts.origin.clone(),
            Self::Executed { tests, ran, .. } => {
                let artifacts = Artifacts { tests: *tests, run_end: ran.end, ..workflow.artifacts.clone() };
                Some(artifacts.evidence())
            }
            Self::GateReleased { reason } => Some(reason.clone()),
            Self::Parked { park } => Some(format!("{} at risk {}", park.approval_type.as_str(), park.risk.as_str())),
            Self::Decided { decision, lapsed } => Some(decision_detail(decision, lapsed)),
            Self::Expired => workflow.park().map(|park| match park.on_expiry {
                OnExpiry::Release => "released".to_owned(),
                OnExpiry::Fail => "failed".to_owned(),
            }),
            Self::Planned { .. } | Self::Analyzed { .. } | Self::TimedOut | Self::Cancelled { .. } => None,
        }
    }

    /// Returns the cost of the step that this event ends.
    pub fn cost(&self) -> f64 {
        if let Self::StepFailed { cost, .. } = self { *cost } else { self.usage().map_or(0.0, |usage| usage.cost) }
    }

    /// Returns the usage of the step that this event ends.
    pub const fn usage(&self) -> Option<&StepUsage> {
        match self {
            Self::Planned { usage }
            | Self::Generated { usage, .. }
            | Self::NoGenerator { usage, .. }
            | Self::Analyzed { usage, .. }
            | Self::Executed { usage, .. } => Some(usage),
            Self::StepFailed { .. }
            | Self::GateReleased { .. }
            | Self::Parked { .. }
            | Self::Decided { .. }
            | Self::Expired
            | Self::TimedOut
            | Self::Cancelled { .. } => None,
        }
    }
}

fn decision_detail(decision: &Decision, lapsed: &[UserName]) -> String {
    let mut detail = decision.verdict.as_str().to_owned();
    if let Some(claim) = &decision.on_behalf_of {
        detail.push_str(&format!(", on behalf of {claim}"));
    }
    if !lapsed.is_empty() {
        let names: Vec<&str> = lapsed.iter().map(UserName::as_str).collect();
        detail.push_str(&format!("; no longer counted: {}", names.join(", ")));
    }
    detail
}

/// The newest event, beside the state in every message of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    pub event_id: EventId,
    pub kind: EventKind,
    pub actor: Actor,
    pub at: Timestamp,
    /// A sentence without submitted text.
    pub detail: Option<String>,
}

impl EventRecord {
    /// Returns a record with a new event id.
    pub fn new(kind: EventKind, actor: Actor, at: Timestamp, detail: Option<String>) -> Self {
        Self { event_id: EventId::fresh(), kind, actor, at, detail }
    }

    /// Returns true if only the approver can cause this event: the results of gates and timers, and a failure that the
    /// approver found.
    pub fn is_judged(&self) -> bool {
        match self.kind {
            EventKind::Parked
            | EventKind::GateReleased
            | EventKind::Decided
            | EventKind::Expired
            | EventKind::TimedOut => true,
            EventKind::Submitted
            | EventKind::Planned
            | EventKind::Generated
            | EventKind::NoGenerator
            | EventKind::Analyzed
            | EventKind::Executed
            | EventKind::StepFailed
            | EventKind::Retried
            | EventKind::Cancelled => self.actor == Actor::approver(),
        }
    }

    /// Returns true if this event can lead to the state of `workflow`: users cause submissions, decisions and cancels,
    /// services cause steps.
    pub fn befits(&self, workflow: &Workflow) -> bool {
        let phase = workflow.phase.kind();
        match self.kind {
            EventKind::Submitted => phase == PhaseKind::Plan,
            EventKind::Cancelled => phase == PhaseKind::Cancelled,
            EventKind::Decided => true,
            EventKind::Planned
            | EventKind::Generated
            | EventKind::NoGenerator
            | EventKind::Analyzed
            | EventKind::Executed
            | EventKind::StepFailed
            | EventKind::GateReleased
            | EventKind::Parked
            | EventKind::Expired
            | EventKind::TimedOut
            | EventKind::Retried => matches!(self.actor, Actor::Service(_)),
        }
    }
}
