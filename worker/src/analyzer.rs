//! An adapter to heimdall: analysis tasks in, reports of the domain out.

use std::time::Duration;

use domain::analysis::{AnalysisReport, AnalysisTask, AnalysisType, Finding, FindingKind, Severity, Suppressions};
use tokio::time::Instant;

/// Analyses one text on a blocking thread, because it is CPU-bound; also returns the CPU time that it took.
pub(crate) async fn analyze(task: AnalysisTask) -> Result<(AnalysisReport, Duration), tokio::task::JoinError> {
    tokio::task::spawn_blocking(move || {
        let (start, cpu) = (Instant::now(), thread_cpu());
        let report = heimdall::analyze(&heimdall::Request {
            source: &task.source,
            file_path: task.file_path.as_deref(),
            language: task.language.as_deref(),
            kind: kind_of(task.analysis_type),
            suppressions: match task.suppressions {
                Suppressions::Honor => heimdall::Suppressions::Honor,
                Suppressions::Ignore => heimdall::Suppressions::Ignore,
            },
            framework: task.framework.as_deref(),
            dependencies: &task.dependencies,
        });
        let took =
            cpu.zip(thread_cpu()).map_or_else(|| start.elapsed(), |(before, after)| after.saturating_sub(before));
        (into_domain(report, task.file_path), took)
    })
    .await
}

/// Returns the CPU time of this thread, exact to the kernel's tick; `None` if the kernel does not report it.
fn thread_cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn kind_of(analysis_type: AnalysisType) -> heimdall::Kind {
    match analysis_type {
        AnalysisType::Security => heimdall::Kind::Security,
        AnalysisType::Performance => heimdall::Kind::Performance,
        AnalysisType::Architecture => heimdall::Kind::Architecture,
        AnalysisType::General => heimdall::Kind::General,
    }
}

fn into_domain(report: heimdall::Report, file: Option<String>) -> AnalysisReport {
    let findings = |list: Vec<heimdall::Finding>| list.into_iter().map(|it| finding(it, file.clone())).collect();
    AnalysisReport {
        language: report.language,
        parsed: report.parsed,
        overall_score: report.overall_score,
        confidence: report.confidence,
        findings: findings(report.findings),
        suppressed: findings(report.suppressed),
        tools: report.tools,
    }
}

fn finding(finding: heimdall::Finding, file: Option<String>) -> Finding {
    Finding {
        rule: finding.rule,
        kind: match finding.kind {
            heimdall::FindingKind::Security => FindingKind::Security,
            heimdall::FindingKind::Performance => FindingKind::Performance,
            heimdall::FindingKind::Style => FindingKind::Style,
            heimdall::FindingKind::Architecture => FindingKind::Architecture,
        },
        severity: match finding.severity {
            heimdall::Severity::Low => Severity::Low,
            heimdall::Severity::Medium => Severity::Medium,
            heimdall::Severity::High => Severity::High,
            heimdall::Severity::Critical => Severity::Critical,
        },
        file,
        line_start: finding.line_start,
        line_end: finding.line_end,
        title: finding.title,
        description: finding.description,
        recommendation: finding.recommendation,
        example_fix: finding.example_fix,
        references: finding.references,
        confidence: finding.confidence,
        fingerprint: finding.fingerprint,
    }
}
