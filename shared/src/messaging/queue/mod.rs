//! Consumers of the log as queues: deliveries, dead letters and their redrive.

pub(in crate::messaging) mod backlog;
pub(in crate::messaging) mod consumer;
pub(in crate::messaging) mod dead_letters;
pub(in crate::messaging) mod delivery;
pub(in crate::messaging) mod redrive;
