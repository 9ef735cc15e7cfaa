//! Judges the thresholds of a scenario, and the conditions of every run: nothing lost, doubled, mixed up, wrong.

use super::ConditionResult;
use super::build::{Measurements, ms, quantile};
use crate::measure::recorder::Tally;
use crate::scenario::{Comparison, Metric, RunFigure, Scenario, Series, Statistic, Threshold};

/// Figures that must be 0 in every run, unless the scenario has a threshold for them.
const ALWAYS_ZERO: [RunFigure; 6] = [
    RunFigure::Lost,
    RunFigure::Doubled,
    RunFigure::Mismatched,
    RunFigure::Reordered,
    RunFigure::Wrong,
    RunFigure::Unverified,
];

pub(super) fn judge(scenario: &Scenario, measurements: &Measurements) -> Vec<ConditionResult> {
    let always = ALWAYS_ZERO.map(|figure| Threshold {
        metric: Metric::Run(figure),
        comparison: Comparison::Equal,
        limit: 0.0,
        condition: "== 0".to_owned(),
    });
    let own = &scenario.thresholds;
    let implied = always.iter().filter(|implied| own.iter().all(|threshold| threshold.metric != implied.metric));
    own.iter().chain(implied).map(|threshold| check(threshold, measurements)).collect()
}

fn check(threshold: &Threshold, measurements: &Measurements) -> ConditionResult {
    let figure = figure(threshold.metric, measurements);
    let unit = threshold.metric.unit();
    ConditionResult {
        name: threshold.metric.to_string(),
        condition: threshold.condition.clone(),
        figure,
        shown: figure.map_or_else(|| "not measured".to_owned(), |figure| unit.format(figure)),
        passed: figure.is_some_and(|figure| threshold.is_met_by(figure)),
    }
}

/// Returns the figure of a metric; `None` if there was nothing to measure.
fn figure(metric: Metric, measurements: &Measurements) -> Option<f64> {
    let state = &measurements.state;
    let measured = |series: Series| state.series.get(&series).filter(|tally| tally.total() > 0);
    let window = measurements.setup.duration_seconds;
    match metric {
        Metric::Latency(series, statistic) => {
            let latencies = &measured(series)?.latencies;
            (!latencies.is_empty()).then(|| match statistic {
                Statistic::Mean => latencies.mean() / 1_000.0,
                Statistic::Max => ms(latencies.max()),
                Statistic::Percentile(percentile) => quantile(latencies, percentile / 100.0),
            })
        }
        Metric::Rate(series) => Some(measured(series)?.latencies.len() as f64 / window),
        Metric::Errors(Some(series)) => Some(measured(series)?.failed() as f64),
        Metric::Errors(None) => Some(state.series.values().map(Tally::failed).sum::<u64>() as f64),
        Metric::ErrorRate(Some(series)) => percentage(measured(series)?.failed(), measured(series)?.total()),
        Metric::ErrorRate(None) => {
            let total = state.series.values().map(Tally::total).sum();
            percentage(state.series.values().map(Tally::failed).sum(), total)
        }
        Metric::Run(figure) => Some(run_figure(figure, measurements)),
    }
}

fn percentage(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}

fn run_figure(figure: RunFigure, measurements: &Measurements) -> f64 {
    let (state, balance) = (&measurements.state, &measurements.balance);
    let count = match figure {
        RunFigure::Lost => balance.lost,
        RunFigure::Doubled => balance.doubled,
        RunFigure::Mismatched => balance.mismatched,
        RunFigure::Reordered => balance.reordered,
        RunFigure::Wrong => balance.wrong,
        RunFigure::Unverified => balance.unverified,
        RunFigure::Late => state.late,
        RunFigure::Limited => state.limited,
        RunFigure::ServerErrors => state.server_errors,
        RunFigure::GeneratorCpu => return measurements.cpu.generator,
    };
    count as f64
}
