//! Charges every request: to its caller, or without a valid token to its address.
//!
//! The buckets of addresses are in this process: a flood of requests without a token costs Redis nothing, and with several
//! instances the numbers multiply. `/health` and `/ready` have buckets of their own, so that a flood from the address of a
//! probe does not make the instance look unhealthy.

use std::net::IpAddr;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use shared::read_model::LocalBuckets;

use crate::address::{address_prefix, client_address};
use crate::auth::{identified, identify};
use crate::limits::{self, Operation, Taken, judge};
use crate::problem::Problem;
use crate::state::State;

const PROBES: [&str; 2] = ["/health", "/ready"];

/// The buckets of requests without a valid token.
pub(crate) type AddressBuckets = LocalBuckets<AddressBucket>;

/// The key of an address's bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AddressBucket {
    prefix: Option<IpAddr>,
    is_probe: bool,
}

impl AddressBucket {
    fn of(request: &HttpRequest, trusted_proxies: &[IpAddr]) -> Self {
        let prefix = client_address(request, trusted_proxies).map(address_prefix);
        Self { prefix, is_probe: PROBES.contains(&request.path()) }
    }
}

/// Marks a request that proved its caller by its body: a password or a refresh token.
struct ProvedByBody;

/// Looks for the caller; a request without one is charged to its address. 429 where that bucket is empty.
pub(crate) fn admit(state: &State, request: &HttpRequest) -> Result<(), Problem> {
    let key = AddressBucket::of(request, &state.config.trusted_proxies);
    if !key.is_probe && identify(&state.tokens, request) {
        return Ok(());
    }
    let Some(bucket) = state.config.limits.unauthenticated() else { return Ok(()) };
    let verdict = state.addresses.take(key, bucket);
    judge(request, "unauthenticated", "requests without a valid token", bucket, verdict)
}

/// Charges a caller for an answer that no handler has charged them for, such as 403 or 404; 429 instead where that bucket is
/// empty. Returns the charge to the address where the request proved its caller by its body.
pub(crate) async fn charge_caller(state: &State, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let (request, status) = (response.request(), response.status());
    let Some(caller) = identified(request) else {
        if request.method() == Method::POST && status.is_success() {
            request.extensions_mut().insert(ProvedByBody);
            if let Some(bucket) = state.config.limits.unauthenticated() {
                let key = AddressBucket::of(request, &state.config.trusted_proxies);
                state.addresses.give_back(&key, bucket);
            }
        }
        return response;
    };
    let is_charged = request.extensions().contains::<Taken>();
    if is_charged || status.is_server_error() {
        return response;
    }
    match limits::admit(state, request, &caller, Operation::Status).await {
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
