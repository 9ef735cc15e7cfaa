//! The registry of Prometheus metrics. Families come from the table only; see [`Family`].

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prometheus::core::Collector as _;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry,
    TextEncoder,
};

use super::families::{Family, Kind, Process};

#[derive(Clone)]
enum Collector {
    Counter(IntCounterVec),
    AmountCounter(CounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
}

static COLLECTORS: LazyLock<BTreeMap<&'static str, Collector>> =
    LazyLock::new(|| Family::all().iter().map(|family| (family.name, collector(family))).collect());
static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);

/// Builds the collector of a family. Names and labels are constants, so this cannot fail; the test below proves it.
fn collector(family: &Family) -> Collector {
    const VALID: &str = "a family's name and labels are valid constants";
    let (name, help, labels) = (family.name, family.meaning, family.labels);
    match family.kind {
        Kind::Counter => Collector::Counter(IntCounterVec::new(Opts::new(name, help), labels).expect(VALID)),
        Kind::AmountCounter => Collector::AmountCounter(CounterVec::new(Opts::new(name, help), labels).expect(VALID)),
        Kind::Gauge => Collector::Gauge(GaugeVec::new(Opts::new(name, help), labels).expect(VALID)),
        Kind::Histogram(buckets) => {
            let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
            Collector::Histogram(HistogramVec::new(options, labels).expect(VALID))
        }
    }
}

/// Exports the families of `process` with their first series, and the usual ones of any process (`process_*`).
///
/// A second call in the same process, as in tests, adds nothing.
pub fn export_metrics(process: Process) {
    for family in Family::all().iter().filter(|family| family.processes.contains(&process)) {
        let collector = COLLECTORS[family.name].clone();
        for values in family.first_series() {
            collector.touch(&values);
        }
        // Fails if the family is exported already.
        drop(REGISTRY.register(collector.boxed()));
    }
    drop(REGISTRY.register(Box::new(ProcessCollector::for_self())));
    gauges("promptcraft_build_info").with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1.0);
}

impl Collector {
    fn touch(&self, values: &[&str]) {
        match self {
            Self::Counter(family) => drop(family.with_label_values(values)),
            Self::AmountCounter(family) => drop(family.with_label_values(values)),
            Self::Gauge(family) => drop(family.with_label_values(values)),
            Self::Histogram(family) => drop(family.with_label_values(values)),
        }
    }

    fn boxed(self) -> Box<dyn prometheus::core::Collector> {
        match self {
            Self::Counter(family) => Box::new(family),
            Self::AmountCounter(family) => Box::new(family),
            Self::Gauge(family) => Box::new(family),
            Self::Histogram(family) => Box::new(family),
        }
    }
}

/// Returns the families that any process exports beside those of the table, with type and help.
pub(super) fn process_families() -> Vec<(String, String)> {
    let families = ProcessCollector::for_self().collect();
    families.into_iter().map(|family| (family.name().to_owned(), family.help().to_owned())).collect()
}

/// Returns the counters of a family of the table.
///
/// # Panics
/// If the table has no such family or one of another type, as in the functions below.
pub fn counters(name: &str) -> IntCounterVec {
    match COLLECTORS.get(name) {
        Some(Collector::Counter(family)) => family.clone(),
        _ => panic!("{name} is not a family of counters"),
    }
}

/// Returns the counter of a family without labels.
pub fn counter(name: &str) -> IntCounter {
    counters(name).with_label_values(&[] as &[&str])
}

/// Returns the counters of amounts of a family.
pub fn amounts(name: &str) -> CounterVec {
    match COLLECTORS.get(name) {
        Some(Collector::AmountCounter(family)) => family.clone(),
        _ => panic!("{name} is not a family of amounts"),
    }
}

/// Returns the gauges of a family.
pub fn gauges(name: &str) -> GaugeVec {
    match COLLECTORS.get(name) {
        Some(Collector::Gauge(family)) => family.clone(),
        _ => panic!("{name} is not a family of gauges"),
    }
}

/// Returns the gauge of a family without labels.
pub fn gauge(name: &str) -> Gauge {
    gauges(name).with_label_values(&[] as &[&str])
}

/// Returns the histograms of a family.
pub fn histograms(name: &str) -> HistogramVec {
    match COLLECTORS.get(name) {
        Some(Collector::Histogram(family)) => family.clone(),
        _ => panic!("{name} is not a family of histograms"),
    }
}

/// Returns the histogram of a family without labels.
pub fn histogram(name: &str) -> Histogram {
    histograms(name).with_label_values(&[] as &[&str])
}

/// Returns the text of a scrape.
pub fn scrape() -> Result<String, prometheus::Error> {
    TextEncoder::new().encode_to_string(&REGISTRY.gather())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_exports_its_families_with_zero_series() {
        export_metrics(Process::Worker);
        export_metrics(Process::Worker);
        let text = scrape().unwrap();
        for line in [
            "promptcraft_steps_total{outcome=\"retried\",phase=\"plan\"} 0",
            "promptcraft_tokens_total 0",
            "promptcraft_sandbox_run_seconds_count{outcome=\"timed_out\",runtime=\"python\"} 0",
            "promptcraft_cost_total{phase=\"execute\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing:\n{text}");
        }
        assert!(text.contains("promptcraft_build_info{version=") && text.contains("process_open_fds"), "{text}");
        assert!(!text.contains("promptcraft_gates_total"), "a family of the approver");
        assert!(process_families().iter().any(|(name, _)| name == "process_cpu_seconds_total"));
    }
}
