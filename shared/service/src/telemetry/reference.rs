//! The reference of metrics for operators, `docs/reference/metrics.md`.

use super::families::{Family, Kind, Process};
use super::metrics::process_families;

const HEAD: &str = "# Metrics

Every process serves `/metrics` at its `metrics_listen`, beside `/livez` and `/readyz` ([operations](../operations/README.md#probes-and-metrics)).
A family is there from the start, with its known label values at zero. A gauge that \"every API reports\" describes the whole
installation: take `max by` (or `min`) over the instances, never `sum`. Counters and histograms count what one process did: take `sum`.

`job` and `instance` are added by Prometheus. Label values are from fixed lists; any other text is counted as `other`.

This page is made from `shared/service/src/telemetry/families_table.rs`.
";

const PROCESS_HEAD: &str = "
## Process

Of the operating system, from every process.

| metric | type | unit | meaning |
|---|---|---|---|
";

/// Returns the page in Markdown, a table for each kind of process.
pub fn metrics_reference() -> String {
    let mut page = HEAD.to_owned();
    let groups: [(&str, &[Process]); 4] = [
        ("Every process", &[Process::Api, Process::Approver, Process::Worker]),
        ("API", &[Process::Api]),
        ("Worker", &[Process::Worker]),
        ("Approver", &[Process::Approver]),
    ];
    for (title, processes) in groups {
        page.push_str(&format!("\n## {title}\n\n| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n"));
        for family in Family::all().iter().filter(|family| family.processes == processes) {
            page.push_str(&row(family));
        }
    }
    page.push_str(PROCESS_HEAD);
    for (name, help) in process_families() {
        let (kind, unit) = (if name.ends_with("_total") { "counter" } else { "gauge" }, unit_of(&name));
        page.push_str(&format!("| `{name}` | {kind} | {unit} | {} |\n", help.trim_end_matches('.').to_owned() + "."));
    }
    page
}

fn unit_of(name: &str) -> &'static str {
    if name.contains("seconds") {
        "seconds"
    } else if name.ends_with("_bytes") {
        "bytes"
    } else {
        "count"
    }
}

fn row(family: &Family) -> String {
    let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
    let buckets = match family.kind {
        Kind::Histogram(bounds) => {
            let bounds: Vec<String> = bounds.iter().map(f64::to_string).collect();
            format!(" Buckets: {}.", bounds.join(", "))
        }
        Kind::Counter | Kind::AmountCounter | Kind::Gauge => String::new(),
    };
    let (name, kind, unit) = (family.name, family.type_name(), family.unit());
    format!("| `{name}` | {kind} | {unit} | {} | {}{buckets} |\n", labels.join(", "), family.meaning)
}
