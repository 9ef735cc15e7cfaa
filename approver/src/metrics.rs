//! Metrics of gates, decisions, ends and notifications; the families are in the table of `service::telemetry`.

use std::sync::LazyLock;

use domain::Timestamp;
use domain::approval::Channel;
use domain::workflow::{Status, Workflow};
use prometheus::{IntCounter, IntCounterVec};
use service::telemetry::{END_CODES, bounded, counter, counters, histograms};

/// Evaluated gates by outcome: `released`, `parked`, `refused`.
pub(crate) static GATES: LazyLock<IntCounterVec> = LazyLock::new(|| counters("promptcraft_gates_total"));

/// Decisions by channel and outcome: `applied`, `unavailable` or a refusal's code.
pub(crate) static DECISIONS: LazyLock<IntCounterVec> = LazyLock::new(|| counters("promptcraft_decisions_total"));

/// Requests of bots for open approvals that were refused because the bot exceeded its limit.
pub(crate) static OPEN_REFUSED: LazyLock<IntCounter> =
    LazyLock::new(|| counter("promptcraft_open_requests_throttled_total"));

/// Attempts to notify a webhook: `delivered`, `retried`, `throttled` or `given_up`.
pub(crate) static NOTIFICATIONS: LazyLock<IntCounterVec> =
    LazyLock::new(|| counters("promptcraft_notifications_total"));

/// Counts the end of a workflow and its duration.
pub(crate) fn count_end(workflow: &Workflow) {
    let status = match workflow.status() {
        Status::Completed => "completed",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
        Status::Created | Status::Running | Status::WaitingApproval => return,
    };
    // A worker names the code, so any text is possible.
    let code = workflow.failure().map_or("none", |failure| bounded(&failure.code, END_CODES));
    counters("promptcraft_workflows_ended_total").with_label_values(&[status, code]).inc();
    let whole = workflow.updated_at.since(workflow.created_at);
    histograms("promptcraft_workflow_seconds").with_label_values(&[status]).observe(whole.as_secs_f64());
    let active = std::time::Duration::from_millis(workflow.active_used_ms);
    histograms("promptcraft_workflow_active_seconds").with_label_values(&[status]).observe(active.as_secs_f64());
}

/// Records the time from the request of an approval to a decision that was applied.
pub(crate) fn observe_decision(channel: Channel, requested_at: Timestamp, decided_at: Timestamp) {
    let wait = decided_at.since(requested_at);
    histograms("promptcraft_decision_wait_seconds").with_label_values(&[channel.as_str()]).observe(wait.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_in_the_table() {
        for family in [&GATES, &DECISIONS, &NOTIFICATIONS] {
            LazyLock::force(family);
        }
        OPEN_REFUSED.inc();
        observe_decision(Channel::Http, Timestamp::from_millis(0), Timestamp::from_millis(5_000));
    }
}
