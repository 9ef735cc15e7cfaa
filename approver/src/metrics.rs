//! Metrics of gates, decisions and requests for open approvals.

use std::sync::LazyLock;

use prometheus::{
    IntCounter, IntCounterVec, register_int_counter_vec_with_registry, register_int_counter_with_registry,
};
use service::telemetry::registry;

/// Evaluated gates by outcome: `released`, `parked`, `refused`.
pub(crate) static GATES: LazyLock<IntCounterVec> =
    LazyLock::new(|| counter("promptcraft_gates_total", "Gates judged, by outcome.", &["outcome"]));

/// Decisions by channel and outcome: `applied`, `unavailable` or a refusal's code.
pub(crate) static DECISIONS: LazyLock<IntCounterVec> =
    LazyLock::new(|| counter("promptcraft_decisions_total", "Decisions, by path and outcome.", &["path", "outcome"]));

/// Requests of bots for open approvals that were dropped because the bot exceeded its limit.
pub(crate) static OPEN_DROPPED: LazyLock<IntCounter> = LazyLock::new(|| {
    let help = "Requests of bots for open approvals that were dropped without an answer.";
    register_int_counter_with_registry!("promptcraft_open_requests_dropped_total", help, registry())
        .expect("a metric is registered once")
});

fn counter(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    // Only the statics above register; a duplicate name is a bug that the first start shows.
    register_int_counter_vec_with_registry!(name, help, labels, registry()).expect("a metric is registered once")
}
