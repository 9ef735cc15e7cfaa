//! Updates the gauges of the broker's streams and of the projector's backlog.

use std::time::Duration;

use messaging::{Backlog, Broker, Consumer, MEASURED_STREAMS, Queue, stream_size};
use service::lifecycle::Lifecycle;
use service::telemetry::{gauge, gauges};
use tokio::time::Instant;

/// Interval of measurements; the factor limits them to a fiftieth of the time.
const MEASURE_INTERVAL: Duration = Duration::from_secs(5);
const IDLE_FACTOR: u32 = 50;

/// Measures until stopped. While the broker is unavailable the gauges keep their values, and `promptcraft_broker_up` is 0.
pub(crate) async fn run_backlog_gauges(broker: Broker, lifecycle: Lifecycle) {
    let stopping = lifecycle.stopping();
    let projector = Queue::new(&broker, Consumer::Projector);
    while !stopping.is_cancelled() {
        let began = Instant::now();
        tokio::select! {
            () = stopping.cancelled() => return,
            () = measure(&broker, &projector) => {}
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(MEASURE_INTERVAL.max(began.elapsed() * IDLE_FACTOR)) => {}
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of bytes and messages are far below 2^52")]
async fn measure(broker: &Broker, projector: &Queue) {
    match projector.backlog().await {
        Ok(Backlog { messages, oldest }) => {
            gauge("promptcraft_projector_pending").set(messages as f64);
            gauge("promptcraft_projector_lag_seconds").set(oldest.as_secs_f64());
        }
        Err(error) => tracing::debug!(%error, "Failed to measure the projector's backlog"),
    }
    for name in MEASURED_STREAMS {
        let size = match stream_size(broker, name).await {
            Ok(size) => size,
            Err(error) => {
                tracing::debug!(%error, stream = name, "Failed to measure stream {name}");
                continue;
            }
        };
        gauges("promptcraft_stream_bytes").with_label_values(&[name]).set(size.bytes as f64);
        gauges("promptcraft_stream_messages").with_label_values(&[name]).set(size.backlog.messages as f64);
        if name == MEASURED_STREAMS[2] {
            // Interactive analyses: a work queue, so every message is unsettled.
            let labels = ["analyses", "std"];
            gauges("promptcraft_queue_depth").with_label_values(&labels).set(size.backlog.messages as f64);
            gauges("promptcraft_queue_oldest_seconds")
                .with_label_values(&labels)
                .set(size.backlog.oldest.as_secs_f64());
        }
    }
}
