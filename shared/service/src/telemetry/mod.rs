//! Telemetry: logs, metrics, probes, and the caller's trace context carried between messages.

mod families;
mod families_table;
mod health;
mod logging;
mod metrics;
mod probes;
mod reference;
mod trace;

pub use families::{Family, Kind, Process, Start, bounded};
pub use families_table::{END_CODES, LANES, QUEUES, RISKS, RUNTIMES};
pub use health::{BEAT_INTERVAL, Health, Requirement, RunningTask, watch_server};
pub use logging::{LogFormat, init_logging};
pub use metrics::{amounts, counter, counters, export_metrics, gauge, gauges, histogram, histograms, scrape};
pub use probes::ProbeServer;
pub use reference::metrics_reference;
pub use trace::TraceContext;
