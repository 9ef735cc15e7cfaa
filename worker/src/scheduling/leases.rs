//! Leases that bound the running steps of one user over all workers.

use messaging::Entry;
use read_model::StepLeases;

/// The leases of users' steps, by workflow owner and sequence.
#[derive(Debug, Clone)]
pub(crate) struct UserLeases(pub(crate) StepLeases);

impl UserLeases {
    /// Acquires or renews the lease of a step; false if its user holds the maximum.
    pub(crate) async fn hold(&self, entry: &Entry) -> bool {
        self.0.hold(entry.workflow.owner.as_str(), &entry.sequence.to_string()).await
    }

    /// Releases the lease of a step; idempotent.
    pub(crate) async fn release(&self, entry: &Entry) {
        self.0.release(entry.workflow.owner.as_str(), &entry.sequence.to_string()).await;
    }
}
