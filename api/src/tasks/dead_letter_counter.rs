//! Updates the dead-letter metric.

use std::time::Duration;

use actix_web::web;
use messaging::{Cause, DeadLetters};
use service::lifecycle::Lifecycle;
use service::telemetry::gauges;
use tokio::time::Instant;

/// Interval of counts. The broker counts one by one; the factor limits that to a fiftieth of the time.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);
const IDLE_FACTOR: u32 = 50;

/// Counts dead letters until stopped.
pub(crate) async fn run_dead_letter_counter(dead_letters: web::Data<DeadLetters>, lifecycle: Lifecycle) {
    let stopping = lifecycle.stopping();
    while !stopping.is_cancelled() {
        let began = Instant::now();
        let pause = match dead_letters.counts().await {
            Ok(counts) => {
                counts.into_iter().for_each(|(cause, count)| set_gauge(cause, count));
                COUNT_INTERVAL.max(began.elapsed() * IDLE_FACTOR)
            }
            Err(error) => {
                tracing::debug!(%error, "Failed to count dead letters; the metric is stale");
                COUNT_INTERVAL
            }
        };
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn set_gauge(cause: Cause, count: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a count is far below 2^52")]
    gauges("promptcraft_dead_letters").with_label_values(&[cause.as_str()]).set(count as f64);
}
