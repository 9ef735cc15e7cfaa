//! Interactive analyses: a caller waits on the other side.

use std::sync::Arc;

use shared::messaging::{AnalysisAnswer, Broker, Delivery, Queue, RawMessage, answer_analysis};

use crate::desk::Desk;
use crate::findings::analyze;

/// Analyses, answers the caller, and settles the delivery.
pub(crate) async fn handle_analysis(desk: Arc<Desk>, broker: Broker, queue: Queue, delivery: Delivery<RawMessage>) {
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
