//! What a user's work of today (UTC) has cost, and whether more may begin.

use actix_web::http::StatusCode;
use shared::ids::UserName;

use crate::problem::Problem;
use crate::state::State;

/// Refuses new work (402) when what the user submitted today has cost as much as a day may.
pub(crate) async fn within_budget(state: &State, user: &UserName) -> Result<(), Problem> {
    let limit = state.config.budget.per_user_day;
    let spent = spent_today(state, user).await?;
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
    let day = state.clock.now().day();
    if matches!(state.view.is_complete().await, Ok(true))
        && let Ok(spent) = state.view.spent(user, &day).await
    {
        return Ok(spent);
    }
    let all = state.newest.scan().await?;
    let own = all.iter().filter(|stored| stored.workflow.owner == *user && stored.workflow.created_at.day() == day);
    Ok(own.map(|stored| stored.workflow.metrics.total_cost).sum())
}
