//! The part of the application state for messages to and from workers and approvers.

use messaging::{ApproverReport, Cancellations, DecisionRpc, Heartbeats, WorkerReport};

use crate::workflows::heartbeats::LivenessTable;

/// Conversations with workers and approvers, and their liveness.
pub(crate) struct Peers {
    pub(crate) cancellations: Cancellations,
    pub(crate) decision_rpc: DecisionRpc,
    pub(crate) heartbeats: Heartbeats,
    pub(crate) workers: LivenessTable<WorkerReport>,
    pub(crate) approvers: LivenessTable<ApproverReport>,
}
