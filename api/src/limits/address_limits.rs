//! Limits of requests without a valid token, per address.
//!
//! The buckets are local to this process: a flood of requests without a token does not load Redis, and several
//! instances multiply the limits. Sign-in has its own bucket, so that other requests cannot block sign-in for users
//! behind the same address. `/ready` is not charged and `/health` has a larger bucket, so that a flood from a probe's
//! address does not make the instance look unhealthy.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::Method;
use read_model::{Gcra, LocalBuckets, RateVerdict};
use service::clock::Clock;

use crate::http::client_address::{address_prefix, client_address};

const SIGN_INS: [&str; 2] = ["/auth/token", "/auth/refresh"];
/// Size of the `/health` bucket relative to that of other requests.
const HEALTH_FACTOR: u32 = 20;
/// Maximum refill: one per microsecond.
const MAX_REFILL_PER_MINUTE: u32 = 60_000_000;

/// Key of an address's bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct AddressBucket {
    prefix: Option<IpAddr>,
    kind: RequestKind,
}

/// Requests that share a bucket of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RequestKind {
    Health,
    SignIn,
    Other,
}

impl RequestKind {
    /// Returns the kind of a request; `None` for `/ready`, which is answered from memory.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        match request.path() {
            "/ready" => None,
            "/health" => Some(Self::Health),
            path if SIGN_INS.contains(&path) && request.method() == Method::POST => Some(Self::SignIn),
            _ => Some(Self::Other),
        }
    }
}

impl AddressBucket {
    fn of(request: &HttpRequest, trusted_proxies: &[IpAddr], kind: RequestKind) -> Self {
        Self { prefix: client_address(request, trusted_proxies).map(address_prefix), kind }
    }

    fn size(self, other: Gcra) -> Gcra {
        let factor = if self.kind == RequestKind::Health { HEALTH_FACTOR } else { 1 };
        Gcra {
            burst: other.burst.saturating_mul(factor),
            refill_per_minute: (other.refill_per_minute * factor).min(MAX_REFILL_PER_MINUTE),
        }
    }
}

/// The buckets of requests without a valid token.
pub(crate) struct AddressLimits {
    /// `None` if the limit is lifted.
    bucket: Option<Gcra>,
    buckets: LocalBuckets<AddressBucket>,
    trusted_proxies: Vec<IpAddr>,
}

impl AddressLimits {
    pub(crate) fn new(bucket: Option<Gcra>, trusted_proxies: Vec<IpAddr>, clock: Clock) -> Self {
        Self { bucket, buckets: LocalBuckets::new(clock), trusted_proxies }
    }

    /// Returns the peers whose forwarding headers are trusted.
    pub(crate) fn trusted_proxies(&self) -> &[IpAddr] {
        &self.trusted_proxies
    }

    /// Charges one request to its address; returns the bucket's size and verdict, `None` if the limit is lifted.
    pub(crate) fn take(&self, request: &HttpRequest, kind: RequestKind) -> Option<(Gcra, RateVerdict)> {
        let key = AddressBucket::of(request, &self.trusted_proxies, kind);
        let bucket = key.size(self.bucket?);
        Some((bucket, self.buckets.take(key, bucket)))
    }

    /// Refunds the charge of [`Self::take`].
    pub(crate) fn give_back(&self, request: &HttpRequest, kind: RequestKind) {
        let key = AddressBucket::of(request, &self.trusted_proxies, kind);
        if let Some(bucket) = self.bucket {
            self.buckets.give_back(&key, key.size(bucket));
        }
    }
}
