//! Interactive analyses: a caller waits on the other side.

use std::sync::Arc;

use shared::messaging::{AnalysisAnswer, Broker, Cause, Delivery, Queue, RawMessage, answer_analysis};

use crate::analyzer::analyze;
use crate::context::Desk;

/// What was handed out so often and is here again has ended its workers, or kept them from everything else.
const ATTEMPTS: u64 = 2;

/// Analyses, answers the caller, and settles the delivery.
pub(crate) async fn handle_analysis(desk: Arc<Desk>, broker: Broker, queue: Queue, delivery: Delivery<RawMessage>) {
    if delivery.delivered() > ATTEMPTS {
        tracing::error!("an analysis was begun {ATTEMPTS} times and never ended");
        delivery.dead_letter(&desk.letters, Cause::Exhausted, "it was begun again and again and never ended").await;
        return;
    }
    let worker = desk.instance.clone();
    let answered =
        answer_analysis(&broker, delivery.body(), desk.clock.now(), async move |task| match analyze(task).await {
            Ok((report, cpu)) => {
                let cpu_ms = u64::try_from(cpu.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
                Some(AnalysisAnswer { report, worker, cpu_ms })
            }
            Err(error) => {
                tracing::error!(%error, "an analysis failed; its caller is told that nobody answered");
                None
            }
        })
        .await;
    match answered {
        Ok(()) => {
            delivery.ack().await;
        }
        Err(error) => queue.settle_unreadable(delivery, &error).await,
    }
}
