//! A report of fixed data for snapshots.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Measurements, Report, Setup};
use crate::measure::cpu::CpuUsage;
use crate::measure::ledger::Balance;
use crate::measure::recorder::{Interval, State, Tally, histogram};
use crate::scenario::{Scenario, Series};

const SCENARIO: &str = r#"
name = "sample"
description = "Fixed data & <markup>"
duration = "4s"
warm_up = "1s"
[rates]
analyze = 100
execute = 10
[thresholds]
"analyze.p95" = "< 300ms"
"errors.rate" = "< 0.1%"
"workflow.p99" = "< 5s"
"#;

fn latencies(count: u64, scale: u64) -> Histogram<u64> {
    let mut latencies = histogram(3);
    for number in 0..count {
        latencies.saturating_record(scale * (10 + number * number / 100));
    }
    latencies
}

/// Returns a report in which two thresholds are missed, one workflow is lost and one has a wrong output.
pub(crate) fn report(generator_cpu: f64) -> Report {
    let scenario = Scenario::parse(SCENARIO).unwrap();
    let mut execute = Tally { latencies: latencies(38, 400), ..Tally::new() };
    execute.failures.insert("status 503".to_owned(), 2);
    let series = [
        (Series::Analyze, Tally { latencies: latencies(400, 70), ..Tally::new() }),
        (Series::Execute, execute),
        (Series::Status, Tally { latencies: latencies(80, 60), ..Tally::new() }),
    ];
    let intervals = (1..=4).map(|number| Interval { latencies: latencies(100 * number, 80), failures: number / 3 });
    let state = State {
        series: series.into(),
        intervals: intervals.collect(),
        delays: latencies(440, 1),
        limited: 0,
        server_errors: 2,
        late: 0,
    };
    let balance = Balance {
        accepted: 38,
        ended: 37,
        lost: 1,
        wrong: 1,
        repeated: 3,
        job_cpu_ms: 12_340,
        ends: [("completed".to_owned(), 30), ("failed: no_generator".to_owned(), 7)].into(),
        ..Balance::default()
    };
    let cpu = CpuUsage {
        cores: 2,
        generator: generator_cpu,
        machine: Some(81.5),
        components: [("api".to_owned(), 22.0), ("worker-1".to_owned(), 30.25)].into(),
    };
    let setup = Setup {
        url: "http://127.0.0.1:8000".to_owned(),
        service_version: "0.1.0".to_owned(),
        started_at: "2026-01-02T03:04:05Z".to_owned(),
        warm_up_seconds: 1.0,
        duration_seconds: Duration::from_secs(4).as_secs_f64(),
        users: 16,
        connections: 256,
        max_delay_ms: 100.0,
        ..Setup::default()
    };
    Measurements { state, balance, cpu, interval_seconds: 1.0, setup }.into_report(&scenario)
}

#[cfg(test)]
mod tests {
    use super::super::{RunVerdict, to_html, to_junit, to_terminal};
    use super::*;

    #[test]
    fn the_forms_of_a_report_are_as_recorded() {
        let report = report(7.25);
        assert_eq!((report.verdict, report.exit_code()), (RunVerdict::Failed, 1));
        insta::assert_snapshot!("junit", to_junit(&report));
        insta::assert_snapshot!("html", to_html(&report));
        insta::assert_snapshot!("terminal", to_terminal(&report, false));
        insta::assert_snapshot!("json", serde_json::to_string_pretty(&report).unwrap());
    }

    #[test]
    fn a_generator_that_used_over_half_of_the_cpu_voids_the_run() {
        let report = report(50.1);
        assert_eq!((report.verdict, report.exit_code()), (RunVerdict::Void, 2));
        assert!(to_junit(&report).contains("<error message=\"the load generator used 50 %"));
        assert!(to_terminal(&report, false).contains("VOID the load generator used 50 %"));
    }

    #[test]
    fn every_line_of_the_summary_fits_in_80_columns() {
        for line in to_terminal(&report(7.0), false).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
