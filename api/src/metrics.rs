//! Prometheus metrics of the API.

use std::sync::LazyLock;

use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts};
use service::telemetry::registry;

pub(crate) static REQUESTS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    counters("promptcraft_http_requests_total", "Answers by method, route and status.", &["method", "route", "status"])
});

pub(crate) static REQUEST_SECONDS: LazyLock<HistogramVec> = LazyLock::new(|| {
    let buckets = vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    let options = HistogramOpts::new("promptcraft_http_request_seconds", "Time to the answer's head, by route.");
    register(HistogramVec::new(options.buckets(buckets), &["method", "route"]))
});

pub(crate) static SUBMISSIONS: LazyLock<IntCounter> = LazyLock::new(|| {
    register(IntCounter::new("promptcraft_submissions_total", "Workflows accepted, repeats not counted."))
});

pub(crate) static EVENT_STREAMS: LazyLock<IntGauge> =
    LazyLock::new(|| register(IntGauge::new("promptcraft_event_streams", "Event streams open now.")));

pub(crate) static AUTH_FAILURES: LazyLock<IntCounterVec> = LazyLock::new(|| {
    counters("promptcraft_auth_failures_total", "Refused tokens and sign-ins by reason.", &["reason"])
});

pub(crate) static PASSWORD_CHECKS: LazyLock<IntCounter> = LazyLock::new(|| {
    register(IntCounter::new("promptcraft_password_checks_total", "Passwords that were hashed and compared."))
});

pub(crate) static RATE_LIMITED: LazyLock<IntCounterVec> = LazyLock::new(|| {
    counters("promptcraft_rate_limited_total", "Calls over their limit, by operation.", &["operation"])
});

pub(crate) static PROJECTED: LazyLock<IntCounter> = LazyLock::new(|| {
    register(IntCounter::new(
        "promptcraft_projected_total",
        "Transitions that the projector brought into the read model, or found there.",
    ))
});

pub(crate) static DEAD_LETTERS: LazyLock<IntGaugeVec> = LazyLock::new(|| {
    let options = Opts::new("promptcraft_dead_letters", "Dead letters that wait for an operator, by cause.");
    register(IntGaugeVec::new(options, &["cause"]))
});

fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    register(IntCounterVec::new(Opts::new(name, help), labels))
}

/// Registers a metric. Names and labels are constants of this file, so this cannot fail; the test below proves it.
fn register<C: prometheus::core::Collector + Clone + 'static>(metric: prometheus::Result<C>) -> C {
    let metric = metric.expect("a metric's name and labels are valid constants");
    registry().register(Box::new(metric.clone())).expect("a metric is registered once");
    metric
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_can_be_scraped() {
        REQUESTS.with_label_values(&["GET", "/", "200"]).inc();
        REQUEST_SECONDS.with_label_values(&["GET", "/"]).observe(0.1);
        SUBMISSIONS.inc();
        EVENT_STREAMS.inc();
        AUTH_FAILURES.with_label_values(&["expired"]).inc();
        PASSWORD_CHECKS.inc();
        RATE_LIMITED.with_label_values(&["execute"]).inc();
        PROJECTED.inc();
        DEAD_LETTERS.with_label_values(&["exhausted"]).set(1);
        let text = service::telemetry::scrape().unwrap();
        assert_eq!(text.matches("# HELP promptcraft_").count(), 9, "{text}");
    }
}
