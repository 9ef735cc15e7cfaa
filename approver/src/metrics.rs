//! What operators see of gates and decisions.

use std::sync::LazyLock;

use prometheus::{IntCounterVec, register_int_counter_vec_with_registry};
use shared::telemetry::registry;

/// Gates by what became of them: `released`, `parked`, `refused`.
pub(crate) static GATES: LazyLock<IntCounterVec> =
    LazyLock::new(|| counter("promptcraft_gates_total", "Gates judged, by outcome.", &["outcome"]));

/// Decisions by path and by whether they counted.
pub(crate) static DECISIONS: LazyLock<IntCounterVec> =
    LazyLock::new(|| counter("promptcraft_decisions_total", "Decisions, by path and outcome.", &["path", "outcome"]));

fn counter(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    // A name is registered once in a process, where this file says; a clash is a mistake that the first start shows.
    register_int_counter_vec_with_registry!(name, help, labels, registry()).expect("a metric is registered once")
}
