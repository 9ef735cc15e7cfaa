//! Telemetry: logs, metrics, and the caller's trace context carried between messages.

mod logging;
mod metrics;
mod trace;

pub use logging::{LogFormat, init_logging};
pub use metrics::{MetricsServer, registry, scrape};
pub use trace::TraceContext;
