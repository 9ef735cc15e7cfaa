//! Durable timers of workflows: time limits, approval deadlines and repeated announcements.

pub(crate) mod debounce;
pub(crate) mod fire;
pub(crate) mod schedule;
