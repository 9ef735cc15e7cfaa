//! Streams, buckets and consumers: provisioning, and what a process needs of them.

pub(in crate::messaging) mod provision;
pub(in crate::messaging) mod verify;
