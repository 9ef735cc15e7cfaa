//! The daily budget of a workflow's owner, checked before each step that costs.

use domain::workflow::{Failure, Workflow};
use messaging::{Charges, Entry, WorkflowLog};
use read_model::ReadModel;

/// The maximum cost of a user's workflows of one day (UTC).
pub(crate) struct DailyBudget {
    view: ReadModel,
    charges: Charges,
    limit: f64,
}

impl DailyBudget {
    pub(crate) fn new(view: ReadModel, charges: Charges, limit: f64) -> Self {
        Self { view, charges, limit }
    }

    /// Returns the failure of a workflow whose owner's budget is used up; `None` too if the costs are unavailable.
    ///
    /// The API checks only the costs until submission: it may accept many workflows before the first one costs.
    pub(crate) async fn exceeded(&self, workflow: &Workflow) -> Option<Failure> {
        match self.spent(workflow).await {
            Ok(spent) if spent >= self.limit => Some(Failure::new(
                "budget_exceeded",
                format!("The owner's daily budget ({:.2}) is used up.", self.limit),
                "Submit it again tomorrow (UTC), or have an operator raise budget.per_user_day.",
            )),
            Ok(_) => None,
            Err(reason) => {
                let id = workflow.id;
                tracing::debug!(workflow.id = %id, reason, "Workflow {id}: skipping the daily budget: {reason}");
                None
            }
        }
    }

    async fn spent(&self, workflow: &Workflow) -> Result<f64, String> {
        let (user, day) = (&workflow.owner, workflow.created_at.day());
        let (logged, charged) = tokio::join!(self.view.spent(user, &day), self.charges.of(user, &day));
        Ok(logged.map_err(|error| error.to_string())? + charged.map_err(|error| error.to_string())?)
    }

    /// Charges the cost of a step whose workflow ended without its result, by a cancel or the time limit.
    ///
    /// The cost of a step that is redelivered is that of its last attempt. At most once: a crash here charges nothing.
    pub(crate) async fn charge_unfinished(&self, log: &WorkflowLog, entry: &Entry, cost: f64) {
        if cost <= 0.0 {
            return;
        }
        let workflow = &entry.workflow;
        match log.newest_from_leader(workflow.id).await {
            Ok(Some(newest))
                if newest.workflow.phase.kind().is_terminal()
                    && newest.workflow.metrics.steps_completed == workflow.metrics.steps_completed =>
            {
                self.charge(workflow, cost).await;
            }
            Ok(_) => {}
            Err(error) => log_uncharged(workflow, cost, &error),
        }
    }

    /// Charges a paid call without a result, whose step is retried.
    pub(crate) async fn charge(&self, workflow: &Workflow, cost: f64) {
        if cost > 0.0
            && let Err(error) = self.charges.add(&workflow.owner, &workflow.created_at.day(), cost).await
        {
            log_uncharged(workflow, cost, &error);
        }
    }
}

fn log_uncharged(workflow: &Workflow, cost: f64, error: &dyn std::fmt::Display) {
    let id = workflow.id;
    tracing::warn!(workflow.id = %id, %error, cost, "Workflow {id}: failed to charge {cost:.4} to its owner: {error}");
}
