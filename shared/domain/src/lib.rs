//! The domain: workflows, approvals, analyses, identities and their ids. No I/O.
//!
//! Start reading at [`workflow::transition`]: all other code carries its result between processes.

pub mod analysis;
pub mod approval;
pub mod identity;
pub mod ids;
pub mod nearest;
#[cfg(feature = "samples")]
pub mod samples;
pub mod single_file;
mod timestamp;
pub mod workflow;

pub use timestamp::Timestamp;
