//! Usage of a workflow and of its steps.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Running totals of a workflow.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Metrics {
    /// CPU seconds and model tokens times configured prices.
    pub total_cost: f64,
    pub steps_completed: u32,
    pub security_issues_found: u32,
    pub security_issues_resolved: u32,
    pub queue_ms: u64,
    pub sandbox_ms: u64,
    /// Rounds of generation in total.
    pub iterations: u32,
}

/// The usage of one step, reported by its worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepUsage {
    pub started_at: Timestamp,
    /// Milliseconds between the append that queued the step and its start.
    pub queue_ms: u64,
    pub sandbox_ms: u64,
    pub cost: f64,
}
