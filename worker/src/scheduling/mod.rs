//! Scheduling of steps: fair slots within a worker and per-user leases over all workers.

pub(crate) mod fair_slots;
