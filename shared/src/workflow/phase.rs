//! Where a workflow stands. Each phase holds the data that only it needs.

use serde::{Deserialize, Serialize};

use super::artifacts::Content;
use crate::approval::{Actor, Gate};

/// A workflow's place, and with it the queue that its newest message is in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A worker plans the work.
    Plan,
    /// A worker turns the goal into code and tests.
    Generate { feedback: Option<Feedback>, input: Option<NewInput> },
    /// A worker analyses the code.
    Analyze,
    /// A worker that offers the runtime runs the code.
    Execute { runtime: String },
    /// The approver releases, parks, or waits for a human.
    Approve { gate: Gate },
    /// Released. Terminal.
    Done,
    /// Terminal.
    Failed { failure: Failure },
    /// Terminal.
    Cancelled { by: Actor },
}

/// The phase without its data: the second token of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    Plan,
    Generate,
    Analyze,
    Execute,
    Approve,
    Done,
    Failed,
    Cancelled,
}

impl PhaseKind {
    /// Every phase.
    pub const ALL: [Self; 8] = [
        Self::Plan,
        Self::Generate,
        Self::Analyze,
        Self::Execute,
        Self::Approve,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The phase's name, one subject token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Generate => "generate",
            Self::Analyze => "analyze",
            Self::Execute => "execute",
            Self::Approve => "approve",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing can happen any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// What a worker must offer to serve a step: `std`, or a runtime's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane(String);

impl Lane {
    /// The lane of every step without a need of its own.
    pub fn standard() -> Self {
        Self("std".to_owned())
    }

    /// The lane of a runtime. A name that is no plain token travels as `unknown`, which no worker serves.
    pub fn runtime(name: &str) -> Self {
        let plain = !name.is_empty()
            && name.len() <= 32
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        Self(if plain { name } else { "unknown" }.to_owned())
    }

    /// The lane as a subject token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Phase {
    /// The phase without its data.
    pub const fn kind(&self) -> PhaseKind {
        match self {
            Self::Plan => PhaseKind::Plan,
            Self::Generate { .. } => PhaseKind::Generate,
            Self::Analyze => PhaseKind::Analyze,
            Self::Execute { .. } => PhaseKind::Execute,
            Self::Approve { .. } => PhaseKind::Approve,
            Self::Done => PhaseKind::Done,
            Self::Failed { .. } => PhaseKind::Failed,
            Self::Cancelled { .. } => PhaseKind::Cancelled,
        }
    }

    /// Which workers can serve the phase.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Execute { runtime } => Lane::runtime(runtime),
            Self::Plan
            | Self::Generate { .. }
            | Self::Analyze
            | Self::Approve { .. }
            | Self::Done
            | Self::Failed { .. }
            | Self::Cancelled { .. } => Lane::standard(),
        }
    }

    /// The phase as clients see it.
    pub fn status(&self) -> Status {
        match self {
            Self::Plan => Status::Created,
            Self::Generate { .. } | Self::Analyze | Self::Execute { .. } => Status::Running,
            Self::Approve { gate } => {
                if gate.park().is_some() {
                    Status::WaitingApproval
                } else {
                    Status::Running
                }
            }
            Self::Done => Status::Completed,
            Self::Failed { .. } => Status::Failed,
            Self::Cancelled { .. } => Status::Cancelled,
        }
    }
}

/// A workflow's status as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted, not begun. A worker moves it on.
    Created,
    /// A worker or the approver moves it on.
    Running,
    /// A human, a bot or the deadline moves it on.
    WaitingApproval,
    /// Released. Terminal.
    Completed,
    /// Terminal; the error says why.
    Failed,
    /// Terminal.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Created, Self::Running, Self::WaitingApproval, Self::Completed, Self::Failed, Self::Cancelled];

    /// The name as it stands in answers and filters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::WaitingApproval => "waiting_approval",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing can happen any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// Why a workflow failed: a stable code, a sentence, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: String,
    pub message: String,
    pub hint: String,
}

impl Failure {
    /// A failure by its stable code.
    pub fn new(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), hint: hint.into() }
    }

    /// Whether this end lets the artifacts be seen where no human was to be asked: a run that did not pass still tells its tests.
    pub fn shows_artifacts(&self) -> bool {
        matches!(self.code.as_str(), "tests_failed" | "budget_exceeded" | "timeout")
    }
}

/// What the round before taught the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// Names and messages of tests that did not pass.
    pub failed_tests: Vec<(String, String)>,
    pub output_tail: String,
    /// What analysis found, one sentence each.
    pub findings: Vec<String>,
    /// The comment of a human who asked for changes; stays through repairs until the next gate for the result or for input.
    pub comment: Option<String>,
}

/// What a human supplied at a `needs_input` gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewInput {
    Code { content: Content },
    Recipe { name: String },
}
