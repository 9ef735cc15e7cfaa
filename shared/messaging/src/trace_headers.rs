//! Trace context and request id in message headers.

use async_nats::HeaderMap;

use service::telemetry::TraceContext;

/// Adds headers that propagate `trace` to the receiver of the message.
pub(super) fn inject(headers: &mut HeaderMap, trace: &TraceContext) {
    headers.insert(TraceContext::HEADER, trace.to_string().as_str());
    if !trace.request_id().is_empty() {
        headers.insert(TraceContext::REQUEST_HEADER, trace.request_id());
    }
}

/// Returns the trace of a message, or a new one.
pub(super) fn extract(headers: Option<&HeaderMap>) -> TraceContext {
    let text = |name: &str| headers.and_then(|headers| headers.get(name)).map(async_nats::HeaderValue::as_str);
    let trace = TraceContext::from_header(text(TraceContext::HEADER));
    // Any publisher may write anything here.
    match text(TraceContext::REQUEST_HEADER).filter(|id| TraceContext::is_request_id(id)) {
        Some(id) => trace.with_request_id(id),
        None => trace,
    }
}
