//! Charges every request: to its caller, or without a valid token to its address.

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use crate::auth::caller::{identified, identify};
use crate::auth::tokens::Tokens;
use crate::http::problem::Problem;
use crate::http::rate_limit_headers::RateLimitStatus;
use crate::limits::address_limits::RequestKind;
use crate::limits::admission::{RateLimits, enforce};
use crate::limits::settings::Operation;

/// Marks a request whose body authenticated it: a password or a refresh token.
struct AuthenticatedByBody;

/// Identifies the caller, or charges the request to its address; 429 if that bucket is empty.
pub(crate) fn admit(limits: &RateLimits, tokens: &Tokens, request: &HttpRequest) -> Result<(), Problem> {
    let Some(kind) = RequestKind::of(request) else { return Ok(()) };
    if kind != RequestKind::Health && identify(tokens, request) {
        return Ok(());
    }
    charge_address(limits, request, kind)
}

/// Charges a request for another host to its address, whatever its token.
pub(crate) fn charge_misdirected(limits: &RateLimits, request: &HttpRequest) -> Result<(), Problem> {
    charge_address(limits, request, RequestKind::Other)
}

fn charge_address(limits: &RateLimits, request: &HttpRequest, kind: RequestKind) -> Result<(), Problem> {
    let Some((bucket, verdict)) = limits.addresses.take(request, kind) else { return Ok(()) };
    let unit = match kind {
        RequestKind::Health => "requests to /health from an address",
        RequestKind::SignIn => "sign-ins and refreshes from an address",
        RequestKind::Other => "requests without a valid token, or to another host, from an address",
    };
    enforce(request, "unauthenticated", unit, bucket, verdict)
}

/// Returns whether to close the connection after a response: 421, and 429 without a valid token. Otherwise a rejected
/// address could hold many connections.
pub(crate) fn closes_connection(request: &HttpRequest, status: StatusCode) -> bool {
    let is_refused = status == StatusCode::TOO_MANY_REQUESTS && identified(request).is_none();
    is_refused || status == StatusCode::MISDIRECTED_REQUEST
}

/// Charges the caller of a request that no handler charged, such as a 403 or 404; 429 if the bucket is empty. Refunds
/// the address if the body authenticated the request.
pub(crate) async fn charge_caller(limits: &RateLimits, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let (request, status) = (response.request(), response.status());
    let Some(caller) = identified(request) else {
        if request.method() == Method::POST && status.is_success() {
            request.extensions_mut().insert(AuthenticatedByBody);
            if let Some(kind) = RequestKind::of(request) {
                limits.addresses.give_back(request, kind);
            }
        }
        return response;
    };
    let is_charged = request.extensions().contains::<RateLimitStatus>();
    if is_charged || status.is_server_error() {
        return response;
    }
    match limits.admit(request, &caller.user, Operation::Status).await {
        Ok(()) => response,
        Err(problem) => {
            let (request, _) = response.into_parts();
            ServiceResponse::new(request, HttpResponse::from_error(problem))
        }
    }
}

/// Returns whether the request's log line is sampled: unauthenticated or over a limit, so of unbounded number.
pub(crate) fn is_sampled(request: &HttpRequest, status: StatusCode) -> bool {
    let is_known = identified(request).is_some() || request.extensions().contains::<AuthenticatedByBody>();
    !is_known || status == StatusCode::TOO_MANY_REQUESTS
}
