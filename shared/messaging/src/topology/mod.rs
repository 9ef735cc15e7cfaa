//! Streams, buckets and consumers: provisioning, and what a process needs of them.

pub(crate) mod provision;
pub(crate) mod verify;
