//! The `RateLimit-*` headers.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// Status of the bucket that the request was charged to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RateLimitStatus {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset: Duration,
}

impl RateLimitStatus {
    /// Returns the status of an empty bucket of size `limit`, refilled after `reset`.
    pub(crate) const fn exhausted(limit: u32, reset: Duration) -> Self {
        Self { limit, remaining: 0, reset }
    }

    /// Writes the `RateLimit-*` headers.
    pub(crate) fn write_headers(&self, headers: &mut HeaderMap) {
        let reset = u64::try_from(self.reset.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
        let values = [
            ("ratelimit-limit", u64::from(self.limit)),
            ("ratelimit-remaining", u64::from(self.remaining)),
            ("ratelimit-reset", reset),
        ];
        for (name, value) in values {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}
