//! The part of the application state for messages to and from workers and approvers.

use messaging::{ApproverReport, Control, WorkerReport};

use crate::workflows::heartbeats::LivenessTable;

/// The control channel and the liveness of workers and approvers.
pub(crate) struct Peers {
    pub(crate) control: Control,
    pub(crate) workers: LivenessTable<WorkerReport>,
    pub(crate) approvers: LivenessTable<ApproverReport>,
}
