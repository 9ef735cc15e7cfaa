//! The names of everything that is measured: operations that arrive by a schedule, and requests that follow them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A measured kind of request, or of wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Series {
    /// `POST /api/v3/analyze` with a sample of the normal user.
    Analyze,
    /// `POST /api/v3/analyze` of the stress user.
    Stress,
    /// `POST /api/v3/execute` with a goal and no code.
    Execute,
    /// `POST /api/v3/execute` with a script that runs in the sandbox.
    Run,
    /// `POST /api/v3/execute` of a script whose result waits for an approval.
    Approval,
    /// `POST /api/v3/execute` of a script whose event stream is read to its end.
    Events,
    /// `GET /health`.
    Health,
    /// `GET /api/v3/execute/status/{id}` while a workflow runs.
    Status,
    /// `POST /api/v3/execute/approve/{id}` with the digest of what is parked.
    Decide,
    /// The wait from the request for an event stream to its first event.
    FirstEvent,
    /// The wait from the planned submission to the observed end of the workflow.
    Workflow,
    /// `POST /auth/token`.
    SignIn,
}

impl Series {
    pub const ALL: [Self; 12] = [
        Self::Analyze,
        Self::Stress,
        Self::Execute,
        Self::Run,
        Self::Approval,
        Self::Events,
        Self::Health,
        Self::Status,
        Self::Decide,
        Self::FirstEvent,
        Self::Workflow,
        Self::SignIn,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Analyze => "analyze",
            Self::Stress => "stress",
            Self::Execute => "execute",
            Self::Run => "run",
            Self::Approval => "approval",
            Self::Events => "events",
            Self::Health => "health",
            Self::Status => "status",
            Self::Decide => "decide",
            Self::FirstEvent => "first_event",
            Self::Workflow => "workflow",
            Self::SignIn => "sign_in",
        }
    }

    /// Returns whether a scenario can schedule it.
    pub const fn is_operation(self) -> bool {
        matches!(
            self,
            Self::Analyze | Self::Stress | Self::Execute | Self::Run | Self::Approval | Self::Events | Self::Health
        )
    }

    /// Returns the series that are measured because of this operation, without itself.
    pub const fn followers(self) -> &'static [Self] {
        match self {
            Self::Execute | Self::Run => &[Self::Status, Self::Workflow],
            Self::Approval => &[Self::Status, Self::Decide, Self::Workflow],
            Self::Events => &[Self::FirstEvent, Self::Workflow],
            Self::Analyze
            | Self::Stress
            | Self::Health
            | Self::Status
            | Self::Decide
            | Self::FirstEvent
            | Self::Workflow
            | Self::SignIn => &[],
        }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Series {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|series| series.as_str() == text).ok_or(())
    }
}
