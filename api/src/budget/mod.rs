//! The daily budget of a user.

pub(crate) mod daily_budget;
pub(crate) mod tally;
