//! Background tasks of the process.

pub(crate) mod projector;
