//! What a user's work of today (UTC) has cost, and whether more may begin.

use std::time::Duration;

use actix_web::http::StatusCode;
use shared::clock::Clock;
use shared::config::Budget;
use shared::ids::UserName;
use shared::messaging::{Charges, WorkflowLog};
use shared::read_model::ReadModel;

use crate::budget::tally::SpendingTally;
use crate::http::problem::Problem;
use crate::workflows::singleflight::Singleflight;
use crate::workflows::unavailable::log_unavailable;

/// A submission waits so long for the log to be read; the next one goes on where this one stopped.
const LOG_READ_TIMEOUT: Duration = Duration::from_secs(5);

/// What each user's day has cost, in the log and beside it, or why it cannot be told.
type SpentToday = Singleflight<UserName, Result<(f64, f64), Problem>>;

/// The budgets, and what was spent of them today.
pub(crate) struct DailyBudget {
    pub(crate) settings: Budget,
    log: WorkflowLog,
    view: ReadModel,
    charges: Charges,
    clock: Clock,
    tally: SpendingTally,
    spent_reads: SpentToday,
}

impl DailyBudget {
    pub(crate) fn new(settings: Budget, log: WorkflowLog, view: ReadModel, charges: Charges, clock: Clock) -> Self {
        Self {
            settings,
            log,
            view,
            charges,
            clock,
            tally: SpendingTally::default(),
            spent_reads: SpentToday::default(),
        }
    }

    /// Refuses new work (402) when what the user submitted today has cost as much as a day may.
    pub(crate) async fn require_remaining(&self, user: &UserName) -> Result<(), Problem> {
        let limit = self.settings.per_user_day;
        let read = Box::pin(async { tokio::try_join!(self.spent_today(user), self.charged_today(user)) });
        let (logged, charged) = self.spent_reads.run(user, read).await?;
        let spent = logged + charged;
        if spent < limit {
            return Ok(());
        }
        let detail = format!(
            "Today's budget of {limit:.2} is used up ({spent:.2} spent); it starts anew at midnight UTC. An operator can \
             raise budget.per_user_day."
        );
        Err(Problem::new(StatusCode::PAYMENT_REQUIRED, "over-budget", detail))
    }

    async fn spent_today(&self, user: &UserName) -> Result<f64, Problem> {
        let now = self.clock.now();
        if let Ok(Some(spent)) = self.view.spent_if_complete(user, &now.day()).await {
            return Ok(spent);
        }
        // In a box, because it is large and rarely needed.
        let reading = Box::pin(self.tally.of(user, &self.log, now));
        match tokio::time::timeout(LOG_READ_TIMEOUT, reading).await {
            Ok(spent) => spent.map_err(|error| log_unavailable(&error)),
            Err(_) => {
                let detail = "What today has cost is still being read from the log; try again.";
                Err(Problem::unavailable(detail, Duration::from_secs(1)))
            }
        }
    }

    /// What is not in the log: runs that their workflow ended without.
    async fn charged_today(&self, user: &UserName) -> Result<f64, Problem> {
        self.charges.of(user, &self.clock.now().day()).await.map_err(|error| {
            tracing::warn!(%error, "the charges could not be read");
            Problem::unavailable("What today has cost cannot be read now; try again.", Duration::from_secs(1))
        })
    }
}
