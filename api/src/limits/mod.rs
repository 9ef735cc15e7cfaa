//! Rate limits.

pub(crate) mod settings;
