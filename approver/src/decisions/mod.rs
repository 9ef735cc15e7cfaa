//! Decisions on parked approvals, over HTTP and NATS.

pub(crate) mod http;
pub(crate) mod nats;
pub(crate) mod refusal_limiter;
pub(crate) mod service;
