//! W3C Trace Context: the caller's `traceparent`, carried through message headers from process to process.
//! Format: <https://www.w3.org/TR/trace-context/#traceparent-header>.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use super::spans::cause_of;

/// A trace, the span that caused the current work, and the request that began it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    pub(super) trace_id: u128,
    pub(super) span_id: u64,
    pub(super) sampled: bool,
    request_id: Option<Arc<str>>,
}

impl TraceContext {
    /// The header of the trace context, over HTTP and over the broker.
    pub const HEADER: &'static str = "traceparent";

    /// The header of the request id over the broker.
    pub const REQUEST_HEADER: &'static str = "promptcraft-request-id";

    /// Returns a new trace.
    pub fn root() -> Self {
        let trace_id = Uuid::new_v4().as_u128();
        Self { trace_id, span_id: origin_of(trace_id), sampled: true, request_id: None }
    }

    /// Returns the caller's trace if `header` is valid, else a new trace.
    pub fn from_header(header: Option<&str>) -> Self {
        header.and_then(|text| text.parse().ok()).unwrap_or_else(Self::root)
    }

    /// Returns the same trace with the span that causes a message: a new id, or where spans are exported that of the
    /// current span of this trace, or without one the id at hand. So every message names a span that is exported.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: cause_of(self).unwrap_or_else(fresh_span), ..self.clone() }
    }

    /// Returns whether `id` is a valid request id: 1 to 128 letters, digits, dots, underscores and hyphens. It is used
    /// in headers and log lines.
    pub fn is_request_id(id: &str) -> bool {
        (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    }

    /// Returns the same trace with this request id.
    #[must_use]
    pub fn with_request_id(self, id: &str) -> Self {
        Self { request_id: Some(id.into()), ..self }
    }

    /// Returns the id of the request that began the trace; empty if there is none.
    pub fn request_id(&self) -> &str {
        self.request_id.as_deref().unwrap_or_default()
    }

    /// Returns the trace's id as 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

/// Returns the span id in the context of a trace that has no span yet. It is derived from the trace id, so that any
/// process can tell that no span has this id.
pub(super) fn origin_of(trace_id: u128) -> u64 {
    // Mixed, because some tracers name their first span by a half of the trace id; the format does not permit 0.
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    let mixed = (trace_id ^ ODD).wrapping_mul(ODD);
    u64::try_from(mixed >> 64).unwrap_or_default().max(1)
}

fn fresh_span() -> u64 {
    (Uuid::new_v4().as_u64_pair().0).max(1)
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

/// An invalid trace context header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a traceparent must be version-trace-parent-flags in lower-case hexadecimal digits")]
pub struct InvalidTrace;

impl FromStr for TraceContext {
    type Err = InvalidTrace;

    fn from_str(text: &str) -> Result<Self, InvalidTrace> {
        let mut parts = text.trim().split('-');
        let (version, trace, span, flags) =
            (part(&mut parts, 2)?, part(&mut parts, 32)?, part(&mut parts, 16)?, part(&mut parts, 2)?);
        // Version 00 has exactly four parts; a later version may add some; ff is forbidden.
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return Err(InvalidTrace);
        }
        let trace_id = u128::from_str_radix(trace, 16).map_err(|_| InvalidTrace)?;
        let span_id = u64::from_str_radix(span, 16).map_err(|_| InvalidTrace)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| InvalidTrace)?;
        if trace_id == 0 || span_id == 0 {
            return Err(InvalidTrace);
        }
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1, request_id: None })
    }
}

fn part<'a>(parts: &mut impl Iterator<Item = &'a str>, length: usize) -> Result<&'a str, InvalidTrace> {
    parts
        .next()
        .filter(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
        .ok_or(InvalidTrace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_trace_goes_on_and_a_broken_one_starts_anew() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let caller = TraceContext::from_header(Some(header));
        assert_eq!(caller.to_string(), header);
        let child = caller.child();
        assert_eq!(child.trace_id(), caller.trace_id());
        assert_ne!(child, caller);
        let first_span = "00-4bf92f3577b34da6a3ce929d0e0e4736-a3ce929d0e0e4736-01".parse::<TraceContext>().unwrap();
        assert_ne!(origin_of(first_span.trace_id), first_span.span_id, "tracers name spans so");
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(bad.parse::<TraceContext>(), Err(InvalidTrace), "{bad}");
            assert_ne!(TraceContext::from_header(Some(bad)).trace_id(), caller.trace_id());
        }
    }
}
