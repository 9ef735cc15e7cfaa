//! The daily budget of each user.

pub(crate) mod daily_budget;
pub(crate) mod tally;
