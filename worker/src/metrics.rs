//! Metrics of a worker's steps.

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts};
use service::telemetry::registry;

/// Metrics of steps.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// Attempts by phase and outcome.
    pub(crate) steps: IntCounterVec,
    /// Duration of an attempt by phase.
    pub(crate) seconds: HistogramVec,
    pub(crate) running: IntGauge,
}

impl Metrics {
    pub(crate) fn register() -> Result<Self, prometheus::Error> {
        let metrics = Self {
            steps: IntCounterVec::new(
                Opts::new("promptcraft_steps_total", "Attempts of steps by phase and outcome."),
                &["phase", "outcome"],
            )?,
            seconds: HistogramVec::new(
                HistogramOpts::new("promptcraft_step_seconds", "Duration of a step's attempt in seconds.")
                    .buckets(vec![0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 300.0]),
                &["phase"],
            )?,
            running: IntGauge::new("promptcraft_steps_running", "Steps that run now.")?,
        };
        // Fails for a further worker of the same process, as in tests; the first one's are scraped.
        drop(registry().register(Box::new(metrics.steps.clone())));
        drop(registry().register(Box::new(metrics.seconds.clone())));
        drop(registry().register(Box::new(metrics.running.clone())));
        Ok(metrics)
    }
}
