//! Decisions on approval gates, and the list of open ones.

pub(crate) mod decide;
pub(crate) mod inbox;
