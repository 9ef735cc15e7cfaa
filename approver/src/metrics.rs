//! What operators see of gates and decisions.

use std::sync::LazyLock;

use prometheus::{
    IntCounter, IntCounterVec, register_int_counter_vec_with_registry, register_int_counter_with_registry,
};
use shared::telemetry::registry;

/// Gates by what became of them: `released`, `parked`, `refused`.
pub(crate) static GATES: LazyLock<IntCounterVec> =
    LazyLock::new(|| counter("promptcraft_gates_total", "Gates judged, by outcome.", &["outcome"]));

/// Decisions by path and by whether they counted.
pub(crate) static DECISIONS: LazyLock<IntCounterVec> =
    LazyLock::new(|| counter("promptcraft_decisions_total", "Decisions, by path and outcome.", &["path", "outcome"]));

/// Questions of bots for open approvals that were dropped because the bot asked too often.
pub(crate) static OPEN_DROPPED: LazyLock<IntCounter> = LazyLock::new(|| {
    let help = "Requests of bots for open approvals that were dropped without an answer.";
    // As below.
    register_int_counter_with_registry!("promptcraft_open_requests_dropped_total", help, registry())
        .expect("a metric is registered once")
});

fn counter(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    // A name is registered once in a process, where this file says; a clash is a mistake that the first start shows.
    register_int_counter_vec_with_registry!(name, help, labels, registry()).expect("a metric is registered once")
}
