//! Id, trace and start time of a request.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderName;
use actix_web::{HttpMessage, HttpRequest};
use service::telemetry::TraceContext;
use tokio::time::Instant;
use uuid::Uuid;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Identification of a request in logs and messages.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    pub(crate) id: String,
    pub(crate) trace: TraceContext,
    pub(crate) path: String,
    pub(crate) method: String,
    pub(crate) is_https: bool,
    pub(crate) began: Instant,
}

/// The time after which a request was served that then waited for something else, in its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServedAfter(pub(crate) Duration);

impl RequestContext {
    pub(crate) fn of(request: &ServiceRequest, trusted: &[IpAddr]) -> Self {
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let given = text(REQUEST_ID.as_str()).filter(|id| TraceContext::is_request_id(id));
        let id = given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
        let behind_proxy = request.peer_addr().is_some_and(|peer| trusted.contains(&peer.ip().to_canonical()));
        Self {
            trace: TraceContext::from_header(text(TraceContext::HEADER)).with_request_id(&id),
            id,
            path: request.path().to_owned(),
            method: request.method().to_string(),
            is_https: behind_proxy && text(FORWARDED_PROTO) == Some("https"),
            began: Instant::now(),
        }
    }
}

/// Returns a child of the caller's trace, for messages that the request causes.
pub(crate) fn trace_of(request: &HttpRequest) -> TraceContext {
    request.extensions().get::<RequestContext>().map_or_else(TraceContext::root, |context| context.trace.child())
}
