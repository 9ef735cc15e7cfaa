//! The owner's budget of the day, looked at before a step that costs.

use shared::messaging::{Charges, Entry, WorkflowLog};
use shared::read_model::ReadModel;
use shared::workflow::{Failure, Workflow};

/// What a user may spend on the workflows of one day (UTC).
pub(crate) struct DayBudget {
    view: ReadModel,
    charges: Charges,
    limit: f64,
}

impl DayBudget {
    pub(crate) fn new(view: ReadModel, charges: Charges, limit: f64) -> Self {
        Self { view, charges, limit }
    }

    /// Why the workflow may cost nothing more, where that is so: the API accepts work by what has been spent, and much of it may
    /// be accepted before the first costs anything.
    ///
    /// With the read model or the charges away the day is not looked at.
    pub(crate) async fn used_up(&self, workflow: &Workflow) -> Option<Failure> {
        match self.spent(workflow).await {
            Ok(spent) if spent >= self.limit => Some(Failure::new(
                "budget_exceeded",
                format!("The owner's budget of the day ({:.2}) is used up.", self.limit),
                "Submit it again tomorrow (UTC), or have an operator raise budget.per_user_day.",
            )),
            Ok(_) => None,
            Err(reason) => {
                tracing::debug!(reason, "the day's budget cannot be looked at");
                None
            }
        }
    }

    async fn spent(&self, workflow: &Workflow) -> Result<f64, String> {
        let (user, day) = (&workflow.owner, workflow.created_at.day());
        let (logged, charged) = tokio::join!(self.view.spent(user, &day), self.charges.of(user, &day));
        Ok(logged.map_err(|error| error.to_string())? + charged.map_err(|error| error.to_string())?)
    }

    /// Charges the owner's day with what a step cost that its workflow ended without, by a cancel or its time limit.
    ///
    /// A step that only comes again costs what it will cost then. At most once: dying here charges nothing.
    pub(crate) async fn charge(&self, log: &WorkflowLog, entry: &Entry, cost: f64) {
        if cost <= 0.0 {
            return;
        }
        let workflow = &entry.workflow;
        let ended_without_it = match log.newest_from_leader(workflow.id).await {
            Ok(newest) => newest.is_some_and(|newest| {
                newest.workflow.phase.kind().is_terminal()
                    && newest.workflow.metrics.steps_completed == workflow.metrics.steps_completed
            }),
            Err(error) => {
                tracing::warn!(workflow.id = %workflow.id, %error, cost, "a cost could not be charged");
                return;
            }
        };
        if ended_without_it
            && let Err(error) = self.charges.add(&workflow.owner, &workflow.created_at.day(), cost).await
        {
            tracing::warn!(workflow.id = %workflow.id, %error, cost, "a cost could not be charged");
        }
    }

    /// Charges the owner's day with a call that was paid for and led to nothing, where the step comes again without it.
    pub(crate) async fn charge_call(&self, workflow: &Workflow, cost: f64) {
        if cost > 0.0
            && let Err(error) = self.charges.add(&workflow.owner, &workflow.created_at.day(), cost).await
        {
            tracing::warn!(workflow.id = %workflow.id, %error, cost, "a cost could not be charged");
        }
    }
}
