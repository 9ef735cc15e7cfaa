//! Charges every request: to its caller, or without a valid token to its address.
//!
//! The buckets of addresses are in this process: a flood of requests without a token costs Redis nothing, and with several
//! instances the numbers multiply. Signing in has a bucket of its own, so that a flood of other requests keeps no user behind
//! the same address from it. `/ready` is not charged and `/health` has a far larger bucket, so that a flood from the address of
//! a probe does not make the instance look unhealthy.

use std::net::IpAddr;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use shared::read_model::{Gcra, LocalBuckets};

use crate::app_state::State;
use crate::auth::caller::{identified, identify};
use crate::http::client_address::{address_prefix, client_address};
use crate::http::problem::Problem;
use crate::limits::settings::{self, Operation, Taken, judge};

const SIGN_INS: [&str; 2] = ["/auth/token", "/auth/refresh"];
/// Size of the bucket of `/health` in those of other requests.
const HEALTH_FACTOR: u32 = 20;
/// One in a microsecond.
const MAX_REFILL_PER_MINUTE: u32 = 60_000_000;

/// The buckets of requests without a valid token.
pub(crate) type AddressBuckets = LocalBuckets<AddressBucket>;

/// The key of an address's bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AddressBucket {
    prefix: Option<IpAddr>,
    kind: Kind,
}

/// The requests that share a bucket of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Health,
    SignIn,
    Other,
}

impl Kind {
    /// Returns the kind of a request; `None` for `/ready`, which is answered from memory.
    fn of(request: &HttpRequest) -> Option<Self> {
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

/// Marks a request that proved its caller by its body: a password or a refresh token.
struct ProvedByBody;

/// Looks for the caller; a request without one is charged to its address. 429 where that bucket is empty.
pub(crate) fn admit(state: &State, request: &HttpRequest) -> Result<(), Problem> {
    let Some(kind) = Kind::of(request) else { return Ok(()) };
    if kind != Kind::Health && identify(&state.tokens, request) {
        return Ok(());
    }
    charge_address(state, request, kind)
}

/// Charges the address of a request that is for another host, whatever it asks for and with whose token.
pub(crate) fn charge_misdirected(state: &State, request: &HttpRequest) -> Result<(), Problem> {
    charge_address(state, request, Kind::Other)
}

fn charge_address(state: &State, request: &HttpRequest, kind: Kind) -> Result<(), Problem> {
    let Some(bucket) = state.config.limits.unauthenticated() else { return Ok(()) };
    let key = AddressBucket::of(request, &state.config.trusted_proxies, kind);
    let bucket = key.size(bucket);
    let verdict = state.addresses.take(key, bucket);
    judge(request, "unauthenticated", "requests without a valid token", bucket, verdict)
}

/// Returns whether the connection is closed behind an answer: 421, and 429 without a valid token. A refused address would keep
/// as many connections as it likes.
pub(crate) fn closes_connection(request: &HttpRequest, status: StatusCode) -> bool {
    let is_refused = status == StatusCode::TOO_MANY_REQUESTS && identified(request).is_none();
    is_refused || status == StatusCode::MISDIRECTED_REQUEST
}

/// Charges a caller for an answer that no handler has charged them for, such as 403 or 404; 429 instead where that bucket is
/// empty. Returns the charge to the address where the request proved its caller by its body.
pub(crate) async fn charge_caller(state: &State, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let (request, status) = (response.request(), response.status());
    let Some(caller) = identified(request) else {
        if request.method() == Method::POST && status.is_success() {
            request.extensions_mut().insert(ProvedByBody);
            if let Some((kind, bucket)) = Kind::of(request).zip(state.config.limits.unauthenticated()) {
                let key = AddressBucket::of(request, &state.config.trusted_proxies, kind);
                state.addresses.give_back(&key, key.size(bucket));
            }
        }
        return response;
    };
    let is_charged = request.extensions().contains::<Taken>();
    if is_charged || status.is_server_error() {
        return response;
    }
    match settings::admit(state, request, &caller, Operation::Status).await {
        Ok(()) => response,
        Err(problem) => {
            let (request, _) = response.into_parts();
            ServiceResponse::new(request, HttpResponse::from_error(problem))
        }
    }
}

/// Returns whether any number of such requests can be sent by anyone, or beyond a limit: their log lines are sampled.
pub(crate) fn is_sampled(request: &HttpRequest, status: StatusCode) -> bool {
    let is_known = identified(request).is_some() || request.extensions().contains::<ProvedByBody>();
    !is_known || status == StatusCode::TOO_MANY_REQUESTS
}
