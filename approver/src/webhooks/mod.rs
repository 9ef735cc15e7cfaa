//! Signed webhooks on terminal states.

pub(crate) mod deliver;
