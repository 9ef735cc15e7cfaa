//! The summary for a terminal of 80 columns.

use super::{Report, RunVerdict, SeriesReport, short_ms};

/// Maximum columns of a line.
const WIDTH: usize = 80;

/// Returns the summary, with colours if asked.
pub fn to_terminal(report: &Report, has_colours: bool) -> String {
    let paint = |code: &str, text: &str| {
        if has_colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let mut lines = vec![
        paint("1", &title(report)),
        String::new(),
        paint(
            "2",
            &format!(
                "{:<12}{:>8}{:>8}{:>8}{:>9}{:>9}{:>9}{:>9}",
                "ms", "sent", "/s", "failed", "p50", "p95", "p99", "max"
            ),
        ),
    ];
    lines.extend(report.series.iter().map(row));
    lines.push(String::new());
    lines.extend(failures(report));
    lines.extend(workflows(report));
    lines.extend(wrapped("CPU", &cpu(report)));
    lines.push(String::new());
    for check in &report.checks {
        let (code, word) = if check.passed { ("32", "ok  ") } else { ("31", "MISS") };
        lines.push(format!("{} {:<24} {:<12} {}", paint(code, word), check.name, check.condition, check.shown));
    }
    lines.push(String::new());
    lines.extend(report.void.iter().map(|reason| format!("{} {reason}", paint("31", "VOID"))));
    let (code, word) = match report.verdict {
        RunVerdict::Passed => ("1;32", "PASSED"),
        RunVerdict::Failed => ("1;31", "FAILED"),
        RunVerdict::Void => ("1;31", "VOID: the figures say nothing about the service"),
    };
    lines.push(paint(code, word));
    lines.join("\n")
}

fn title(report: &Report) -> String {
    let setup = &report.setup;
    format!("{}, {} model, {:.0} s, {}", report.scenario, report.model, setup.duration_seconds, setup.url)
}

fn row(series: &SeriesReport) -> String {
    format!(
        "{:<12}{:>8}{:>8.1}{:>8}{:>9}{:>9}{:>9}{:>9}",
        series.name,
        series.requests,
        series.rate,
        series.failed,
        short_ms(series.p50_ms),
        short_ms(series.p95_ms),
        short_ms(series.p99_ms),
        short_ms(series.max_ms)
    )
}

fn failures(report: &Report) -> Vec<String> {
    let reasons = report.series.iter().flat_map(|series| {
        series.failures.iter().map(move |(reason, count)| format!("{} {count} x {reason}", series.name))
    });
    let reasons: Vec<String> = reasons.collect();
    if reasons.is_empty() { Vec::new() } else { wrapped("failures", &reasons) }
}

fn workflows(report: &Report) -> Vec<String> {
    let balance = &report.workflows;
    let mut parts = vec![format!("{} accepted", balance.accepted), format!("{} ended", balance.ended)];
    parts.extend(balance.ends.iter().map(|(end, count)| format!("{count} {end}")));
    parts.push(format!("{} lost", balance.lost));
    parts.push(format!("{} wrong", balance.wrong));
    parts.push(format!("{} keys repeated", balance.repeated));
    wrapped("workflows", &parts)
}

fn cpu(report: &Report) -> Vec<String> {
    let usage = &report.cpu;
    let mut parts = vec![format!("generator {:.1} % of {} cores", usage.generator, usage.cores)];
    parts.extend(usage.machine.map(|machine| format!("machine {machine:.0} %")));
    parts.push(format!("jobs {:.1} s", report.workflows.job_cpu_ms as f64 / 1_000.0));
    parts.extend(usage.components.iter().map(|(name, share)| format!("{name} {share:.0} %")));
    parts
}

/// Joins parts with commas in lines of at most 80 columns behind a label.
fn wrapped(label: &str, parts: &[String]) -> Vec<String> {
    const INDENT: usize = 12;
    let mut lines = vec![format!("{label:<INDENT$}")];
    for (index, part) in parts.iter().enumerate() {
        let end = if index + 1 < parts.len() { "," } else { "" };
        let line = lines.last_mut().map(|line| {
            let is_fresh = line.chars().count() == INDENT;
            (line.chars().count() + part.chars().count() + 2 <= WIDTH || is_fresh, is_fresh)
        });
        match (lines.last_mut(), line) {
            (Some(line), Some((true, is_fresh))) => {
                if !is_fresh {
                    line.push(' ');
                }
                line.push_str(&format!("{part}{end}"));
            }
            _ => lines.push(format!("{:INDENT$}{part}{end}", "")),
        }
    }
    lines
}
