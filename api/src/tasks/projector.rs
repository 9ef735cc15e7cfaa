//! Writes every transition into the read model, and rebuilds the model if it is incomplete.

use std::time::Duration;

use actix_web::web;
use messaging::{Broker, Consumer, Delivery, Entry, Queue, Settlement, consume};
use read_model::rebuild;
use service::lifecycle::Lifecycle;

use crate::metrics;
use crate::workflows::state::Workflows;

/// Maximum concurrent writes to Redis.
const MAX_CONCURRENT_WRITES: usize = 64;
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// Interval of completeness checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Projects transitions until stopped.
pub(crate) async fn run_projector(workflows: web::Data<Workflows>, broker: Broker, lifecycle: Lifecycle) {
    let queue = Queue::new(&broker, Consumer::Projector);
    let reader = queue.clone();
    consume(queue, MAX_CONCURRENT_WRITES, lifecycle, move |delivery| {
        let (workflows, reader) = (workflows.clone(), reader.clone());
        async move {
            if let Some(delivery) = reader.read_entry(delivery).await {
                project(&workflows, delivery).await;
            }
        }
    })
    .await;
}

async fn project(workflows: &Workflows, delivery: Delivery<Entry>) -> Settlement {
    let entry = delivery.body();
    match workflows.reader.project(entry.sequence, &entry.workflow).await {
        Ok(()) => {
            metrics::PROJECTED.inc();
            delivery.ack().await
        }
        Err(error) => {
            tracing::debug!(%error, workflow.id = %entry.workflow.id, "Read model unavailable; retrying");
            delivery.retry_after(RETRY_DELAY).await
        }
    }
}

/// Rebuilds the view whenever it is incomplete, until stopped. Concurrent rebuilds are safe: writes compare sequences.
pub(crate) async fn run_rebuilds(workflows: web::Data<Workflows>, broker: Broker, lifecycle: Lifecycle) {
    let stopping = lifecycle.stopping();
    let projector = Queue::new(&broker, Consumer::Projector);
    while !stopping.is_cancelled() {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = rebuild_if_incomplete(&workflows, &projector) => {}
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(CHECK_INTERVAL) => {}
        }
    }
}

async fn rebuild_if_incomplete(workflows: &Workflows, projector: &Queue) {
    let is_complete = workflows.view.is_complete().await;
    workflows.reader.check_projection_lag(matches!(is_complete, Ok(true)), projector).await;
    if !matches!(is_complete, Ok(false)) {
        return;
    }
    match rebuild(&workflows.log, &workflows.view).await {
        Ok(transitions) => tracing::info!(transitions, "Rebuilt the read model from {transitions} transitions"),
        Err(error) => tracing::warn!(%error, "Failed to rebuild the read model; retrying"),
    }
}
