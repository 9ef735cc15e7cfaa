//! Turns measurements into a report.

use hdrhistogram::Histogram;

use super::checks::judge;
use super::{IntervalReport, Report, RunFigures, RunVerdict, SeriesReport, Setup};
use crate::measure::cpu::CpuUsage;
use crate::measure::ledger::Balance;
use crate::measure::recorder::{Interval, State, Tally};
use crate::scenario::{Scenario, Series, WorkloadModel};

/// Maximum share of the machine's CPU time for the generator, in percent; above it the run is void.
const MAX_GENERATOR_CPU: f64 = 50.0;
/// Percentiles of the distribution plot.
const PERCENTILES: [f64; 12] = [1.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.9, 99.99];

/// Everything that was measured in a run.
pub struct Measurements {
    pub state: State,
    pub balance: Balance,
    pub cpu: CpuUsage,
    pub interval_seconds: f64,
    pub setup: Setup,
}

impl Measurements {
    /// Builds the report and judges it.
    pub fn into_report(self, scenario: &Scenario) -> Report {
        let window = scenario.duration.as_secs_f64();
        let series: Vec<SeriesReport> = self
            .state
            .series
            .iter()
            .map(|(name, tally)| series_report(*name, planned_rate(scenario, *name), tally, window))
            .collect();
        let operations = self.state.series.iter().filter(|(name, _)| name.is_operation());
        let run = RunFigures {
            operations: operations.map(|(_, tally)| tally.total()).sum(),
            failed: self.state.series.values().map(Tally::failed).sum(),
            late: self.state.late,
            limited: self.state.limited,
            server_errors: self.state.server_errors,
            delay_p99_ms: quantile(&self.state.delays, 0.99),
            delay_max_ms: ms(self.state.delays.max()),
        };
        let checks = judge(scenario, &self);
        let void = void_reasons(&self.cpu, &run);
        let verdict = match (void.is_empty(), checks.iter().all(|check| check.passed)) {
            (false, _) => RunVerdict::Void,
            (true, true) => RunVerdict::Passed,
            (true, false) => RunVerdict::Failed,
        };
        let intervals = self.state.intervals.iter().enumerate();
        Report {
            scenario: scenario.name.clone(),
            description: scenario.description.clone(),
            model: if matches!(scenario.model, WorkloadModel::Open(_)) { "open" } else { "closed" },
            verdict,
            void,
            checks,
            run,
            series,
            intervals: intervals
                .map(|(index, interval)| interval_report(index as f64 * self.interval_seconds, interval))
                .collect(),
            interval_seconds: self.interval_seconds,
            workflows: self.balance,
            cpu: self.cpu,
            setup: self.setup,
        }
    }
}

fn void_reasons(cpu: &CpuUsage, run: &RunFigures) -> Vec<String> {
    let mut reasons = Vec::new();
    if cpu.generator > MAX_GENERATOR_CPU {
        reasons.push(format!(
            "the load generator used {:.0} % of the CPU; above {MAX_GENERATOR_CPU:.0} % it measures itself",
            cpu.generator
        ));
    }
    if run.operations == 0 {
        reasons.push("no operation was measured".to_owned());
    }
    reasons
}

fn planned_rate(scenario: &Scenario, series: Series) -> Option<f64> {
    match &scenario.model {
        WorkloadModel::Open(rates) => rates.get(&series).copied(),
        WorkloadModel::Closed { .. } => None,
    }
}

fn series_report(name: Series, planned_rate: Option<f64>, tally: &Tally, window: f64) -> SeriesReport {
    let latencies = &tally.latencies;
    let points = PERCENTILES.iter().filter(|percentile| {
        // A percentile beyond the number of samples would only repeat the maximum.
        latencies.len() as f64 * (100.0 - **percentile) >= 100.0
    });
    SeriesReport {
        name,
        planned_rate,
        requests: tally.total(),
        failed: tally.failed(),
        rate: round(latencies.len() as f64 / window),
        mean_ms: round(latencies.mean() / 1_000.0),
        p50_ms: quantile(latencies, 0.5),
        p90_ms: quantile(latencies, 0.9),
        p95_ms: quantile(latencies, 0.95),
        p99_ms: quantile(latencies, 0.99),
        p999_ms: quantile(latencies, 0.999),
        max_ms: ms(latencies.max()),
        failures: tally.failures.clone(),
        distribution: points.map(|percentile| (*percentile, quantile(latencies, percentile / 100.0))).collect(),
    }
}

fn interval_report(start_seconds: f64, interval: &Interval) -> IntervalReport {
    IntervalReport {
        start_seconds,
        requests: interval.latencies.len() + interval.failures,
        failed: interval.failures,
        p50_ms: quantile(&interval.latencies, 0.5),
        p95_ms: quantile(&interval.latencies, 0.95),
        max_ms: ms(interval.latencies.max()),
    }
}

/// Returns the milliseconds at a quantile; 0 without samples.
pub(super) fn quantile(latencies: &Histogram<u64>, quantile: f64) -> f64 {
    if latencies.is_empty() { 0.0 } else { ms(latencies.value_at_quantile(quantile)) }
}

pub(super) fn ms(micros: u64) -> f64 {
    round(micros as f64 / 1_000.0)
}

fn round(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}
