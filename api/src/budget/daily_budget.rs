//! What a user's work of today (UTC) has cost, and whether more may begin.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use actix_web::http::StatusCode;
use futures_util::StreamExt;
use shared::clock::Timestamp;
use shared::ids::{UserName, WorkflowId};
use shared::messaging::{ReadError, Start, WorkflowLog};
use shared::workflow::Workflow;
use tokio::time::Instant;

use crate::app_state::State;
use crate::http::problem::Problem;
use crate::workflows::reader::log_away;
use crate::workflows::singleflight::Readings;

/// The broker's clock may be this far behind ours.
const SLACK: Duration = Duration::from_secs(60);
/// A submission waits so long for the log to be read; the next one goes on where this one stopped.
const PATIENCE: Duration = Duration::from_secs(5);

/// Refuses new work (402) when what the user submitted today has cost as much as a day may.
pub(crate) async fn within_budget(state: &State, user: &UserName) -> Result<(), Problem> {
    let limit = state.config.budget.per_user_day;
    let read = Box::pin(async { tokio::try_join!(spent_today(state, user), charged_today(state, user)) });
    let (logged, charged) = state.days.no_older(user, read).await?;
    let spent = logged + charged;
    if spent < limit {
        return Ok(());
    }
    let detail = format!(
        "Today's budget of {limit:.2} is used up ({spent:.2} spent); it starts anew at midnight UTC. An operator can raise \
         budget.per_user_day."
    );
    Err(Problem::new(StatusCode::PAYMENT_REQUIRED, "over-budget", detail))
}

async fn spent_today(state: &State, user: &UserName) -> Result<f64, Problem> {
    let now = state.clock.now();
    if let Ok(Some(spent)) = state.view.spent_if_complete(user, &now.day()).await {
        return Ok(spent);
    }
    // In a box, because it is large and rarely needed.
    let reading = Box::pin(state.spending.of(user, &state.log, now));
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(spent) => spent.map_err(|error| log_away(&error)),
        Err(_) => {
            let detail = "What today has cost is still being read from the log; try again.";
            Err(Problem::unavailable(detail, Duration::from_secs(1)))
        }
    }
}

/// What is not in the log: runs that their workflow ended without.
async fn charged_today(state: &State, user: &UserName) -> Result<f64, Problem> {
    state.charges.of(user, &state.clock.now().day()).await.map_err(|error| {
        tracing::warn!(%error, "the charges could not be read");
        Problem::unavailable("What today has cost cannot be read now; try again.", Duration::from_secs(1))
    })
}

/// What each user's day has cost, in the log and beside it, or why it cannot be told.
pub(crate) type Days = Readings<UserName, Result<(f64, f64), Problem>>;

/// What today's workflows have cost by the log, read as far as it went when somebody asked last.
#[derive(Debug, Default)]
pub(crate) struct Spending(tokio::sync::Mutex<Sums>);

#[derive(Debug, Default)]
struct Sums {
    day: String,
    /// The sequence behind the last one that was read; 0 before the first.
    next: u64,
    /// When the last reading that came to its end began.
    read_at: Option<Instant>,
    workflows: HashMap<WorkflowId, f64>,
    users: HashMap<UserName, f64>,
}

impl Spending {
    /// What the user's workflows of the day have cost, no older than the call; one reading serves all who wait for one.
    ///
    /// Cancel safe: what was read stays read.
    async fn of(&self, user: &UserName, log: &WorkflowLog, now: Timestamp) -> Result<f64, ReadError> {
        let asked = Instant::now();
        let mut sums = self.0.lock().await;
        if sums.day != now.day() {
            *sums = Sums { day: now.day(), ..Sums::default() };
        }
        if sums.read_at.is_none_or(|began| began < asked) {
            let began = Instant::now();
            sums.read_on(log, now).await?;
            sums.read_at = Some(began);
        }
        Ok(sums.users.get(user).copied().unwrap_or(0.0))
    }
}

impl Sums {
    async fn read_on(&mut self, log: &WorkflowLog, now: Timestamp) -> Result<(), ReadError> {
        let start =
            if self.next == 0 { Start::Time(now.day_began().before(SLACK)) } else { Start::Sequence(self.next) };
        let mut entries = pin!(log.read_from(start).await?);
        while let Some(entry) = entries.next().await {
            match entry {
                Ok(entry) => {
                    self.next = entry.sequence + 1;
                    self.book(&entry.workflow);
                }
                Err(ReadError::Decode(error)) => tracing::warn!(%error, "a transition was skipped"),
                Err(error @ ReadError::Unavailable(_)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Books what a later state of a workflow has cost more than the one before.
    fn book(&mut self, workflow: &Workflow) {
        if workflow.created_at.day() != self.day {
            return;
        }
        let cost = workflow.metrics.total_cost;
        let before = self.workflows.insert(workflow.id, cost).unwrap_or(0.0);
        *self.users.entry(workflow.owner.clone()).or_insert(0.0) += cost - before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::{submitted, tested};

    #[test]
    fn each_workflow_of_the_day_counts_once_with_what_it_cost_last() {
        let workflow = tested("ann");
        let mut sums = Sums { day: workflow.created_at.day(), ..Sums::default() };
        sums.book(&Workflow { metrics: submitted("ann").metrics, ..workflow.clone() });
        sums.book(&workflow);
        sums.book(&workflow);
        let mut yesterdays = Workflow { id: WorkflowId::fresh(), ..workflow.clone() };
        yesterdays.created_at = workflow.created_at.day_began().before(Duration::from_millis(1));
        sums.book(&yesterdays);
        assert!(workflow.metrics.total_cost > 0.0);
        assert_eq!(sums.users, HashMap::from([(workflow.owner.clone(), workflow.metrics.total_cost)]));
    }
}
