//! The phases of a workflow. Each phase holds the data that only it needs.

use serde::{Deserialize, Serialize};

use super::artifacts::Content;
use crate::approval::{Actor, Gate};

/// The current phase of a workflow; decides which queue its newest message is in.
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

    /// Returns the phase's name, one subject token.
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

    /// Returns true if no event is legal in this phase.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// The capability that a worker must offer to serve a step: `std`, or a runtime's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane(String);

impl Lane {
    /// The lane of every step that needs no runtime.
    pub fn standard() -> Self {
        Self("std".to_owned())
    }

    /// The lane of a runtime. A name that is not a plain token becomes `unknown`, which no worker serves.
    pub fn runtime(name: &str) -> Self {
        let plain = !name.is_empty()
            && name.len() <= 32
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        Self(if plain { name } else { "unknown" }.to_owned())
    }

    /// Returns the lane as a subject token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Phase {
    /// Returns the phase without its data.
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

    /// Returns the lane of the workers that can serve the phase.
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

    /// Returns the status that clients see.
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
    /// Accepted, not started. A worker advances it.
    Created,
    /// A worker or the approver advances it.
    Running,
    /// A human, a bot or the deadline advances it.
    WaitingApproval,
    /// Released. Terminal.
    Completed,
    /// Terminal; `error` holds the reason.
    Failed,
    /// Terminal.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Created, Self::Running, Self::WaitingApproval, Self::Completed, Self::Failed, Self::Cancelled];

    /// Returns the status's name in responses and filters.
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

    /// Returns true if the workflow has ended.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// The reason of a failed workflow: a stable code, a sentence, and a hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: String,
    pub message: String,
    pub hint: String,
}

impl Failure {
    /// Returns a failure with this stable code.
    pub fn new(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), hint: hint.into() }
    }

    /// Returns true if the artifacts are visible after this failure where no approval was required: the test results of
    /// a run that did not pass are shown.
    pub fn shows_artifacts(&self) -> bool {
        matches!(self.code.as_str(), "tests_failed" | "budget_exceeded" | "timeout")
    }
}

/// Results of the previous round, input of the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// Names and messages of tests that did not pass.
    pub failed_tests: Vec<(String, String)>,
    pub output_tail: String,
    /// Findings of analysis, one sentence each.
    pub findings: Vec<String>,
    /// The comment of a request for changes; kept through repairs until the next release or input gate.
    pub comment: Option<String>,
}

/// Code or a recipe that a human supplied at a `needs_input` gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewInput {
    Code { content: Content },
    Recipe { name: String },
}
