//! Limits of requests without a valid token, per address.
//!
//! The buckets of addresses are in this process: a flood of requests without a token costs Redis nothing, and with several
//! instances the numbers multiply. Signing in has a bucket of its own, so that a flood of other requests keeps no user behind
//! the same address from it. `/ready` is not charged and `/health` has a far larger bucket, so that a flood from the address of
//! a probe does not make the instance look unhealthy.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::Method;
use shared::clock::Clock;
use shared::read_model::{Gcra, LocalBuckets, Verdict};

use crate::http::client_address::{address_prefix, client_address};

const SIGN_INS: [&str; 2] = ["/auth/token", "/auth/refresh"];
/// Size of the bucket of `/health` in those of other requests.
const HEALTH_FACTOR: u32 = 20;
/// One in a microsecond.
const MAX_REFILL_PER_MINUTE: u32 = 60_000_000;

/// The key of an address's bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct AddressBucket {
    prefix: Option<IpAddr>,
    kind: Kind,
}

/// The requests that share a bucket of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Health,
    SignIn,
    Other,
}

impl Kind {
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
    fn of(request: &HttpRequest, trusted_proxies: &[IpAddr], kind: Kind) -> Self {
        Self { prefix: client_address(request, trusted_proxies).map(address_prefix), kind }
    }

    fn size(self, other: Gcra) -> Gcra {
        let factor = if self.kind == Kind::Health { HEALTH_FACTOR } else { 1 };
        Gcra {
            burst: other.burst.saturating_mul(factor),
            refill_per_minute: (other.refill_per_minute * factor).min(MAX_REFILL_PER_MINUTE),
        }
    }
}

/// The buckets of requests without a valid token.
pub(crate) struct AddressLimits {
    /// `None` where the limit is lifted.
    bucket: Option<Gcra>,
    buckets: LocalBuckets<AddressBucket>,
    trusted_proxies: Vec<IpAddr>,
}

impl AddressLimits {
    pub(crate) fn new(bucket: Option<Gcra>, trusted_proxies: Vec<IpAddr>, clock: Clock) -> Self {
        Self { bucket, buckets: LocalBuckets::new(clock), trusted_proxies }
    }

    /// Only these may say on whose behalf they call.
    pub(crate) fn trusted_proxies(&self) -> &[IpAddr] {
        &self.trusted_proxies
    }

    /// Takes one request of its address's bucket; returns the bucket's size with the verdict, `None` where the limit is lifted.
    pub(crate) fn take(&self, request: &HttpRequest, kind: Kind) -> Option<(Gcra, Verdict)> {
        let key = AddressBucket::of(request, &self.trusted_proxies, kind);
        let bucket = key.size(self.bucket?);
        Some((bucket, self.buckets.take(key, bucket)))
    }

    /// Gives back what [`Self::take`] took.
    pub(crate) fn give_back(&self, request: &HttpRequest, kind: Kind) {
        let key = AddressBucket::of(request, &self.trusted_proxies, kind);
        if let Some(bucket) = self.bucket {
            self.buckets.give_back(&key, key.size(bucket));
        }
    }
}
