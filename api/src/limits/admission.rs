//! Charges the calls of users, in Redis for all API instances.

use std::net::IpAddr;

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, web};
use domain::identity::User;
use read_model::{Gcra, RateLimiter, RateVerdict};
use service::clock::Clock;

use crate::http::body::discard;
use crate::http::problem::Problem;
use crate::http::rate_limit_headers::RateLimitStatus;
use crate::limits::address_limits::AddressLimits;
use crate::limits::settings::{Operation, RateLimitSettings};
use crate::metrics;

/// Rejected decisions per user.
const REJECTED_DECISIONS: Gcra = Gcra { burst: 20, refill_per_minute: 10 };

/// Limits per user and per address.
pub(crate) struct RateLimits {
    pub(crate) settings: RateLimitSettings,
    pub(crate) limiter: RateLimiter,
    pub(crate) addresses: AddressLimits,
}

impl RateLimits {
    pub(crate) fn new(
        settings: RateLimitSettings,
        limiter: RateLimiter,
        trusted_proxies: Vec<IpAddr>,
        clock: Clock,
    ) -> Self {
        let addresses = AddressLimits::new(settings.unauthenticated(), trusted_proxies, clock);
        Self { settings, limiter, addresses }
    }

    /// Charges one call to the user's bucket; 429 if it is empty.
    pub(crate) async fn admit(&self, request: &HttpRequest, user: &User, operation: Operation) -> Result<(), Problem> {
        let Some(bucket) = self.settings.bucket(user.role, operation) else { return Ok(()) };
        let verdict = self.limiter.take(&format!("{}:{}", operation.as_str(), user.name), bucket).await;
        enforce(request, operation.as_str(), operation.unit(), bucket, verdict)
    }

    /// Charges as [`Self::admit`] before the body is read; the body of a rejected call is dropped.
    pub(crate) async fn admit_body(
        &self,
        request: &HttpRequest,
        user: &User,
        operation: Operation,
        payload: web::Payload,
    ) -> Result<web::Payload, Problem> {
        match self.admit(request, user, operation).await {
            Ok(()) => Ok(payload),
            Err(problem) => {
                discard(request, payload.into_inner()).await;
                Err(problem)
            }
        }
    }

    /// Charges a decision that will be rejected: each one adds a permanent record to the audit log.
    pub(crate) async fn charge_rejected_decision(&self, request: &HttpRequest, user: &User) -> Result<(), Problem> {
        if self.settings.are_lifted() {
            return Ok(());
        }
        let verdict = self.limiter.take(&format!("refusals:{}", user.name), REJECTED_DECISIONS).await;
        enforce(request, Operation::Decide.as_str(), "refused decisions of a user", REJECTED_DECISIONS, verdict)
    }
}

/// Sets the `RateLimit-*` headers from a bucket's verdict; 429 if the bucket is empty.
///
/// `label` is the metric's label; `unit` names what the bucket counts, and of which caller.
pub(crate) fn enforce(
    request: &HttpRequest,
    label: &'static str,
    unit: &'static str,
    bucket: Gcra,
    verdict: RateVerdict,
) -> Result<(), Problem> {
    request.extensions_mut().insert(RateLimitStatus {
        limit: bucket.burst,
        remaining: verdict.remaining,
        reset: verdict.reset,
    });
    if verdict.allowed {
        return Ok(());
    }
    metrics::RATE_LIMITED.with_label_values(&[label]).inc();
    let seconds = verdict.retry_after.as_millis().div_ceil(1000).max(1);
    let detail = format!(
        "Rate limit exceeded: at most {} {unit} at once and {} a minute; try again in {seconds} s.",
        bucket.burst, bucket.refill_per_minute
    );
    Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", detail).with_retry_after(verdict.retry_after))
}
