//! Dependencies of the steps. The dependencies of running them (log, attempts, leases) are in
//! [`StepRunner`](crate::steps::StepRunner).

use std::sync::Arc;

use domain::workflow::Prices;
use generator::Generator;
use messaging::{Blobs, LiveOutputChannel};
use sandbox::Sandbox;
use service::clock::Clock;

use crate::daily_budget::DailyBudget;

/// Dependencies shared by all steps of the process.
pub(crate) struct WorkerContext {
    pub(crate) blobs: Blobs,
    pub(crate) live_output: LiveOutputChannel,
    pub(crate) generator: Arc<Generator>,
    /// `None` on a worker that does not serve `execute` steps.
    pub(crate) sandbox: Option<Arc<dyn Sandbox>>,
    pub(crate) prices: Prices,
    pub(crate) daily_budget: DailyBudget,
    pub(crate) instance: String,
    pub(crate) clock: Clock,
}
