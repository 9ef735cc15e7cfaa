//! The read model in Redis, a cache of the log. A missing key is read from the log; without Redis, reads are slower,
//! not wrong.

mod completeness;
mod gcra;
mod limits;
mod local_buckets;
mod position;
mod rebuild;
mod store;

pub use gcra::{Gcra, GcraState, RateVerdict};
pub use limits::{RateLimiter, StepLeases};
pub use local_buckets::LocalBuckets;
pub use position::{InvalidCursor, ListPosition};
pub use rebuild::{Difference, RebuildError, compare, rebuild};
pub use store::{ListQuery, Page, ReadModel, ReadModelError, VersionedWorkflow};
