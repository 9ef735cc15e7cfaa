//! The report of a run, and its forms: JSON, JUnit XML, HTML, terminal.

mod build;
mod checks;
mod files;
mod html;
mod junit;
mod plot;
pub(crate) mod progress;
mod terminal;

use std::collections::BTreeMap;

use serde::Serialize;

pub use build::Measurements;
pub use files::{WriteError, write_all};
pub use html::to_html;
pub use junit::to_junit;
pub use terminal::to_terminal;

use crate::measure::cpu::CpuUsage;
use crate::measure::ledger::Balance;
use crate::scenario::Series;

/// Everything that a run measured, and its verdict. Latencies are milliseconds from the planned instant.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub scenario: String,
    pub description: String,
    /// `open` or `closed`.
    pub model: &'static str,
    pub setup: Setup,
    pub verdict: RunVerdict,
    /// The reasons for a void run.
    pub void: Vec<String>,
    pub checks: Vec<ConditionResult>,
    pub workflows: Balance,
    pub run: RunFigures,
    pub cpu: CpuUsage,
    pub series: Vec<SeriesReport>,
    pub interval_seconds: f64,
    pub intervals: Vec<IntervalReport>,
}

/// The circumstances of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Setup {
    pub url: String,
    /// Version of the service, as `/health` reports it.
    pub service_version: String,
    /// Revision of the source, as the caller named it.
    pub revision: Option<String>,
    /// RFC 3339, UTC.
    pub started_at: String,
    pub seed: u64,
    pub warm_up_seconds: f64,
    pub duration_seconds: f64,
    pub users: usize,
    pub connections: usize,
    pub max_delay_ms: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunVerdict {
    Passed,
    Failed,
    /// The figures say nothing about the service.
    Void,
}

/// A judged condition: a threshold of the scenario, or one that every run has.
#[derive(Debug, Clone, Serialize)]
pub struct ConditionResult {
    pub name: String,
    pub condition: String,
    /// In the unit of the metric; `None`: could not be measured, which is a failure.
    pub figure: Option<f64>,
    /// The figure with its unit.
    pub shown: String,
    pub passed: bool,
}

/// Figures of the whole run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunFigures {
    pub operations: u64,
    pub failed: u64,
    pub late: u64,
    pub limited: u64,
    pub server_errors: u64,
    /// Time from the planned instant to the sending.
    pub delay_p99_ms: f64,
    pub delay_max_ms: f64,
}

/// Results of one series.
#[derive(Debug, Clone, Serialize)]
pub struct SeriesReport {
    pub name: Series,
    /// Planned arrivals per second.
    pub planned_rate: Option<f64>,
    pub requests: u64,
    pub failed: u64,
    /// Successful requests per second of the window.
    pub rate: f64,
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
    pub failures: BTreeMap<String, u64>,
    /// Percentile and latency, for the plot.
    pub distribution: Vec<(f64, f64)>,
}

/// Results of all operations planned in one interval.
#[derive(Debug, Clone, Serialize)]
pub struct IntervalReport {
    pub start_seconds: f64,
    pub requests: u64,
    pub failed: u64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub max_ms: f64,
}

impl Report {
    /// Returns 0 if everything passed, 1 if a check failed, 2 if the run is void.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            RunVerdict::Passed => 0,
            RunVerdict::Failed => 1,
            RunVerdict::Void => 2,
        }
    }
}

/// Formats milliseconds for a column of 7 characters.
pub(crate) fn short_ms(ms: f64) -> String {
    match ms {
        ms if ms <= 0.0 => "-".to_owned(),
        ms if ms < 100.0 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}

#[cfg(test)]
pub(crate) mod samples;
