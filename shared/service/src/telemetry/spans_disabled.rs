//! Spans in a build without the feature `otlp`: the same interface as `spans.rs`, without effect.

use super::families::Process;
use super::{OtlpEndpoint, SpanKind, TraceContext};

/// The export of spans; this build has none.
#[derive(Debug)]
pub struct SpanExport(());

impl SpanExport {
    /// Does nothing: this build cannot read the setting of an endpoint.
    pub fn start(_: Process, _: Option<&str>, _: Option<&OtlpEndpoint>) -> Result<Self, String> {
        Ok(Self(()))
    }

    /// Does nothing.
    pub async fn flush(self) {}
}

/// A span that is not recorded.
#[derive(Debug)]
pub struct Span(());

impl Span {
    /// Returns a span that is not recorded.
    pub fn start(_: SpanKind, _: &str, _: &TraceContext) -> Self {
        Self(())
    }

    /// Returns a span that is not recorded.
    pub fn current() -> Self {
        Self(())
    }

    /// Does nothing.
    #[must_use]
    pub fn with(self, _: &'static str, _: &str) -> Self {
        self
    }

    /// Does nothing.
    #[must_use]
    pub fn with_number(self, _: &'static str, _: i64) -> Self {
        self
    }

    /// Does nothing.
    pub fn rename(&self, _: String) {}

    /// Does nothing.
    pub fn fail(&self, _: &str) {}

    /// Returns `work`.
    pub fn run<F: Future>(self, work: F) -> F {
        work
    }

    /// Returns `work`.
    pub fn run_fallible<F: Future>(self, _: &'static str, work: F) -> F {
        work
    }
}

/// Returns `None`: no span is exported.
pub(super) fn cause_of(_: &TraceContext) -> Option<u64> {
    None
}
