//! What a worker works with.

use std::sync::Arc;

use generator::Generator;
use sandbox::Sandbox;
use shared::clock::Clock;
use shared::messaging::{Blobs, DeadLetters, WorkflowLog};
use shared::workflow::Prices;

use crate::attempts::Attempts;
use crate::cancellation::Cancels;
use crate::daily_budget::DayBudget;
use crate::metrics::Metrics;
use crate::scheduling::fair_slots::{Line, Turns};

/// Everything that a step needs; shared by all steps of the process.
pub(crate) struct Desk {
    pub(crate) log: WorkflowLog,
    pub(crate) blobs: Blobs,
    pub(crate) letters: DeadLetters,
    pub(crate) attempts: Attempts,
    pub(crate) cancels: Cancels,
    pub(crate) turns: Turns,
    pub(crate) line: Line,
    pub(crate) generator: Arc<Generator>,
    /// `None` on a worker that serves no `execute` steps.
    pub(crate) sandbox: Option<Arc<dyn Sandbox>>,
    pub(crate) prices: Prices,
    pub(crate) day: DayBudget,
    pub(crate) metrics: Metrics,
    pub(crate) instance: String,
    pub(crate) clock: Clock,
}
