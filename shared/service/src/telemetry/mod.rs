//! Telemetry: logs, metrics, probes, the caller's trace context carried between messages, and the spans of traces.

mod families;
mod families_table;
mod health;
mod logging;
mod metrics;
#[cfg(feature = "otlp")]
mod otlp;
mod otlp_endpoint;
mod probes;
mod reference;
mod span_kind;
#[cfg_attr(not(feature = "otlp"), path = "spans_disabled.rs")]
mod spans;
mod trace;

pub use families::{Family, Kind, Process, Start, bounded};
pub use families_table::{END_CODES, LANES, QUEUES, RISKS, RUNTIMES};
pub use health::{BEAT_INTERVAL, Health, ReadinessRequirement, RunningTask, watch_server};
pub use logging::{LogFormat, init_logging};
pub use metrics::{amounts, counter, counters, export_metrics, gauge, gauges, histogram, histograms, scrape};
pub use otlp_endpoint::OtlpEndpoint;
pub use probes::ProbeServer;
pub use reference::metrics_reference;
pub use span_kind::SpanKind;
pub use spans::{Span, SpanExport};
pub use trace::TraceContext;
