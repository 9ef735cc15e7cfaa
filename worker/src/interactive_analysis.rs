//! Interactive analyses: the caller waits for the answer.

use std::sync::Arc;

use messaging::{AnalysisAnswer, Broker, Cause, DeadLetters, Delivery, Queue, RawMessage, answer_analysis};
use service::clock::Clock;
use tokio::time::Instant;

use crate::analyzer::analyze;
use crate::metrics::StepMetrics;

/// Maximum deliveries of one analysis. A further one means that it ended its workers or blocked them.
const MAX_DELIVERIES: u64 = 2;

/// Dependencies of interactive analyses.
pub(crate) struct InteractiveAnalyses {
    pub(crate) broker: Broker,
    pub(crate) queue: Queue,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) instance: String,
    pub(crate) clock: Clock,
    pub(crate) metrics: StepMetrics,
}

/// Runs one analysis, answers its caller, and settles the delivery.
pub(crate) async fn handle_analysis(analyses: Arc<InteractiveAnalyses>, delivery: Delivery<RawMessage>) {
    if delivery.delivered() > MAX_DELIVERIES {
        let subject = &delivery.body().subject;
        tracing::error!(%subject, "Dead-lettering analysis {subject}: {MAX_DELIVERIES} attempts did not finish");
        let reason = format!("{MAX_DELIVERIES} attempts did not finish");
        delivery.dead_letter(&analyses.dead_letters, Cause::Exhausted, &reason).await;
        analyses.metrics.steps.with_label_values(&["analyses", "dead_lettered"]).inc();
        return;
    }
    let (begun, _running) = (Instant::now(), analyses.metrics.count_running("analyses", "std"));
    let worker = analyses.instance.clone();
    let now = analyses.clock.now();
    let answered =
        answer_analysis(&analyses.broker, delivery.body(), now, async move |task| match analyze(task).await {
            Ok((report, cpu)) => {
                let cpu_ms = u64::try_from(cpu.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
                Some(AnalysisAnswer { report, worker, cpu_ms })
            }
            Err(error) => {
                tracing::error!(%error, "Analysis failed, so its caller receives no report: {error}");
                None
            }
        })
        .await;
    match answered {
        Ok(()) => {
            delivery.ack().await;
            analyses.metrics.steps.with_label_values(&["analyses", "settled"]).inc();
            let took = begun.elapsed().as_secs_f64();
            analyses.metrics.seconds.with_label_values(&["analyses"]).observe(took);
        }
        Err(error) => analyses.queue.settle_unreadable(delivery, &error).await,
    }
}
