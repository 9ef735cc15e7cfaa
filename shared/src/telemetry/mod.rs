//! What operators see: logs, the caller's trace carried from message to message, and metrics.

mod logging;
mod metrics;
mod trace;

pub use logging::{LogFormat, init_logging};
pub use metrics::{MetricsServer, registry, scrape};
pub use trace::TraceContext;
