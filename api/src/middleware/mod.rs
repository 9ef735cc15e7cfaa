//! Middleware around every request.

pub(crate) mod access_log;
pub(crate) mod bearer;
pub(crate) mod observe;
pub(crate) mod rate_limit;
