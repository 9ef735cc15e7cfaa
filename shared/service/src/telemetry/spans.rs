//! Spans of traces: the work of this process on a request or a message.
//!
//! They are made for export only and independent of the spans in log lines, so neither `telemetry.filter` nor the text
//! of a log line changes a trace. The current span is that in whose [`Span::run`] the task is.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::trace::{
    FutureExt as _, Link, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::families::Process;
use super::otlp::{SpanQueue, provider_of};
use super::{OtlpEndpoint, SpanKind, TraceContext};

/// Maximum time of the last export when the process stops.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// The tracer of the process; the provider beside it keeps the export alive.
static TRACER: OnceLock<(SdkTracer, SdkTracerProvider)> = OnceLock::new();

/// The export of this process's spans.
#[derive(Debug)]
pub struct SpanExport(Option<Arc<SpanQueue>>);

impl SpanExport {
    /// Starts the export on the current runtime; without an endpoint no span is made.
    ///
    /// `instance` names the process among those of its kind; without it a random id does. Fails if the HTTP client
    /// cannot be built.
    pub fn start(process: Process, instance: Option<&str>, endpoint: Option<&OtlpEndpoint>) -> Result<Self, String> {
        let Some(endpoint) = endpoint else { return Ok(Self(None)) };
        let (provider, queue) = provider_of(process, instance, endpoint)?;
        // A second export in one process would split its traces.
        if TRACER.set((provider.tracer("promptcraft"), provider)).is_err() {
            return Err("the export of traces has already started".to_owned());
        }
        Ok(Self(Some(queue)))
    }

    /// Exports what waits, in at most 2 s; the rest is lost and counted.
    pub async fn flush(self) {
        if let Some(queue) = self.0 {
            queue.flush(FLUSH_TIMEOUT).await;
        }
    }
}

/// A span. Attributes must not hold submitted text or secrets.
#[derive(Debug)]
pub struct Span(Option<Context>);

impl Span {
    /// Starts a span whose parent is the current span, or that of `trace` if there is none. A current span of another
    /// trace is linked.
    pub fn start(kind: SpanKind, name: &str, trace: &TraceContext) -> Self {
        let Some((tracer, _)) = TRACER.get() else { return Self(None) };
        let current = Context::current();
        let active = current.span().span_context().clone();
        let is_same = active.trace_id() == TraceId::from(trace.trace_id);
        let parent = if is_same { current } else { Context::new().with_remote_span_context(remote(trace)) };
        let links = (active.is_valid() && !is_same).then(|| vec![Link::with_context(active)]);
        let builder = tracer.span_builder(name.to_owned()).with_kind(kind.into()).with_links(links.unwrap_or_default());
        let span = tracer.build_with_context(builder, &parent);
        Self(Some(parent.with_span(span)))
    }

    /// Returns the current span.
    pub fn current() -> Self {
        let current = Context::current();
        Self(current.has_active_span().then_some(current))
    }

    /// Adds an attribute; its name is one of OpenTelemetry's conventions or of the log fields.
    #[must_use]
    pub fn with(self, name: &'static str, value: &str) -> Self {
        self.with_value(name, value.to_owned())
    }

    /// As [`Self::with`], for a number.
    #[must_use]
    pub fn with_number(self, name: &'static str, value: i64) -> Self {
        self.with_value(name, value)
    }

    fn with_value(self, name: &'static str, value: impl Into<Value>) -> Self {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new(name, value));
        }
        self
    }

    /// Replaces the name.
    pub fn rename(&self, name: String) {
        if let Some(context) = &self.0 {
            context.span().update_name(name);
        }
    }

    /// Sets the status to error. `reason` is a code or constant text.
    pub fn fail(&self, reason: &str) {
        if let Some(context) = &self.0 {
            context.span().set_status(Status::error(reason.to_owned()));
        }
    }

    /// Runs `work` with this as the current span, then ends it. If dropped, the span ends too.
    pub fn run<F: Future>(self, work: F) -> impl Future<Output = F::Output> + use<F> {
        // Boxed, because each layer would double the size of the future, and spans are nested.
        let work = Box::pin(work);
        async move {
            let Some(context) = self.0 else { return work.await };
            let output = work.with_context(context.clone()).await;
            context.span().end();
            output
        }
    }

    /// As [`Self::run`]; an error sets the status to error with this reason.
    pub fn run_fallible<T, E, F>(self, reason: &'static str, work: F) -> impl Future<Output = F::Output> + use<T, E, F>
    where
        F: Future<Output = Result<T, E>>,
    {
        let work = Box::pin(work);
        self.run(async move { work.await.inspect_err(|_| Self::current().fail(reason)) })
    }
}

/// Returns the id that messages of `trace` name as their cause: the current span's if it is of this trace, else that of
/// `trace`, which another process exported. `None` if this process exports nothing.
pub(super) fn cause_of(trace: &TraceContext) -> Option<u64> {
    TRACER.get()?;
    let active = Context::current().span().span_context().clone();
    let is_same = active.trace_id() == TraceId::from(trace.trace_id);
    Some(if is_same { u64::from_be_bytes(active.span_id().to_bytes()) } else { trace.span_id })
}

fn remote(trace: &TraceContext) -> SpanContext {
    let flags = TraceFlags::default().with_sampled(trace.sampled);
    SpanContext::new(trace.trace_id.into(), SpanId::from(trace.span_id), flags, true, TraceState::NONE)
}

impl From<SpanKind> for opentelemetry::trace::SpanKind {
    fn from(kind: SpanKind) -> Self {
        match kind {
            SpanKind::Server => Self::Server,
            SpanKind::Consumer => Self::Consumer,
            SpanKind::Producer => Self::Producer,
        }
    }
}
