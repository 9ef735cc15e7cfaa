//! Webhooks: a signed POST on every terminal state, to public addresses only.
//!
//! The first attempt follows the transition; retries follow a durable timer, so an unavailable receiver holds no queue
//! slot. Delivery is at least once with the same event id; a notification that is given up becomes a dead letter. One
//! that is only throttled was not attempted and does not count against its receiver.

pub(crate) mod deliver;
mod retry;
mod ssrf_guard;

/// The outcome of one attempt.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    Delivered,
    /// Not attempted, because no permit was free.
    Throttled,
    /// Failed; the receiver may accept it later.
    Retryable(String),
    /// Failed for good.
    Permanent(String),
}
