//! Background tasks of the process.

pub(crate) mod access_log_reports;
pub(crate) mod backlog_gauges;
pub(crate) mod dead_letter_counter;
pub(crate) mod heartbeat_listener;
pub(crate) mod live_output_listener;
pub(crate) mod log_tail;
pub(crate) mod projector;
pub(crate) mod readiness;
pub(crate) mod workflow_gauges;
