//! The owner's budget of the day, looked at before a step that costs.

use shared::read_model::ReadModel;
use shared::workflow::{Failure, Workflow};

/// What a user may spend on the workflows of one day (UTC).
pub(crate) struct DayBudget {
    view: ReadModel,
    limit: f64,
}

impl DayBudget {
    pub(crate) fn new(view: ReadModel, limit: f64) -> Self {
        Self { view, limit }
    }

    /// Why the workflow may cost nothing more, where that is so: the API accepts work by what has been spent, and much of it may
    /// be accepted before the first costs anything.
    ///
    /// With the read model away the day is not looked at.
    pub(crate) async fn used_up(&self, workflow: &Workflow) -> Option<Failure> {
        match self.view.spent(&workflow.owner, &workflow.created_at.day()).await {
            Ok(spent) if spent >= self.limit => Some(Failure::new(
                "budget_exceeded",
                format!("The owner's budget of the day ({:.2}) is used up.", self.limit),
                "Submit it again tomorrow (UTC), or have an operator raise budget.per_user_day.",
            )),
            Ok(_) => None,
            Err(error) => {
                tracing::debug!(%error, "the day's budget cannot be looked at");
                None
            }
        }
    }
}
