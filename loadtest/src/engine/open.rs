//! The open model: arrivals by schedule, however slow the responses are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::context::{Arrival, Context};
use super::schedule::Schedule;
use crate::client::RequestFailure;
use crate::operations::perform;
use crate::scenario::Series;

/// Plans every arrival from `start` on for `length`; returns after the last one was due.
pub(crate) async fn drive(context: &Arc<Context>, rates: &BTreeMap<Series, f64>, start: Instant, length: Duration) {
    let mut arrivals = JoinSet::new();
    for (index, (operation, rate)) in rates.iter().enumerate() {
        let phase = (index as f64 + 0.5) / rates.len() as f64;
        arrivals.spawn(arrive(context.clone(), *operation, Schedule::new(*rate, length, phase), start));
    }
    arrivals.join_all().await;
}

async fn arrive(context: Arc<Context>, operation: Series, schedule: Schedule, start: Instant) {
    for (number, offset) in (0..).map_while(|number| Some((number, schedule.offset(number)?))) {
        let arrival = Arrival { operation, planned: start + offset, number };
        sleep_until(arrival.planned).await;
        let task_context = context.clone();
        context.spawn(async move {
            match slot(&task_context, arrival.planned).await {
                Ok(slot) => {
                    task_context.recorder.record_delay(arrival.planned);
                    perform(task_context, arrival, Some(slot)).await;
                }
                Err(failure) => task_context.recorder.record(operation, arrival.planned, &Err(failure)),
            }
        });
    }
}

/// Waits for a connection slot until `max_delay` after the planned instant.
async fn slot(context: &Context, planned: Instant) -> Result<OwnedSemaphorePermit, RequestFailure> {
    let deadline = planned + context.scenario.max_delay;
    match timeout_at(deadline, context.slots.clone().acquire_owned()).await {
        // A late generator finds a free slot, too.
        Ok(Ok(slot)) if Instant::now() <= deadline => Ok(slot),
        Ok(_) | Err(_) => Err(RequestFailure::Late),
    }
}
