//! Runs analysis tasks by heimdall.

use std::time::Duration;

use domain::analysis::{AnalysisReport, AnalysisTask};
use tokio::time::Instant;

/// Analyses one text on a blocking thread, because it is CPU-bound; also returns the CPU time that it took.
pub(crate) async fn analyze(task: AnalysisTask) -> Result<(AnalysisReport, Duration), tokio::task::JoinError> {
    tokio::task::spawn_blocking(move || {
        let (start, cpu) = (Instant::now(), thread_cpu());
        let report = heimdall::analyze(&heimdall::AnalysisRequest {
            source: &task.source,
            file_path: task.file_path.as_deref(),
            language: task.language.as_deref(),
            kind: task.analysis_type,
            suppressions: task.suppressions,
            framework: task.framework.as_deref(),
            dependencies: &task.dependencies,
        });
        let took =
            cpu.zip(thread_cpu()).map_or_else(|| start.elapsed(), |(before, after)| after.saturating_sub(before));
        (in_file(report, task.file_path.as_ref()), took)
    })
    .await
}

/// Returns the CPU time of this thread, exact to the kernel's tick; `None` if the kernel does not report it.
fn thread_cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Names the analysed file in each finding.
fn in_file(mut report: AnalysisReport, file: Option<&String>) -> AnalysisReport {
    for finding in report.findings.iter_mut().chain(&mut report.suppressed) {
        finding.file = file.cloned();
    }
    report
}
