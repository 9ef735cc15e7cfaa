//! One self-contained page: tables, and plots as inline SVG. It needs no script and no network.

use super::junit::escape;
use super::plot::{Chart, Line, Scale, linear_ticks, style};
use super::{Report, RunVerdict, SeriesReport, short_ms};

const STYLE: &str = include_str!("report.css");

/// Returns the report as an HTML page.
pub fn to_html(report: &Report) -> String {
    let title = escape(&format!("Load test {}", report.scenario));
    let body = [
        head(report),
        checks(report),
        operations(report),
        failures(report),
        plots(report),
        workflows(report),
        cpu(report),
        setup(report),
    ]
    .concat();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

fn head(report: &Report) -> String {
    let (class, word) = match report.verdict {
        RunVerdict::Passed => ("good", "Passed"),
        RunVerdict::Failed => ("bad", "Failed"),
        RunVerdict::Void => ("bad", "Void"),
    };
    let reasons: String =
        report.void.iter().map(|reason| format!("<p class=\"bad\">{}</p>\n", escape(reason))).collect();
    format!(
        "<h1>Load test <em>{}</em> <span class=\"verdict {class}\">{word}</span></h1>\n<p>{}</p>\n{reasons}",
        escape(&report.scenario),
        escape(&report.description)
    )
}

fn checks(report: &Report) -> String {
    let rows = report.checks.iter().map(|check| {
        let (class, word) = if check.passed { ("good", "ok") } else { ("bad", "missed") };
        vec![
            format!("<span class=\"{class}\">{word}</span>"),
            escape(&check.name),
            escape(&check.condition),
            escape(&check.shown),
        ]
    });
    section("Thresholds", &table(&["", "figure", "expected", "measured"], rows, 3))
}

fn operations(report: &Report) -> String {
    let rows = report.series.iter().map(|series| {
        let mut cells = vec![
            escape(series.name.as_str()),
            series.planned_rate.map_or_else(String::new, |rate| format!("{rate}")),
            format!("{:.1}", series.rate),
            series.requests.to_string(),
            failed_cell(series.failed),
        ];
        let latencies =
            [series.mean_ms, series.p50_ms, series.p90_ms, series.p95_ms, series.p99_ms, series.p999_ms, series.max_ms];
        cells.extend(latencies.map(short_ms));
        cells
    });
    let head = ["", "planned/s", "done/s", "requests", "failed", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"];
    section(
        "Requests",
        &format!(
            "<p>Milliseconds of successful requests, counted from the planned instant. Sent {} ms after it at the 99th percentile, {} ms at most.</p>\n{}",
            report.run.delay_p99_ms,
            report.run.delay_max_ms,
            table(&head, rows, 1)
        ),
    )
}

fn failed_cell(count: u64) -> String {
    if count == 0 { "0".to_owned() } else { format!("<span class=\"bad\">{count}</span>") }
}

fn failures(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .series
        .iter()
        .flat_map(|series| {
            series
                .failures
                .iter()
                .map(|(reason, count)| vec![escape(series.name.as_str()), escape(reason), count.to_string()])
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    section("Failures", &table(&["", "reason", "requests"], rows.into_iter(), 2))
}

fn plots(report: &Report) -> String {
    let end = report.intervals.len() as f64 * report.interval_seconds;
    let x_ticks: Vec<(f64, String)> = seconds_ticks(end);
    let line = |name: &str, class: String, value: &dyn Fn(usize) -> f64| Line {
        name: name.to_owned(),
        class,
        points: (0..report.intervals.len())
            .map(|index| (report.intervals[index].start_seconds + report.interval_seconds / 2.0, value(index)))
            .collect(),
    };
    let intervals = &report.intervals;
    let latency = Chart {
        title: "Latency over time, all operations".to_owned(),
        x_label: "seconds",
        y_label: "ms",
        y_scale: Scale::Logarithmic,
        x_ticks: x_ticks.clone(),
        lines: vec![
            line("p50", style(0), &|index| intervals[index].p50_ms),
            line("p95", style(1), &|index| intervals[index].p95_ms),
            line("max", style(2), &|index| intervals[index].max_ms),
        ],
    };
    let per_second = |count: u64| count as f64 / report.interval_seconds;
    let rate = Chart {
        title: "Operations per second".to_owned(),
        x_label: "seconds",
        y_label: "per second",
        y_scale: Scale::Linear,
        x_ticks,
        lines: vec![
            line("planned", style(0), &|index| per_second(intervals[index].requests)),
            line("failed", "line-bad".to_owned(), &|index| per_second(intervals[index].failed)),
        ],
    };
    section("Plots", &[latency.to_html(), distribution(report).to_html(), rate.to_html()].concat())
}

/// Returns ticks from 0 to exactly `end`.
fn seconds_ticks(end: f64) -> Vec<(f64, String)> {
    let mut ticks = linear_ticks(end);
    let step = ticks.get(1).copied().unwrap_or(1.0);
    // A tick close to the end would overlap with the label of the end.
    ticks.retain(|tick| *tick + step * 0.4 < end);
    ticks.push(end);
    ticks.into_iter().map(|tick| (tick, format!("{tick}"))).collect()
}

/// Position of a percentile: equal distances from 90 to 99 and from 99 to 99.9.
fn position(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).log10()
}

fn distribution(report: &Report) -> Chart {
    let has_points = |series: &&SeriesReport| series.distribution.len() > 1;
    let series: Vec<&SeriesReport> = report.series.iter().filter(has_points).collect();
    let largest =
        series.iter().flat_map(|series| &series.distribution).map(|(percentile, _)| *percentile).fold(0.0, f64::max);
    let ticks = [0.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99];
    let x_ticks = ticks.iter().filter(|tick| **tick <= largest).map(|tick| (position(*tick), format!("{tick}")));
    Chart {
        title: "Latency by percentile".to_owned(),
        x_label: "percentile",
        y_label: "ms",
        y_scale: Scale::Logarithmic,
        x_ticks: x_ticks.collect(),
        lines: series
            .iter()
            .enumerate()
            .map(|(index, series)| Line {
                name: series.name.as_str().to_owned(),
                class: style(index),
                points: series.distribution.iter().map(|(percentile, ms)| (position(*percentile), *ms)).collect(),
            })
            .collect(),
    }
}

fn workflows(report: &Report) -> String {
    let balance = &report.workflows;
    let mut rows = vec![
        ("accepted (202)".to_owned(), balance.accepted.to_string()),
        ("reached an end".to_owned(), balance.ended.to_string()),
    ];
    rows.extend(balance.ends.iter().map(|(end, count)| (format!("– {end}"), count.to_string())));
    for (name, count) in [
        ("lost", balance.lost),
        ("ended twice", balance.doubled),
        ("another id for a repeated key", balance.mismatched),
        ("events or steps out of order", balance.reordered),
        ("wrong end or output", balance.wrong),
        ("history not readable", balance.unverified),
    ] {
        rows.push((name.to_owned(), failed_cell(count)));
    }
    rows.push(("keys repeated".to_owned(), balance.repeated.to_string()));
    section("Workflows", &table(&["", "count"], rows.into_iter().map(|(name, count)| vec![escape(&name), count]), 1))
}

fn cpu(report: &Report) -> String {
    let usage = &report.cpu;
    let mut shares = vec![("load generator", usage.generator)];
    shares.extend(usage.components.iter().map(|(name, share)| (name.as_str(), *share)));
    shares.extend(usage.machine.map(|share| ("whole machine", share)));
    let rows = shares.into_iter().map(|(name, share)| {
        let bar = format!("<span class=\"bar\"><span style=\"width:{:.1}%\"></span></span>", share.clamp(0.0, 100.0));
        vec![escape(name), format!("{share:.1} %"), bar]
    });
    let text = format!("<p>Percent of {} cores.</p>\n", usage.cores);
    let jobs = report.workflows.job_cpu_ms as f64 / 1_000.0;
    let note = format!(
        "<p>Jobs in the sandbox used {jobs:.1} s of CPU over the whole run; they do not count for their worker.</p>\n"
    );
    section("CPU", &format!("{text}{}{note}", table(&["", "share", ""], rows, 1)))
}

fn setup(report: &Report) -> String {
    let setup = &report.setup;
    let rows = [
        ("service", format!("{} ({})", setup.url, setup.service_version)),
        ("revision", setup.revision.clone().unwrap_or_else(|| "not given".to_owned())),
        ("started", setup.started_at.clone()),
        ("model", report.model.to_owned()),
        ("warm-up, window", format!("{} s, {} s", setup.warm_up_seconds, setup.duration_seconds)),
        ("users", setup.users.to_string()),
        ("connection slots", setup.connections.to_string()),
        ("late after", format!("{} ms", setup.max_delay_ms)),
        ("seed", setup.seed.to_string()),
    ];
    section("Setup", &table(&["", ""], rows.into_iter().map(|(name, value)| vec![escape(name), escape(&value)]), 2))
}

fn section(title: &str, content: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n{content}</section>\n")
}

/// Returns a table of cells that are HTML; columns from `numbers` on are aligned to the right.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>, numbers: usize) -> String {
    let class = |index: usize| if index >= numbers { " class=\"number\"" } else { "" };
    let cells = |tag: &str, cells: &mut dyn Iterator<Item = String>| -> String {
        cells.enumerate().map(|(index, cell)| format!("<{tag}{}>{cell}</{tag}>", class(index))).collect()
    };
    let has_head = head.iter().any(|title| !title.is_empty());
    let titles = if has_head {
        format!("<thead><tr>{}</tr></thead>\n", cells("th", &mut head.iter().map(|title| (*title).to_owned())))
    } else {
        String::new()
    };
    let body: String = rows.map(|row| format!("<tr>{}</tr>\n", cells("td", &mut row.into_iter()))).collect();
    format!("<div class=\"scroll\"><table>\n{titles}<tbody>\n{body}</tbody>\n</table></div>\n")
}
