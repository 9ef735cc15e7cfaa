//! Rate limits.

pub(crate) mod address_limits;
pub(crate) mod admission;
pub(crate) mod settings;
