//! Sends the requests of a scenario: by schedule (open model) or by users who wait (closed model).

mod closed;
mod context;
mod open;
mod random;
mod schedule;

use std::sync::Arc;

use tokio::time::{Instant, timeout};

pub(crate) use context::{Arrival, Context};
pub(crate) use random::Random;

use crate::operations::verify_histories;
use crate::scenario::WorkloadModel;

/// Sends everything from `start` on, waits for the ends of accepted workflows, and verifies their histories.
pub(crate) async fn run(context: &Arc<Context>, start: Instant) {
    let length = context.scenario.warm_up + context.scenario.duration;
    match &context.scenario.model {
        WorkloadModel::Open(rates) => open::drive(context, rates, start, length).await,
        WorkloadModel::Closed { classes, spawn_rate } => {
            closed::drive(context, classes, *spawn_rate, start, length).await
        }
    }
    context.tasks.close();
    if timeout(context.scenario.drain, context.tasks.wait()).await.is_err() {
        context.stop.cancel();
        context.tasks.wait().await;
    }
    verify_histories(context).await;
}
