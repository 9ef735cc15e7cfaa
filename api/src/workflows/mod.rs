//! Reading workflows: their newest state, access to it, new log entries, and the processes that work on them.

pub(crate) mod access;
pub(crate) mod active;
pub(crate) mod feed;
pub(crate) mod heartbeats;
pub(crate) mod live_output;
pub(crate) mod peers;
pub(crate) mod reader;
pub(crate) mod sequence_tracker;
pub(crate) mod singleflight;
pub(crate) mod state;
pub(crate) mod unavailable;
