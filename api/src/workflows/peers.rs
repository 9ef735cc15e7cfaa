//! The part of the application state that talks to workers and approvers.

use shared::messaging::{ApproverReport, Control, WorkerReport};

use crate::workflows::heartbeats::LivenessTable;

/// The control channel, and the processes that live.
pub(crate) struct Peers {
    pub(crate) control: Control,
    pub(crate) workers: LivenessTable<WorkerReport>,
    pub(crate) approvers: LivenessTable<ApproverReport>,
}
