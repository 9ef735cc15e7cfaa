//! Metrics of a worker's steps and jobs; the families are in the table of `service::telemetry`.

use std::time::Duration;

use domain::Timestamp;
use domain::workflow::EventKind;
use messaging::Entry;
use prometheus::{CounterVec, Gauge, GaugeVec, HistogramVec, IntCounterVec};
use sandbox::{JobResult, Outcome};
use service::telemetry::{LANES, RUNTIMES, amounts, bounded, counter, counters, gauge, gauges, histogram, histograms};

/// Metrics of steps.
#[derive(Debug, Clone)]
pub(crate) struct StepMetrics {
    /// Attempts by phase and outcome.
    pub(crate) steps: IntCounterVec,
    /// Duration of an attempt by phase.
    pub(crate) seconds: HistogramVec,
    running: GaugeVec,
    wait: HistogramVec,
    cost: CounterVec,
}

/// A step that is counted as running until it is dropped, also when its future is.
#[derive(Debug)]
pub(crate) struct CountedStep(Gauge);

impl Drop for CountedStep {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl StepMetrics {
    pub(crate) fn new() -> Self {
        Self {
            steps: counters("promptcraft_steps_total"),
            seconds: histograms("promptcraft_step_seconds"),
            running: gauges("promptcraft_steps_running"),
            wait: histograms("promptcraft_step_wait_seconds"),
            cost: amounts("promptcraft_cost_total"),
        }
    }

    /// Exports the slots of a queue, with its other series at zero.
    pub(crate) fn export_slots(&self, phase: &str, lane: &str, slots: usize) {
        let labels = [phase, bounded(lane, LANES)];
        #[expect(clippy::cast_precision_loss, reason = "slots are few")]
        gauges("promptcraft_worker_slots").with_label_values(&labels).set(slots as f64);
        drop((self.running.with_label_values(&labels), self.wait.with_label_values(&labels)));
    }

    /// Counts a step as running.
    pub(crate) fn count_running(&self, phase: &str, lane: &str) -> CountedStep {
        let running = self.running.with_label_values(&[phase, bounded(lane, LANES)]);
        running.inc();
        CountedStep(running)
    }

    /// Records the start of a step's attempt.
    pub(crate) fn observe_start(&self, entry: &Entry, now: Timestamp) {
        let (phase, lane) = (entry.workflow.phase.kind().as_str(), entry.workflow.phase.lane());
        let waited = now.since(entry.happened.at).as_secs_f64();
        self.wait.with_label_values(&[phase, bounded(lane.as_str(), LANES)]).observe(waited);
        if entry.happened.kind == EventKind::Decided {
            histogram("promptcraft_decision_resume_seconds").observe(waited);
        }
    }

    /// Counts the cost of an attempt.
    pub(crate) fn add_cost(&self, phase: &str, cost: f64) {
        // A negative amount would panic; the cost of a step is finite and not negative.
        if cost > 0.0 && cost.is_finite() {
            self.cost.with_label_values(&[phase]).inc_by(cost);
        }
    }
}

/// Counts tokens of the language model.
pub(crate) fn count_tokens(tokens: u64) {
    counter("promptcraft_tokens_total").inc_by(tokens);
}

/// Exports the state of the sandbox.
pub(crate) fn export_sandbox(is_up: bool, warm: usize) {
    gauge("promptcraft_sandbox_up").set(f64::from(u8::from(is_up)));
    #[expect(clippy::cast_precision_loss, reason = "idle sandboxes are few")]
    gauge("promptcraft_sandbox_warm").set(warm as f64);
}

/// Records a job that ended.
pub(crate) fn observe_job(runtime: &str, result: &JobResult) {
    let runtime = bounded(runtime, RUNTIMES);
    histograms("promptcraft_sandbox_start_seconds").with_label_values(&[runtime]).observe(result.wait.as_secs_f64());
    let ran = Duration::from_millis(result.usage.wall_ms);
    observe_run(runtime, outcome_name(result.outcome), ran);
}

/// Records a job that the sandbox refused, or lost.
pub(crate) fn observe_failed_job(runtime: &str, is_refused: bool, took: Duration) {
    observe_run(bounded(runtime, RUNTIMES), if is_refused { "refused" } else { "lost" }, took);
}

fn observe_run(runtime: &'static str, outcome: &'static str, took: Duration) {
    histograms("promptcraft_sandbox_run_seconds").with_label_values(&[runtime, outcome]).observe(took.as_secs_f64());
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Exited => "exited",
        Outcome::OutputTruncated => "output_truncated",
        Outcome::TimedOut => "timed_out",
        Outcome::OutOfCpu => "out_of_cpu",
        Outcome::OomKilled => "oom_killed",
        Outcome::KilledBySignal => "killed_by_signal",
        Outcome::PidsExhausted => "pids_exhausted",
        Outcome::DiskFull => "disk_full",
        Outcome::Cancelled => "cancelled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_in_the_table() {
        let metrics = StepMetrics::new();
        metrics.export_slots("execute", "python", 4);
        drop(metrics.count_running("execute", "python"));
        metrics.add_cost("execute", f64::NAN);
        metrics.add_cost("execute", 0.5);
        count_tokens(7);
        export_sandbox(true, 1);
        observe_failed_job("made-up", false, Duration::ZERO);
        let known: Vec<&str> = sandbox::languages().map(|language| language.name).collect();
        for name in known {
            assert!(RUNTIMES.contains(&name) && LANES.contains(&name), "{name} would be counted as other");
        }
    }
}
