//! Prometheus metrics of the API; the families are in the table of `service::telemetry`.

use std::sync::LazyLock;

use actix_web::http::Method;
use prometheus::{Gauge, HistogramVec, IntCounter, IntCounterVec};
use service::telemetry::{Process, counter, counters, export_metrics, gauge, histograms};

pub(crate) static REQUESTS: LazyLock<IntCounterVec> = LazyLock::new(|| counters("promptcraft_http_requests_total"));
pub(crate) static REQUEST_SECONDS: LazyLock<HistogramVec> =
    LazyLock::new(|| histograms("promptcraft_http_request_seconds"));
pub(crate) static SUBMISSIONS: LazyLock<IntCounter> = LazyLock::new(|| counter("promptcraft_submissions_total"));
pub(crate) static EVENT_STREAMS: LazyLock<Gauge> = LazyLock::new(|| gauge("promptcraft_event_streams"));
pub(crate) static AUTH_FAILURES: LazyLock<IntCounterVec> =
    LazyLock::new(|| counters("promptcraft_auth_failures_total"));
pub(crate) static PASSWORD_CHECKS: LazyLock<IntCounter> =
    LazyLock::new(|| counter("promptcraft_password_checks_total"));
pub(crate) static RATE_LIMITED: LazyLock<IntCounterVec> = LazyLock::new(|| counters("promptcraft_rate_limited_total"));
pub(crate) static PROJECTED: LazyLock<IntCounter> = LazyLock::new(|| counter("promptcraft_projected_total"));

/// Exports the metrics, with the failures of each route at zero.
pub(crate) fn export(routes: impl Iterator<Item = (Method, &'static str)>) {
    export_metrics(Process::Api);
    for (method, path) in routes {
        for status in ["500", "503"] {
            drop(REQUESTS.with_label_values(&[method.as_str(), path, status]));
        }
        drop(REQUEST_SECONDS.with_label_values(&[method.as_str(), path]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_in_the_table() {
        export([(Method::GET, "/health")].into_iter());
        AUTH_FAILURES.with_label_values(&["expired"]).inc();
        RATE_LIMITED.with_label_values(&["execute"]).inc();
        for single in [&SUBMISSIONS, &PASSWORD_CHECKS, &PROJECTED] {
            single.inc();
        }
        EVENT_STREAMS.inc();
        let text = service::telemetry::scrape().unwrap();
        let line = r#"promptcraft_http_requests_total{method="GET",route="/health",status="503"} 0"#;
        assert!(text.contains(line) && text.contains("promptcraft_event_streams 1"), "{text}");
    }
}
