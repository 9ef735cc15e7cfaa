//! Outcomes of steps.

use std::time::Duration;

use domain::workflow::{Event, Failure};
use messaging::BlobError;

/// The outcome of a step.
#[derive(Debug)]
pub(super) enum StepOutcome {
    /// The step finished with this event.
    Event(Event),
    /// A dependency is unavailable. The attempt does not count.
    RetryLater(String),
    /// A dependency asked for a delay.
    RetryAfter {
        reason: String,
        delay: Duration,
        /// True if the attempt counts.
        counts: bool,
    },
    /// The step failed and may succeed later. The attempt counts.
    Failed(String),
    /// The step was cancelled, at this cost. If generation is cancelled, only the prompt tokens are known and charged.
    Cancelled { cost: f64 },
}

impl StepOutcome {
    /// Returns the failure's code for a trace, without text of a submission; `None` if the step succeeded or was
    /// cancelled.
    pub(super) fn failure_code(&self) -> Option<&str> {
        match self {
            Self::Event(Event::StepFailed { failure, .. } | Event::NoGenerator { failure, .. }) => Some(&failure.code),
            Self::RetryLater(_) | Self::RetryAfter { .. } => Some("unavailable"),
            Self::Failed(_) => Some("attempt_failed"),
            Self::Event(_) | Self::Cancelled { .. } => None,
        }
    }
}

impl From<BlobError> for StepOutcome {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Unavailable(_) => Self::RetryLater(error.to_string()),
            BlobError::TooLarge { .. } => {
                let hint = "Submit less code, or code with less output.";
                Self::Event(Event::failed(Failure::new("content_too_large", error.to_string(), hint)))
            }
            BlobError::Missing(_) | BlobError::Damaged(_) => Self::Failed(error.to_string()),
        }
    }
}
