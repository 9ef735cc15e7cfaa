//! The trace and the request's id in message headers.

use async_nats::HeaderMap;

use crate::telemetry::TraceContext;

/// Bytes of a request's id.
const LONGEST_ID: usize = 128;

/// Headers that carry `trace` to whoever receives the message.
pub(super) fn carry(headers: &mut HeaderMap, trace: &TraceContext) {
    headers.insert(TraceContext::HEADER, trace.to_string().as_str());
    if !trace.request_id().is_empty() {
        headers.insert(TraceContext::REQUEST_HEADER, trace.request_id());
    }
}

/// The trace that a message carries, or a new one.
pub(super) fn carried(headers: Option<&HeaderMap>) -> TraceContext {
    let text = |name: &str| headers.and_then(|headers| headers.get(name)).map(async_nats::HeaderValue::as_str);
    let trace = TraceContext::from_header(text(TraceContext::HEADER));
    match text(TraceContext::REQUEST_HEADER) {
        // Of others than us, who may write anything, none is carried on.
        Some(id) if id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic()) => {
            trace.with_request_id(id)
        }
        Some(_) | None => trace,
    }
}
