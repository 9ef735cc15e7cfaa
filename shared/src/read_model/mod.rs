//! The fast read model in Redis: never the truth. A missing key is read from the log; Redis down means slower, not wrong.

mod gcra;
mod limits;
mod local_buckets;
mod position;
mod rebuild;
mod store;
mod whole;

pub use gcra::{Gcra, GcraState, Verdict};
pub use limits::{RateLimiter, StepLeases};
pub use local_buckets::LocalBuckets;
pub use position::{InvalidCursor, ListPosition};
pub use rebuild::{Difference, RebuildError, compare, rebuild};
pub use store::{ListQuery, Page, ReadModel, ReadModelError, Stored};
