//! Consumers of the log as queues: deliveries, dead letters and their redrive.

pub(crate) mod backlog;
pub(crate) mod consumer;
pub(crate) mod dead_letters;
pub(crate) mod delivery;
pub(crate) mod redrive;
