//! Export of ended spans over OTLP/HTTP: a bounded queue and one task that sends it in batches.
//!
//! Work never waits for it: a span that finds the queue full is dropped and counted.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::trace::SpanId;
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanExporter as _, SpanProcessor};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::OtlpEndpoint;
use super::families::Process;
use super::metrics::counter;
use super::trace::origin_of;

/// Maximum waiting spans, of about 1 KiB each.
const MAX_WAITING: usize = 2_048;
/// Maximum spans of one request.
const MAX_BATCH: usize = 512;
/// Time after which an incomplete batch is sent.
const EXPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Time after which a batch is not tried again; the attempt under way may take as long once more.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// Minimum time between two log lines about dropped spans.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// Returns the source of this process's spans and the queue into which they end; starts the task that sends them.
pub(super) fn provider_of(
    process: Process,
    instance: Option<&str>,
    endpoint: &OtlpEndpoint,
) -> Result<(SdkTracerProvider, Arc<SpanQueue>), String> {
    let instance = instance.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", format!("promptcraft-{}", process.as_str())),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", instance),
        ])
        .build();
    let mut exporter = exporter_to(endpoint)?;
    exporter.set_resource(&resource);
    let queue = Arc::new(SpanQueue {
        waiting: Mutex::default(),
        full: Notify::new(),
        exporter: tokio::sync::Mutex::new(exporter),
        unreported: AtomicU64::new(0),
        in_flight: AtomicUsize::new(0),
    });
    // Not tracked: spans of the drain itself are exported too.
    #[expect(clippy::disallowed_methods, reason = "the export outlives the drain and ends with the process")]
    tokio::spawn(queue.clone().export_all());
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        // The caller's sampled flag decides.
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
        .with_span_processor(QueueProcessor(queue.clone()))
        .build();
    Ok((provider, queue))
}

fn exporter_to(endpoint: &OtlpEndpoint) -> Result<SpanExporter, String> {
    // Fails if this process has installed the provider already, which has the same effect.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().timeout(EXPORT_TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client.map_err(|error| format!("cannot build the client of the OTLP receiver: {error}"))?)
        .with_endpoint(endpoint.traces_url())
        .with_timeout(EXPORT_TIMEOUT)
        .build();
    exporter.map_err(|error| format!("telemetry.otlp_endpoint: {error}"))
}

/// Ended spans that wait for their export.
#[derive(Debug)]
pub(super) struct SpanQueue {
    waiting: Mutex<Vec<SpanData>>,
    /// Notified when a batch is complete.
    full: Notify,
    exporter: tokio::sync::Mutex<SpanExporter>,
    /// Dropped spans that the log does not mention yet.
    unreported: AtomicU64,
    /// Spans of the batch that is being sent.
    in_flight: AtomicUsize,
}

impl SpanQueue {
    fn push(&self, mut span: SpanData) {
        // The context of a new trace has an id that no span has.
        let origin = origin_of(u128::from_be_bytes(span.span_context.trace_id().to_bytes()));
        if span.parent_span_id == SpanId::from(origin) {
            span.parent_span_id = SpanId::INVALID;
        }
        let count = {
            let mut waiting = self.lock();
            if waiting.len() >= MAX_WAITING {
                drop(waiting);
                return self.count_dropped(1);
            }
            waiting.push(span);
            waiting.len()
        };
        if count.is_multiple_of(MAX_BATCH) {
            self.full.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SpanData>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_dropped(&self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        counter("promptcraft_spans_dropped_total").inc_by(count);
        self.unreported.fetch_add(count, Ordering::Relaxed);
    }

    /// Sends batches until the process ends.
    async fn export_all(self: Arc<Self>) {
        let mut reported: Option<Instant> = None;
        loop {
            tokio::select! {
                () = self.full.notified() => {}
                () = tokio::time::sleep(EXPORT_INTERVAL) => {}
            }
            let sent = self.export_waiting().await;
            if reported.is_none_or(|at| at.elapsed() >= REPORT_INTERVAL) && self.report_dropped(sent) {
                reported = Some(Instant::now());
            }
        }
    }

    /// Sends the spans that wait now, up to the first failure; returns its reason.
    async fn export_waiting(&self) -> Result<(), String> {
        let exporter = self.exporter.lock().await;
        let mut left = self.lock().len();
        while left > 0 {
            let count = left.min(MAX_BATCH);
            let batch: Vec<SpanData> = self.lock().drain(..count).collect();
            left -= count;
            self.in_flight.store(count, Ordering::Relaxed);
            let sent = exporter.export(batch).await;
            self.in_flight.store(0, Ordering::Relaxed);
            if let Err(error) = sent {
                self.count_dropped(count);
                return Err(error.to_string());
            }
        }
        Ok(())
    }

    /// Logs the spans that were dropped since the last report; false if there are none.
    fn report_dropped(&self, sent: Result<(), String>) -> bool {
        let count = self.unreported.swap(0, Ordering::Relaxed);
        if count > 0 {
            let reason = sent.err().unwrap_or_else(|| "the queue was full".to_owned());
            tracing::warn!(count, reason, "Traces: dropped {count} spans: {reason}");
        }
        count > 0
    }

    /// Sends everything that waits, in at most `limit`, and logs what was lost.
    pub(super) async fn flush(&self, limit: Duration) {
        let sent = tokio::time::timeout(limit, self.export_waiting()).await;
        let waiting = self.lock().len();
        self.count_dropped(waiting + self.in_flight.load(Ordering::Relaxed));
        self.report_dropped(sent.unwrap_or_else(|_| Err("the receiver did not answer in time".to_owned())));
    }
}

/// Puts ended spans into the queue.
#[derive(Debug)]
struct QueueProcessor(Arc<SpanQueue>);

impl SpanProcessor for QueueProcessor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.push(span);
    }

    // The owner of the queue flushes it, without blocking a thread.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
