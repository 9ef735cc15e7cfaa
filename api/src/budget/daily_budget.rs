//! The daily budget of each user (UTC days).

use std::time::Duration;

use actix_web::http::StatusCode;
use domain::ids::UserName;
use messaging::{FollowedCharges, WorkflowLog};
use read_model::ReadModel;
use service::clock::Clock;
use service::config::Budget;

use crate::budget::tally::SpendingTally;
use crate::http::problem::Problem;
use crate::workflows::singleflight::Singleflight;
use crate::workflows::unavailable::log_unavailable;

/// Maximum wait of a submission for the log to be read; the next submission continues from there.
const LOG_READ_TIMEOUT: Duration = Duration::from_secs(5);

/// Concurrent reads of the day's cost in the log, by user.
type SpentToday = Singleflight<UserName, Result<f64, Problem>>;

/// The budget settings and the sources of the day's cost.
pub(crate) struct DailyBudget {
    pub(crate) settings: Budget,
    log: WorkflowLog,
    view: ReadModel,
    charges: FollowedCharges,
    clock: Clock,
    tally: SpendingTally,
    spent_reads: SpentToday,
}

impl DailyBudget {
    pub(crate) fn new(
        settings: Budget,
        log: WorkflowLog,
        view: ReadModel,
        charges: FollowedCharges,
        clock: Clock,
    ) -> Self {
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

    /// Returns a 402 problem if the user's workflows of today have used up the daily budget.
    pub(crate) async fn require_remaining(&self, user: &UserName) -> Result<(), Problem> {
        let limit = self.settings.per_user_day;
        let logged = self.spent_reads.run(user, Box::pin(self.spent_today(user))).await?;
        let spent = logged + self.charged_today(user).await?;
        if spent < limit {
            return Ok(());
        }
        let detail = format!(
            "Today's budget of {limit:.2} is used up ({spent:.2} spent); it resets at midnight UTC. An operator \
             can raise budget.per_user_day."
        );
        Err(Problem::new(StatusCode::PAYMENT_REQUIRED, "over-budget", detail))
    }

    async fn spent_today(&self, user: &UserName) -> Result<f64, Problem> {
        let now = self.clock.now();
        if let Ok(Some(spent)) = self.view.spent_if_complete(user, &now.day()).await {
            return Ok(spent);
        }
        // Boxed to keep the common future small.
        let reading = Box::pin(self.tally.of(user, &self.log, now));
        match tokio::time::timeout(LOG_READ_TIMEOUT, reading).await {
            Ok(spent) => spent.map_err(|error| log_unavailable(&error)),
            Err(_) => {
                let detail = "Today's cost is still being read from the log; try again.";
                Err(Problem::unavailable(detail, Duration::from_secs(1)))
            }
        }
    }
    /// Returns the cost outside the log: runs whose workflow ended without their result.
    async fn charged_today(&self, user: &UserName) -> Result<f64, Problem> {
        self.charges.of(user, &self.clock.now().day()).await.map_err(|error| {
            tracing::warn!(%error, "Failed to read charges");
            Problem::unavailable("Today's cost cannot be read right now; try again.", Duration::from_secs(1))
        })
    }
}
