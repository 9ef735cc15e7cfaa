//! Scheduling of steps: fair slots within a worker, leases of a user over all workers, and delays of redeliveries.

pub(crate) mod backoff;
pub(crate) mod fair_slots;
pub(crate) mod leases;
