//! Figures of a run: latencies, ends of workflows, CPU time.

pub mod cpu;
pub mod ledger;
pub mod recorder;
